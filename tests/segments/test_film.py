"""Films in pieces: the same pictures, whatever happens on the way, and nothing left behind."""

import json
import os
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import av
import pytest

from vidgen.errors import OutputError
from vidgen.media import Decoder, source
from vidgen.pipeline import build_stages
from vidgen.scan import Scan
from vidgen.segments import run, scans
from vidgen.segments.film import _looked_at
from vidgen.segments.folder import hold, work_folder
from vidgen.segments.identity import content_of, identify


def pieces(settings):
    """Numbers of the finished segments."""
    return sorted(int(path.stem) for path in work_folder(settings.target).glob("*/0*.json"))


def stop_at(frames):
    """A Ctrl-C when that many frames are written."""

    def tell(progress):
        if progress.frames >= frames:
            raise KeyboardInterrupt

    return tell


def test_pieces_are_cut_at_shots_and_join_without_a_seam(settings, film, contents, whole):
    """With a lossless codec: what comes of one piece and of six is the same."""
    lossless = {"codec": "ffv1", "preset": None}
    one = settings(target="one.mkv", segment=Fraction(100), **lossless)
    many = settings(target="many.mkv", **lossless)
    for each in (one, many):
        report = run(each)
        assert (report.frames_in, report.frames_out) == (150, 300)
        assert not work_folder(each.target).exists()
    assert contents(one.target) == contents(many.target)
    frames, packets, chapters = whole
    assert [time for time, _ in frames] == [Fraction(n, 50) for n in range(300)]
    assert packets == contents(film)[1]
    assert len(chapters) == 6


def test_a_stopped_run_goes_on(settings, contents, whole):
    asked = settings()
    for frames, finished in ((70, [0]), (200, [0, 1, 2])):
        with pytest.raises(KeyboardInterrupt, match=r"stopped with 0:00:0. of 0:00:06 finished"):
            run(asked, stop_at(frames))
        assert pieces(asked) == finished
        assert not asked.target.exists()
    report = run(asked)
    assert report.frames_found == 150
    assert report.frames_out == 300
    assert contents(asked.target) == whole
    assert not work_folder(asked.target).exists()


@pytest.mark.parametrize("crf", [None, 30])
def test_the_film_is_looked_at_once(settings, monkeypatch, crf):
    """What the first pass found is kept, for other settings too; of another part it is not."""
    seen, real = [], scans.scan_film

    def scan_film(*film, **words):
        seen.append(words["end"])
        return real(*film, **words)

    monkeypatch.setattr(scans, "scan_film", scan_film)
    with pytest.raises(KeyboardInterrupt):
        run(settings(), stop_at(70))
    first = next(work_folder(settings().target).glob("*/job.json"))
    assert Scan.from_json(json.loads(first.read_text())["scan"]).frames == 150
    run(settings(crf=crf), stop_at(10**6))
    assert seen == [None]
    with pytest.raises(KeyboardInterrupt):
        run(settings(target="b.mkv"), stop_at(70))
    run(settings(target="b.mkv", end=Fraction(2)))
    assert seen == [None, None, 2]


@pytest.mark.parametrize("range_asked", [{}, {"start": Fraction(3), "end": Fraction(4)}])
def test_how_often_the_source_is_opened(settings, monkeypatch, range_asked):
    """For facts and first pass, for what the container holds, for the piece, for the join."""
    opened, real = [], av.open

    def counted(file, *words, **more):
        opened.append(file)
        return real(file, *words, **more)

    monkeypatch.setattr(av, "open", counted)
    asked = settings(fps=None, **range_asked, segment=Fraction(100))
    run(asked)
    assert opened.count(f"file:{asked.source}") == 4


def test_no_piece_turns_the_log_of_ffmpeg_on(settings, monkeypatch):
    """Two threads open and close decoders at a time: with the log on, they may wait for ever."""
    asked, real = [], source._dumped
    monkeypatch.setattr(source, "_DUMPS", {})
    monkeypatch.setattr(source, "_dumped", lambda container: asked.append(1) or real(container))
    run(settings(fps=None))
    assert len(asked) == 1


def test_a_damaged_piece_is_made_again(settings, contents, whole):
    asked = settings()
    with pytest.raises(KeyboardInterrupt):
        run(asked, stop_at(200))
    folder = next(work_folder(asked.target).glob("*/"))
    data = bytearray((folder / "00001.piece").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "00001.piece").write_bytes(data)
    (folder / "00002.json").write_text('{"coded": [1, 2')
    (folder / "starts.jsonl").write_text((folder / "starts.jsonl").read_text()[:-9])
    assert run(asked).frames_found == 60
    assert contents(asked.target) == whole


def test_a_piece_is_on_the_disk_before_its_record(settings, monkeypatch):
    """What a power cut can leave is decided by the order of these calls."""
    done = []
    real = {name: getattr(os, name) for name in ("fsync", "replace", "rename")}

    def fsync(handle):
        done.append(("fsync", os.path.basename(os.readlink(f"/proc/self/fd/{handle}"))))
        real["fsync"](handle)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(
        "pathlib.Path.replace",
        lambda path, to: (done.append(("name", to.name)), real["replace"](path, to))[0],
    )
    asked = settings(end=Fraction(3, 2))
    run(asked)
    names = [name.split(".")[0] if kind == "fsync" else name for kind, name in done]
    key = next(name for kind, name in done if kind == "fsync" and len(name) == 12)
    at = names.index("00000.piece")
    assert names[at - 1 : at + 4] == ["00000", "00000.piece", key, "00000", "00000.json"]
    assert [kind for kind, _ in done[at - 1 : at + 4]] == [
        "fsync",
        "name",
        "fsync",
        "fsync",
        "name",
    ]
    assert names[-2:] == ["out", "out.mkv"]


def test_other_settings_start_anew_and_say_so(settings, contents, whole):
    asked = settings()
    with pytest.raises(KeyboardInterrupt):
        run(asked, stop_at(100))
    with pytest.raises(OutputError, match=r"--crf was 18\.0;.*leave out --resume"):
        run(settings(crf=30.0, resume=True))
    with pytest.raises(KeyboardInterrupt):
        run(settings(crf=30.0), stop_at(20))
    report = run(asked)
    assert report.frames_found == 60
    assert contents(asked.target) == whole


DONE = {"fps": "50", "scale": 2, "preset": None}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, {"tier": "realtime"}),
        ({}, {"tier": "realtime", "model": "x2-realtime", "strength": 0}),
        ({}, {"codec": "x264", "crf": 18, "preset": "medium", "generate": "interpolate"}),
        ({"codec": "ffv1"}, {"codec": "ffv1", "depth": 8}),
        ({}, {"fps": "50/1"}),
        ({}, {"fps": "x2"}),
        ({"fps": "30000/1001"}, {"fps": "29.97"}),
        ({}, {"scale": None}),
        ({}, {"scale": None, "size": "192x128"}),
        ({"scale": None, "size": "480p"}, {"scale": None, "size": "720x480"}),
        ({}, {"start": 0, "segment": 1.0, "backend": "openvino", "jobs": 3}),
    ],
)
def test_what_is_said_aloud_or_otherwise_is_the_same(settings, asked, said):
    keys = {identity(settings(**{**DONE, **words})).key for words in (asked, {**asked, **said})}
    assert len(keys) == 1


def test_what_changes_pictures_is_another_thing(settings):
    others = [
        {"tier": "balanced"}, {"model": "x2-still"}, {"codec": "x265"}, {"crf": 19},
        {"preset": "fast"}, {"depth": 10}, {"fps": None}, {"fps": "25"}, {"fps": "51"},
        {"scale": 1}, {"scale": 4}, {"size": "190x128", "scale": None}, {"strength": 0.5},
        {"generate": "predict"}, {"start": 1}, {"end": 3}, {"segment": 2}, {"deinterlace": "off"},
    ]  # fmt: skip
    keys = {identity(settings(**{**DONE, **words})).key for words in ({}, *others)}
    assert len(keys) == 1 + len(others)


def identity(asked):
    with Decoder(asked.source, start=asked.start, end=asked.end) as decoder:
        job = _looked_at(asked, decoder)[0]
    steps, engine = build_stages(asked, job.video, job.origin, job.scan)
    return identify(job, steps, engine, content_of(asked.source))


def test_a_run_goes_on_when_its_defaults_are_said_aloud(settings, contents, whole):
    with pytest.raises(KeyboardInterrupt):
        run(settings(), stop_at(100))
    said = settings(tier="realtime", crf=18, fps="x2", size="96x64", scale=None)
    report = run(said)
    assert report.frames_found == 60
    assert contents(said.target) == whole


def written_by_another(asked, change):
    """The record of what was left, changed in place, under the key that another one would have."""
    path = next(work_folder(asked.target).glob("*/job.json"))
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))
    path.parent.rename(path.parent.with_name("0123456789ab"))


def test_a_run_of_an_earlier_vidgen_is_told_of(settings):
    """Which had written down the words as they were given."""
    asked = settings()
    with pytest.raises(KeyboardInterrupt):
        run(asked, stop_at(100))
    written_by_another(asked, lambda facts: facts.update(asked=facts.pop("done")))
    with pytest.raises(OutputError, match=r"an earlier one, which.*leave out --resume"):
        run(settings(resume=True))
    report = run(asked)
    assert report.frames_found == 0
    assert any("starts anew: in the earlier run vidgen was an earl" in e for e in report.notes)


def test_another_source_of_the_same_name_starts_anew(settings, film, tmp_path):
    source = tmp_path / "film.mkv"
    source.write_bytes(film.read_bytes())
    with pytest.raises(KeyboardInterrupt):
        run(settings(source), stop_at(100))
    os.utime(source, (1, 1))
    report = run(settings(source))
    assert report.frames_found == 0
    assert any("source was" in note for note in report.notes)


def test_no_resume_starts_anew(settings):
    with pytest.raises(KeyboardInterrupt):
        run(settings(), stop_at(100))
    assert run(settings(resume=False)).frames_found == 0


def test_another_program_goes_on_only_when_told(settings):
    asked = settings()
    with pytest.raises(KeyboardInterrupt):
        run(asked, stop_at(100))
    written_by_another(asked, lambda facts: facts["by"].update(av="1.0"))
    report = run(settings(resume=True))
    assert report.frames_found == 60
    assert any("av was 1.0" in note for note in report.notes)


def test_two_runs_do_not_meet_in_one_folder(settings):
    asked = settings()
    work_folder(asked.target).mkdir()
    handle = hold(work_folder(asked.target))
    with pytest.raises(OutputError, match="another vidgen"):
        run(asked)
    os.close(handle)
    run(asked)


def test_a_film_that_breaks_off_keeps_what_there_is(settings, film, tmp_path, contents, whole):
    from vidgen.errors import TruncatedError

    source = tmp_path / "cut.mkv"
    source.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    with pytest.raises(TruncatedError):
        run(settings(source))
    frames = contents(tmp_path / "out.partial.mkv")[0]
    assert 150 < len(frames) < 260
    assert not work_folder(tmp_path / "out.mkv").exists()
    assert all(late[0] > early[0] for early, late in pairwise(frames))


def test_what_a_long_film_will_take_is_said_before(clip, settings, film):
    said = []
    run(settings(fps=None), announce=said.append)
    assert said == []  # a short film is not worth a sample
    slides = clip("slides.mkv", frames=610, fps=1, size=(32, 32), options={"preset": "ultrafast"})
    with pytest.raises(KeyboardInterrupt):
        run(
            settings(slides, "slides-out.mkv", fps=None, segment=Fraction(300)),
            stop_at(1),
            said.append,
        )
    (line,) = said
    assert line.startswith("0:10:10 of film: about 0:")
    assert " free" in line
    assert not work_folder(settings().target).exists()


def test_paths_may_be_strings_and_times_any_numbers(settings, contents, tmp_path):
    exact = settings(start=Fraction(1, 2), end=Fraction(5, 2), target="exact.mkv")
    plain = replace(exact, source=str(exact.source), target=str(tmp_path / "out.mkv"))
    plain = replace(plain, start=0.5, end="0:02.5", segment=1)
    assert (plain.source, plain.target) == (exact.source, tmp_path / "out.mkv")
    run(exact)
    report = run(plain)
    assert report.frames_out == 100
    assert contents(plain.target) == contents(exact.target)

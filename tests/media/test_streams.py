"""All other streams come along, byte for byte, in their time; what cannot is said before."""

from fractions import Fraction

import av
import pytest

from vidgen.errors import OutputError
from vidgen.media import Encoder, probe

RICH = {
    "frames": 50,
    "audio": (("aac", "eng"), ("ac3", "ger"), ("flac", "fre")),
    "subtitles": (("subrip", "eng"), ("ass", "ger")),
    "chapters": ((0, 800, "one"), (800, 2000, "two")),
    "metadata": {"title": "a film", "comment": "made by code"},
}
FONTS = (
    ("font.ttf", "application/x-truetype-font", b"\0\1\0\0 a font " * 50),
    ("read.txt", "text/plain", b"hello"),
)


def others(read: dict, video: int = 0) -> dict:
    """Streams beside the main video, (pts, duration, data) of each packet."""
    return {
        index: [(pts, duration, data) for pts, _, duration, data in packets]
        for index, packets in read.items()
        if index != video
    }


def streams(path):
    return [(s.type, s.codec, s.language, s.title, s.forced) for s in probe(path).streams]


def attachments(path):
    with av.open(str(path)) as container:
        return [(s.name, s.mimetype, s.data) for s in container.streams.attachments]


def test_matroska_keeps_everything(redo, film, packets, tmp_path):
    source = film(**RICH, attachments=FONTS)
    target = tmp_path / "out.mkv"
    assert redo(source, target) == []
    assert others(packets(target)) == others(packets(source))
    assert streams(target) == streams(source)
    assert attachments(target) == list(FONTS)
    info, before = probe(target), probe(source)
    assert info.chapters == before.chapters
    assert [chapter.title for chapter in info.chapters] == ["one", "two"]
    assert {key.lower(): value for key, value in info.tags.items()} | RICH["metadata"] == {
        key.lower(): value for key, value in info.tags.items()
    }
    assert abs(info.duration - before.duration) <= Fraction(1, 25)


def test_mp4_keeps_everything_it_can_hold(redo, film, packets, tmp_path, cover_png):
    source = film(
        "in.mp4",
        frames=50,
        audio=(("aac", "eng"), ("ac3", "ger")),
        subtitles=(("mov_text", "eng"), ("mov_text", "ger")),
        chapters=RICH["chapters"],
        metadata=RICH["metadata"],
        cover=cover_png,
    )
    target = tmp_path / "out.mp4"
    assert redo(source, target) == []
    read, before = packets(target), packets(source)
    assert others(read) == others(before)
    assert streams(target) == streams(source)
    assert probe(target).chapters == probe(source).chapters
    assert any(stream.attached_pic for stream in probe(target).streams)
    assert probe(target).tags["title"] == "a film"
    assert abs(probe(target).duration - probe(source).duration) < Fraction(1, 1000)


def test_priming_of_aac_stays_where_it_was(redo, film, packets, tmp_path):
    """The edit list hides the encoder's delay: not a sample is moved against the picture."""
    source = film("in.mp4", audio=(("aac", "eng"),))
    before = packets(source)[1]
    assert before[0][0] < 0
    redo(source, tmp_path / "out.mp4")
    assert packets(tmp_path / "out.mp4")[1] == before


def test_priming_does_not_shift_a_matroska_film(redo, film, packets, tmp_path):
    """Matroska has no time before 0: what is to be thrown away is left out, the rest stays."""
    source = film("in.mp4", audio=(("aac", "eng"),))
    redo(source, tmp_path / "out.mkv")
    before = [entry for entry in packets(source)[1] if entry[0] >= 0]
    after = packets(tmp_path / "out.mkv")
    assert after[0][0][0] == 0
    assert [data for *_, data in after[1]] == [data for *_, data in before]
    for (pts, *_), (stated, *_) in zip(after[1], before, strict=True):
        assert abs(pts - stated) <= Fraction(1, 2000)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize("late", [Fraction(1, 5), Fraction(7, 48000)])
def test_late_audio_stays_late(redo, film, packets, tmp_path, suffix, late):
    source = film(f"in.{suffix}", audio=(("ac3", "eng"),), audio_start=late)
    redo(source, tmp_path / f"out.{suffix}")
    assert others(packets(tmp_path / f"out.{suffix}")) == others(packets(source))


def test_a_clock_that_begins_elsewhere_begins_at_zero(redo, film, packets, tmp_path):
    source = film("in.ts", frames=25, audio=(("aac", "eng"),), shift=Fraction(3600))
    target = tmp_path / "out.mp4"
    redo(source, target)
    zero = probe(source).start
    assert 3599 < zero <= 3600  # the sound begins with the encoder's delay
    for index, entries in packets(source).items():
        after = packets(target)[index]
        assert len(after) == len(entries)
        assert after[0][0] == entries[0][0] - zero
    assert probe(target).start == 0


def test_text_subtitles_take_the_form_of_the_container(redo, film, packets, tmp_path):
    source = film(frames=50, subtitles=(("subrip", "eng"),))
    notes = redo(source, tmp_path / "out.mp4")
    assert notes == ["stream 1 (subtitle, subrip, eng) becomes mov_text, the form of .mp4"]
    said = [entry for entry in packets(tmp_path / "out.mp4")[1] if len(entry[3]) > 2]
    before = packets(source)[1]
    assert [(pts, duration) for pts, _, duration, _ in said] == [
        (pts, duration) for pts, _, duration, _ in before
    ]
    assert [data[2:] for *_, data in said] == [data.strip() for *_, data in before]
    back = redo(tmp_path / "out.mp4", tmp_path / "back.mkv")
    assert back == ["stream 1 (subtitle, mov_text, eng) becomes subrip, the form of .mkv"]
    again = packets(tmp_path / "back.mkv")[1]
    assert [(pts, duration, data.strip()) for pts, _, duration, data in again] == [
        (pts, duration, data.strip()) for pts, _, duration, data in before
    ]


@pytest.mark.parametrize(
    ("streams", "name", "message"),
    [
        (
            {"subtitles": (("ass", "ger"),)},
            "out.mp4",
            r"\.mp4 cannot hold stream 1 \(subtitle, ass, ger\); use \.mkv",
        ),
        (
            {"audio": (("libopus", "eng"),)},
            "out.mov",
            r"\.mov cannot hold stream 1 \(audio, opus, eng\); use \.mkv or \.mp4",
        ),
        (
            {"audio": (("flac", "eng"),)},
            "out.ts",
            r"\.ts cannot hold stream 1 \(audio, flac, eng\)",
        ),
        (
            {"subtitles": (("subrip", "eng"),)},
            "out.ts",
            r"\.ts cannot hold stream 1 \(subtitle, subrip",
        ),
    ],
)
def test_a_stream_that_cannot_be_held_is_refused_first(film, tmp_path, streams, name, message):
    source, target = film(**streams), tmp_path / name
    with pytest.raises(OutputError, match=message):
        Encoder(target, probe(source).video, time_base=Fraction(1, 25), copy_from=source)
    assert not target.exists()


def test_fonts_and_cover_that_cannot_be_held_are_noted(redo, film, tmp_path, cover_png):
    source = film(frames=5, attachments=FONTS[:1])
    notes = redo(source, tmp_path / "out.mp4")
    assert notes == [".mp4 cannot hold stream 1 (attachment, font.ttf); use .mkv; it is left out"]
    source = film("in.mp4", frames=5, cover=cover_png, chapters=((0, 200, "one"),))
    notes = redo(source, tmp_path / "out.ts")
    assert ".ts holds no chapters; use .mkv or .mp4" in notes
    assert any("cover art" in note and "it is left out" in note for note in notes)


def test_cover_crosses_from_mp4_to_matroska_and_back(redo, film, packets, tmp_path, cover_png):
    source = film("in.mp4", frames=5, cover=cover_png)
    assert redo(source, tmp_path / "out.mkv") == []
    assert redo(tmp_path / "out.mkv", tmp_path / "back.mp4") == []
    for name in ("out.mkv", "back.mp4"):
        info = probe(tmp_path / name)
        (cover,) = [stream for stream in info.streams if stream.attached_pic]
        assert cover.codec == "png"
        assert packets(tmp_path / name)[cover.index][0][3] == cover_png


def test_another_video_is_copied(redo, film, packets, tmp_path):
    one, two = film("one.mkv", frames=10), film("two.mkv", frames=10, options={"bf": "2"})
    both = tmp_path / "both.mkv"
    with av.open(str(both), "w") as output, av.open(str(one)) as a, av.open(str(two)) as b:
        copies = [output.add_stream_from_template(x.streams.video[0], opaque=True) for x in (a, b)]
        for container, copy in zip((a, b), copies, strict=True):
            for packet in container.demux():
                if packet.size:
                    packet.stream = copy
                    output.mux(packet)
    notes = redo(both, tmp_path / "out.mkv")
    assert notes == ["stream 1 (video, h264), another video, is copied as it is"]
    assert others(packets(tmp_path / "out.mkv")) == others(packets(both))
    notes = redo(both, tmp_path / "part.mkv", start=Fraction(1, 5))
    assert notes[-1] == "stream 1 (video) has no keyframe in the range: left empty"

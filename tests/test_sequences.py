"""Numbered pictures that were stopped go on, and come out as if nothing had happened."""

import json
import os
import re
import signal
import sys
import time
from contextlib import suppress
from fractions import Fraction

import cv2
import numpy as np
import pytest

import vidgen
from vidgen.cli import main
from vidgen.errors import InputError, OutputError

COUNT, PIECE = 30, 12  # pictures


def scan(number, height=36, width=48):
    """Something that moves, with grain, so that what is recalled of the past can be seen."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (height // 6 + 1, 40, 3)).astype(np.uint8)
    wide = cv2.GaussianBlur(np.kron(coarse, np.ones((6, 6, 1), np.uint8)), (0, 0), 1.2)
    grain = np.random.default_rng(number).integers(0, 12, (height, width, 3)).astype(np.uint8)
    return cv2.add(wide[:height, number : number + width], grain)


def scans(folder, suffix=".png"):
    for number in range(1, COUNT + 1):
        cv2.imwrite(str(folder / f"in{number:03d}{suffix}"), scan(number))
    return folder


@pytest.fixture
def folder(tmp_path):
    return scans(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What comes out of one run."""
    return unbroken(scans(tmp_path_factory.mktemp("scans")))


def settings(folder, suffix=".png", **words):
    words = {"segment": Fraction(PIECE, 24), **words}
    return vidgen.Settings(
        source=folder / f"in%03d{suffix}", target=folder / f"out%03d{suffix}", **words
    )


def stop_after(count):
    """For `progress`: Ctrl-C when so many pictures are there."""

    def hear(progress):
        if progress.frames == count:
            raise KeyboardInterrupt

    return hear


def made(folder):
    return {path.name: path.read_bytes() for path in folder.glob("out*") if path.is_file()}


def finished(folder):
    return [path for path in folder.glob("out*") if re.fullmatch(r"out\d+\.\w+", path.name)]


def unbroken(folder, **words):
    """What comes out of one run; not left there."""
    vidgen.run(settings(folder, **words))
    result = made(folder)
    for name in result:
        (folder / name).unlink()
    return result


def begin_run(begin, folder, suffix, *words):
    names = f"in%03d{suffix}", f"out%03d{suffix}"
    command = [sys.executable, "-m", "vidgen", "upscale", *names, "--segment", "0.5", *words]
    # a shell's background job ignores Ctrl-C, and its children would too
    return begin(["env", "--default-signal=INT", *command], cwd=folder)


def until(count, folder, process):
    """Wait until so many pictures are there."""
    end = time.monotonic() + 60
    while len(finished(folder)) < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.mark.parametrize(("suffix", "kills"), [(".png", (11, 26)), (".tif", (14,))])
def test_a_killed_sequence_goes_on(tmp_path, begin, suffix, kills):
    folder = scans(tmp_path, suffix)
    whole = unbroken(folder, suffix=suffix)
    assert len(whole) == COUNT
    for count in kills:
        process = begin_run(begin, folder, suffix)
        until(count, folder, process)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        left = len(finished(folder))
        assert count <= left < COUNT
    process = begin_run(begin, folder, suffix, "--report", "report.json")
    errors = process.communicate(timeout=100)[1]
    assert process.returncode == 0, errors
    assert made(folder) == whole
    assert not list(folder.glob("*.vidgen"))
    (report,) = json.loads((folder / "report.json").read_text())["films"]
    assert report["frames_found"] == left


def test_ctrl_c_says_how_far_it_is(tmp_path, begin):
    folder = scans(tmp_path, ".jpg")
    process = begin_run(begin, folder, ".jpg")
    until(3, folder, process)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    told = re.fullmatch(
        r"vidgen: error: stopped with (\d+) of 30 pictures finished; "
        r"the same command goes on from there\n",
        errors,
    )
    left = made(folder)
    assert int(told[1]) == len(left) == len(finished(folder))
    assert vidgen.run(settings(folder, ".jpg")).frames_found == len(left)
    result = {name: (folder / name).unlink() or data for name, data in made(folder).items()}
    assert result == unbroken(folder, suffix=".jpg")


def test_the_past_is_seen_and_forgotten_at_fixed_pictures(folder, whole):
    """Else the other tests here could not fail."""
    longer = unbroken(folder, segment=Fraction(COUNT, 24))
    same = [whole[name] == longer[name] for name in sorted(whole)]
    assert all(same[: PIECE + 4])  # the run-in of the second piece is all there is before it
    assert not all(same)


def test_a_sequence_may_be_stopped_anywhere(folder, whole):
    for count in (1, PIECE, PIECE + 1, COUNT - 1):
        with pytest.raises(KeyboardInterrupt, match=f"with {count} of {COUNT} pictures finished"):
            vidgen.run(settings(folder), stop_after(count))
        assert len(made(folder)) == count
    report = vidgen.run(settings(folder))
    assert (report.frames_found, report.frames_out) == (COUNT - 1, COUNT)
    assert made(folder) == whole


def test_nothing_is_mixed(folder, whole):
    """With other settings it refuses, and the first ones still go on afterwards."""
    with pytest.raises(KeyboardInterrupt):
        vidgen.run(settings(folder), stop_after(5))
    before = made(folder)
    for words in ({"tier": "balanced"}, {"scale": 4}, {"segment": 1}, {"resume": False}):
        for _ in range(2):
            with pytest.raises(OutputError, match=r"out001.png exists.*--overwrite") as told:
                vidgen.run(settings(folder, **words))
        if "tier" in words:
            assert "--tier was realtime" in str(told.value)
    assert made(folder) == before
    vidgen.run(settings(folder, tier="realtime"))  # a default said aloud
    assert made(folder) == whole


def test_overwriting_goes_on_too(folder, whole):
    (folder / "out020.png").write_bytes(b"somebody's")
    with pytest.raises(OutputError, match=r"out020.png exists.*--overwrite"):
        vidgen.run(settings(folder))
    with pytest.raises(KeyboardInterrupt):
        vidgen.run(settings(folder, overwrite=True, tier="balanced"), stop_after(3))
    with pytest.raises(KeyboardInterrupt):
        vidgen.run(settings(folder, overwrite=True), stop_after(4))
    report = vidgen.run(settings(folder, overwrite=True))
    assert report.frames_found == 4
    assert made(folder) == whole


def test_what_was_retouched_since_is_not_written_over(folder):
    with pytest.raises(KeyboardInterrupt):
        vidgen.run(settings(folder), stop_after(5))
    (folder / "out003.png").write_bytes(b"retouched")
    with pytest.raises(OutputError, match=r"out003.png exists"):
        vidgen.run(settings(folder))
    assert (folder / "out003.png").read_bytes() == b"retouched"


def test_a_bad_picture_is_named_and_can_be_replaced(folder, whole):
    bad, good = folder / "in020.png", (folder / "in020.png").read_bytes()
    wide = cv2.imencode(".png", scan(20, width=50))[1].tobytes()
    for content in (good[: len(good) // 2], b"", wide):
        bad.write_bytes(content)
        with pytest.raises(InputError, match=r"in020.png: .*put another there.*goes on"):
            vidgen.run(settings(folder))
        assert len(made(folder)) == 19
    bad.write_bytes(good)
    assert vidgen.run(settings(folder)).frames_found == 19
    assert made(folder) == whole


def test_a_bad_picture_is_one_line(tmp_path, capfd):
    """OpenCV has more to say of a TIFF that is broken off."""
    data = cv2.imencode(".tif", scan(1))[1].tobytes()
    for number, content in ((1, data), (2, data[: len(data) // 2])):
        (tmp_path / f"in{number}.tif").write_bytes(content)
    names = [str(tmp_path / f"{name}%d.tif") for name in ("in", "out")]
    assert main(["upscale", *names, "--quiet"]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert re.match(r"vidgen: error: .*in2.tif: cannot be read .*put another there", line)


def test_a_picture_that_goes_away_is_missed(folder, whole):
    lost, good = folder / "in020.png", (folder / "in020.png").read_bytes()
    with pytest.raises(InputError, match=r"in020.png: cannot be read .*put another there"):
        vidgen.run(settings(folder), lambda progress: lost.unlink(missing_ok=True))
    assert len(made(folder)) == 19
    with pytest.raises(InputError, match=r"in020.png is missing between in019"):
        vidgen.run(settings(folder))
    lost.write_bytes(good)
    assert vidgen.run(settings(folder)).frames_found == 19
    assert made(folder) == whole


def test_what_has_seen_a_picture_that_was_replaced_is_made_anew(folder):
    with pytest.raises(KeyboardInterrupt):
        vidgen.run(settings(folder), stop_after(COUNT - 1))
    cv2.imwrite(str(folder / "in010.png"), 255 - scan(10))
    report = vidgen.run(settings(folder))
    assert report.frames_found == 9  # the run-in of the third piece begins with the ninth
    result = made(folder)
    for name in result:
        (folder / name).unlink()
    assert result == unbroken(folder)


def test_a_picture_that_was_lost_is_made_again_alone(folder, whole):
    """Other times of the same files do no harm: disks round them, tools for copying lose them."""
    with pytest.raises(KeyboardInterrupt):
        vidgen.run(settings(folder), stop_after(COUNT - 1))
    (folder / "out005.png").unlink()
    os.utime(folder / "out006.png", (1, 1))
    assert vidgen.run(settings(folder)).frames_found == COUNT - 2
    assert made(folder) == whole


def test_a_power_cut_in_the_midst_of_a_line(folder, whole):
    with pytest.raises(KeyboardInterrupt):
        vidgen.run(settings(folder), stop_after(5))
    (journal,) = folder.glob("*.vidgen/*/pictures.jsonl")
    journal.write_bytes(journal.read_bytes()[:-9])
    (folder / "out005.png").unlink()  # it gets its name after that
    (folder / "out005.partial.png").write_bytes(b"half")
    for found in (4, 6):
        with suppress(KeyboardInterrupt):
            report = vidgen.run(settings(folder), stop_after(6) if found == 4 else lambda _: None)
    assert report.frames_found == 6
    assert made(folder) == whole


def test_unfinished_sequences_are_listed_and_cleaned(folder, capsys):
    with pytest.raises(KeyboardInterrupt):
        vidgen.run(settings(folder), stop_after(5))
    for action, words in (("list", ""), ("clean", "removed ")):
        assert main(["work", action, str(folder)]) == 0
        told = f"{words}{folder}/out%03d.png.vidgen: 5 pictures, "
        assert capsys.readouterr().out.startswith(told)
    assert not list(folder.glob("*.vidgen"))
    assert len(made(folder)) == 5


def test_a_sequence_among_others_goes_on_or_is_left(folder, whole, capsys):
    into = folder / "outs"
    into.mkdir()
    cv2.imwrite(str(folder / "other.png"), scan(1))
    words = [str(folder / "in%03d.png"), str(folder / "other.png"), str(into)]
    segment = Fraction(PIECE, 24)
    asked = vidgen.Settings(source=words[0], target=into / "in%03d.png", segment=segment)
    with pytest.raises(KeyboardInterrupt):
        vidgen.run(asked, stop_after(COUNT - 1))
    assert main(["upscale", *words, "--segment", "0.5"]) == 2
    told = capsys.readouterr().err
    assert "29 of them found" in told
    assert "--segment: a single picture has none" in told
    assert {path.name.replace("in", "out"): path.read_bytes() for path in into.iterdir()} == whole
    assert main(["upscale", *words]) == 0
    assert f"{into}/in%03d.png exists: left as it is" in capsys.readouterr().err
    assert (into / "other.png").exists()


def test_two_runs_do_not_work_on_one_sequence(folder):
    def again(progress):
        with pytest.raises(OutputError, match="another vidgen is at work"):
            vidgen.run(settings(folder))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vidgen.run(settings(folder), again)


def test_a_full_disk_is_said(folder):
    in_the_way = folder / "out004.png"  # as nearly as a test can
    with pytest.raises(OutputError, match=r"out004.png: cannot be written .*same command goes on"):
        vidgen.run(settings(folder), lambda progress: in_the_way.mkdir(exist_ok=True))
    in_the_way.rmdir()
    assert vidgen.run(settings(folder)).frames_found == 3

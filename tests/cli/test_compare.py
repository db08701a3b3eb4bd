"""`vidgen compare REF OUT`: figures for people and programs, and a picture."""

import json

import cv2
import pytest

from vidgen.bench.metrics import PSNR_LIMIT


@pytest.fixture
def pair(clip):
    """A film and a worse copy of it."""
    words = {"frames": 6, "size": (96, 64)}
    good = clip("good.mkv", codec="ffv1", **words)
    return good, clip("worse.mkv", options={"crf": "38"}, **words)


def test_equal_films_reach_the_limit(vidgen, clip):
    film = clip(codec="ffv1")
    result = vidgen("compare", film, film)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("8 frames, 64x48, 8 bit\n")
    assert f"PSNR-Y  {PSNR_LIMIT:6.2f} dB" in result.stdout
    assert "SSIM-Y  1.0000" in result.stdout


def test_all_figures(vidgen, pair, tmp_path):
    result = vidgen("compare", *pair, "--json", "figures.json", "--png", "sheet.png")
    assert result.returncode == 0, result.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["width"], figures["height"], figures["bit_depth"]) == (96, 64, 8)
    assert [frame["time"] for frame in figures["frames"]] == [
        "0", "1/25", "2/25", "3/25", "4/25", "1/5",
    ]  # fmt: skip
    scores = [frame["psnr_y"] for frame in figures["frames"]]
    assert figures["psnr_y"] == pytest.approx(sum(scores) / 6, abs=1e-3)
    assert 15 < min(scores) < max(scores) < 60
    assert f"{figures['psnr_y']:6.2f} dB  {min(scores):6.2f} dB" in result.stdout
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
    assert "none.mkv: no such file" in error_of(vidgen("compare", film, "none.mkv"), 1)
    for option in ("--png", "--json"):
        text = error_of(vidgen("compare", film, film, option, "none/file"), 1)
        assert "none/file" in text


def test_frames_after_the_end_of_the_reference(vidgen, clip):
    short, long = clip("short.mkv", frames=4, codec="ffv1"), clip("long.mkv", codec="ffv1")
    result = vidgen("compare", short, long)
    assert result.stdout.startswith("4 frames")
    assert "4 frames of OUT lie after the end of REF" in result.stdout

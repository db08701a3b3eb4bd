"""`vidgen info`: what the machine can do and what a file holds, for people and for programs."""

import json
from importlib.metadata import version

import pytest


def test_the_machine(vidgen):
    result = vidgen("info")
    assert (result.returncode, result.stderr) == (0, "")
    for word in (version("vidgen"), "OpenVINO", "x264 x265 svtav1 ffv1 prores", "x2-realtime"):
        assert word in result.stdout


def test_the_machine_for_programs(vidgen):
    facts = json.loads(vidgen("info", "--json").stdout)
    assert facts["vidgen"] == version("vidgen")
    assert facts["cores"] >= 1
    assert facts["backends"]["openvino"].startswith("OpenVINO")
    assert "x264" in facts["codecs"]
    assert "upscale x2" in facts["models"]["x2-realtime"]


def test_a_film(vidgen, full_film):
    result = vidgen("info", full_film)
    assert (result.returncode, result.stderr) == (0, "")
    for line in (
        "container matroska,webm, duration 0:00:02",
        "video     h264, 64x48 yuv420p, progressive",
        "rate      25 (25) frames a second",
        "stream    1: audio flac",
        "chapter   0:00:01 Chapter 2",
    ):
        assert line in result.stdout


def test_a_film_for_programs(vidgen, full_film):
    facts = json.loads(vidgen("info", full_film, "--json").stdout)
    assert facts["path"] == str(full_film)
    assert (facts["video"]["width"], facts["video"]["height"]) == (64, 48)
    assert facts["video"]["fps"] == "25"
    assert [stream["type"] for stream in facts["streams"]] == ["video", "audio", "subtitle"]
    assert [chapter["start"] for chapter in facts["chapters"]] == ["0", "1"]
    assert facts["tags"]["title"] == "A film"


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_what_is_no_film(vidgen, error_of, tmp_path, words):
    (tmp_path / "notes.mp4").write_text("no film")
    assert "notes.mp4: cannot be read as video" in error_of(vidgen("info", "notes.mp4", *words), 1)

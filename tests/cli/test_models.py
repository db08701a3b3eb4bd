"""`vidgen models`: what there is, its cards, and its worth."""

import json
from fractions import Fraction

import pytest

from vidgen import zoo
from vidgen.bench.film import write_scene
from vidgen.bench.scenes import Scene


def test_all_that_is_there(vidgen):
    result = vidgen("models", "list")
    assert [line.split()[0] for line in result.stdout.splitlines()] == zoo.names()
    assert (
        vidgen("models", "show", "x2-realtime").stdout.strip()
        == zoo.card_text("x2-realtime").strip()
    )


@pytest.fixture
def films(tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    scene = Scene(96, 64, cut=None)
    write_scene(folder / "scene.mkv", scene, fps=Fraction(24), seconds=Fraction(1, 2), crf=1)
    return folder


def test_a_card_and_a_name_measure_alike(vidgen, films):
    card = zoo.models_folder() / "x2-realtime.toml"
    words = ("--clips", films, "--frames", 5, "--no-history", "--no-vmaf", "--json", "-")
    result = vidgen("models", "evaluate", "x2-balanced", card, *words)
    assert result.returncode == 0, result.stderr
    assert result.stderr == "measuring scene.mkv\n"
    found = json.loads(result.stdout)
    assert found["scale"] == 2
    assert "OpenVINO" in found["engine"]
    (row,) = found["rows"]
    assert (row["name"], row["size"], row["frames"]) == ("scene.mkv", "96x64", 5)
    expected = ["bicubic", "lanczos"]
    for name in ("x2-balanced", "x2-realtime"):
        expected += [name, *[f"{name}, no history"] * zoo.load(name).history]
    assert list(row["scores"]) == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x2-realtme"], "did you mean x2-realtime?"),
        (["x2-realtime", "--clips", "none"], "none: no such folder"),
        (["x2-realtime", "--frames", "0"], "--frames 0"),
        (["x2-realtime", "--strength", "1.5"], "--strength 1.5: give 0 to 1"),
    ],
)
def test_what_cannot_be_measured(vidgen, error_of, words, said):
    result = vidgen("models", "evaluate", *words)
    assert said in error_of(result, result.returncode or 1)

"""`vidgen models`: what there is, its cards, and its worth."""

import json
from fractions import Fraction

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from vidgen import zoo
from vidgen.bench.film import write_scene
from vidgen.bench.scenes import Scene
from vidgen.media import Decoder


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
    words = (
        "--clips",
        films,
        "--frames",
        5,
        "--no-history",
        "--no-vmaf",
        "--no-lpips",
        "--no-public",
        "--json",
        "-",
    )
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


def test_figures_are_not_written_over_a_clip(vidgen, error_of, films):
    clip = films / "scene.mkv"
    film = clip.read_bytes()
    result = vidgen("models", "evaluate", "x2-realtime", "--clips", films, "--json", clip)
    assert "is the film itself" in error_of(result, 1)
    assert clip.read_bytes() == film


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


def repeating_network(path):
    """An ONNX file that repeats every pixel of an RGB picture."""
    info, words = helper.make_tensor_value_info, {"mode": "nearest", "nearest_mode": "floor"}
    words["coordinate_transformation_mode"] = "asymmetric"
    graph = helper.make_graph(
        [helper.make_node("Resize", ["in", "", "scales"], ["out"], **words)],
        "net",
        [info("in", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [info("out", TensorProto.FLOAT, [1, 3, "oh", "ow"])],
        [numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))


def test_a_network_from_elsewhere_enlarges_a_film(vidgen, clip, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    repeating_network(tmp_path / "Twice.onnx")
    added = vidgen("models", "add", "Twice.onnx", "--license", "MIT")
    assert added.returncode == 0, added.stderr
    assert "upscale x2, added tier, 4 parameters, MIT" in added.stdout
    assert "--model twice" in added.stdout
    assert "twice" in vidgen("models", "list").stdout
    film = clip(codec="ffv1", frames=2)
    done = vidgen("upscale", film, "out.mkv", "--model", "twice", "--scale", 4, "--codec", "ffv1")
    assert done.returncode == 0, done.stderr
    assert "twice 2 times" in done.stderr
    with Decoder(film) as small, Decoder(tmp_path / "out.mkv") as large:
        for ours, theirs in zip(small, large, strict=True):
            np.testing.assert_array_equal(np.kron(ours.y, np.ones((4, 4), np.uint8)), theirs.y)


def test_what_cannot_be_added_or_used(vidgen, error_of, clip, tmp_path):
    (tmp_path / "net.pth").write_bytes(b"\x80\x02whatever")
    assert "net.pth is a pickle" in error_of(vidgen("models", "add", "net.pth"), 1)
    text = error_of(vidgen("upscale", clip(), "out.mkv", "--model", "x2-realtme"), 1)
    assert "did you mean x2-realtime?" in text

"""A file's name is taken as a string and as a path, wherever Python asks for one."""

import os
from fractions import Fraction
from pathlib import Path

import pytest

import vidgen
from vidgen import zoo
from vidgen.adopt import add_model
from vidgen.bench.compare import compare
from vidgen.bench.evaluate import evaluate
from vidgen.bench.streams import compare_streams
from vidgen.engines.openvino import OpenVINO
from vidgen.errors import ModelError, UsageError
from vidgen.live import LiveSettings
from vidgen.media import Decoder, probe


class Named(os.PathLike):
    """A path of another library."""

    def __init__(self, name):
        self._name = name

    def __fspath__(self):
        return self._name


@pytest.fixture(params=[str, Path, Named])
def film(clip, request):
    return request.param(str(clip("film.mkv", frames=2)))


def test_films_to_read(film):
    path = Path(film)
    assert probe(film).path == path
    with Decoder(film) as decoder, vidgen.open(film) as reader:
        assert decoder.info.path == path
        assert len(list(decoder)) == len(list(reader)) == 2
    assert len(list(vidgen.stream(film, scale=1))) == 2
    assert vidgen.Settings(source=film, target=film).source == path


def test_films_to_compare(film):
    assert len(compare(film, film).scores) == 2
    assert [lane.fate for lane in compare_streams(film, film).lanes] == ["kept"]


def test_streams(film):
    live = LiveSettings(source=film, sink=film, slate=film, status_file=film, latency=0.25)
    assert live.source == live.sink == live.slate == str(Path(film))
    assert (live.status_file, live.latency) == (Path(film), Fraction(1, 4))


@pytest.mark.parametrize("kind", [str, Path, Named])
def test_folders(kind, tmp_path):
    shipped, empty = kind(str(zoo.models_folder())), kind(str(tmp_path))
    assert zoo.load("x2-realtime", shipped) == zoo.load("x2-realtime")
    assert "x2-realtime" in zoo.names(shipped)
    assert not zoo.names(empty)
    assert zoo.card_text("x2-realtime", shipped)
    with pytest.raises(UsageError, match="holds no film"):
        evaluate({}, 2, empty)
    with pytest.raises(ModelError, match="no such file"):
        add_model(kind("none.onnx"), OpenVINO(), folder=empty)

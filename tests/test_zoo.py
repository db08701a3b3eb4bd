"""Cards: read strictly, files checked against them, slips named."""

import shutil
import tomllib

import pytest

from vidgen import zoo
from vidgen.errors import ModelError


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped models that a test may damage."""
    for path in zoo.models_folder().iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", zoo.names())
def test_every_shipped_model_is_whole(name, root):
    model = zoo.load(name)
    assert model.name == name
    assert model.task in ("upscale", "generate")
    assert {path.name for path in model.folder.glob(f"{name}.*")} == {*model.sha256, f"{name}.toml"}
    for depth in (8, 10):
        assert model.onnx(depth).is_file()
    assert (root / model.training["recipe"]).is_file()
    assert model.license
    assert model.limits


def test_both_ends_of_the_trade_are_shipped():
    tiers = {zoo.load(name).tier for name in zoo.names()}
    assert tiers >= {"realtime", "balanced"}


def test_a_slip_in_a_name_is_met_with_the_nearest(folder):
    with pytest.raises(ModelError, match="did you mean x2-realtime"):
        zoo.load("x2-realtme", folder)
    with pytest.raises(ModelError, match=r"no model 'zzz'; there are .*x2-realtime"):
        zoo.load("zzz", folder)


def test_a_damaged_file_is_refused(folder):
    path = folder / "x2-realtime.8bit.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0\0")
    model = zoo.load("x2-realtime", folder)
    with pytest.raises(ModelError, match="does not match its card"):
        model.onnx(8)
    assert model.onnx(10).is_file()


def test_a_missing_file_is_named(folder):
    (folder / "x2-realtime.10bit.onnx").unlink()
    with pytest.raises(ModelError, match=r"10bit\.onnx is missing"):
        zoo.load("x2-realtime", folder).onnx(10)


def test_a_depth_that_the_card_does_not_list_is_named(folder):
    with pytest.raises(ModelError, match=r"no x2-realtime\.12bit\.onnx; its card lists"):
        zoo.load("x2-realtime", folder).onnx(12)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [("tier =", "teir =", "teir, tier"), ("scale = 2", "", "scale"), ("scale =", "scale", "valid")],
)
def test_a_slip_in_a_card_is_named(folder, before, after, words):
    path = folder / "x2-realtime.toml"
    path.write_text(path.read_text().replace(before, after, 1))
    with pytest.raises(ModelError, match=words):
        zoo.load("x2-realtime", folder)


def test_added_models_are_found_after_the_shipped_ones(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    added = zoo.user_folder()
    assert added == tmp_path / "vidgen" / "models"
    shipped = zoo.names()
    added.mkdir(parents=True)
    for name in ("mine", "x2-realtime"):
        shutil.copy(folder / "x2-realtime.toml", added / f"{name}.toml")
    assert zoo.names() == sorted([*shipped, "mine"])
    assert zoo.load("mine").folder == added
    assert zoo.load("x2-realtime").folder == zoo.models_folder()
    with pytest.raises(ModelError, match="did you mean mine"):
        zoo.load("mime")


def test_a_card_comes_back_as_it_was_written(tmp_path):
    card = tomllib.loads(zoo.card_text("x2-realtime"))
    card["training"]["from"] = {'odd key, "quoted"': ["ä", 1, 0.5, True]}
    zoo.write_card(tmp_path / "again.toml", card)
    assert tomllib.loads((tmp_path / "again.toml").read_text("utf-8")) == card

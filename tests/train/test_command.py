"""`vidgen train` and `vidgen models` as a user calls them."""

import importlib.util

import pytest

from vidgen.cli import main


def said(capsys):
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_without_torch_the_extra_is_named(recipe_path, capsys, monkeypatch):
    find = importlib.util.find_spec
    hidden = {"torch": None}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: hidden.get(name, name) and find(name)
    )
    assert main(["train", str(recipe_path)]) == 2
    assert "needs torch: pip install 'vidgen[train]'" in said(capsys)


@pytest.mark.parametrize(
    ("words", "expected"),
    [(["--minutes", "0"], "--minutes 0"), (["--threads", "0"], "--threads 0")],
)
def test_words_are_checked_first(recipe_path, capsys, words, expected):
    assert main(["train", str(recipe_path), *words]) == 2
    assert expected in said(capsys)


def test_a_missing_data_folder_is_named(recipe_path, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = recipe_path.read_text()
    slip = tmp_path / "slip.toml"
    slip.write_text(text.replace(str(recipe_path.parent), str(tmp_path / "nowhere")))
    assert main(["--quiet", "train", str(slip)]) == 1
    assert "nowhere: no clips or stills to train on" in said(capsys)


def test_models_are_listed_and_shown(capsys):
    assert main(["models", "list"]) == 0
    assert "x2-realtime" in capsys.readouterr().out
    assert main(["models", "show", "x2-realtime"]) == 0
    assert 'tier = "realtime"' in capsys.readouterr().out
    assert main(["models", "show", "x2-realtme"]) == 1
    assert "did you mean x2-realtime" in said(capsys)

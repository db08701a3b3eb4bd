"""What the documents tell to write in Python runs, on a small drawn film."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)


def test_there_are_examples():
    assert len(BLOCKS) >= 4


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_runs(code, clip, tmp_path, monkeypatch, capsys):
    clip("film.mkv", frames=4, size=(64, 36))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    if "print(" in code:
        assert capsys.readouterr().out

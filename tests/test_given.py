"""Settings take strings and numbers, for type checkers too, and keep paths and fractions."""

import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, replace
from fractions import Fraction
from pathlib import Path

import pytest

from vidgen.errors import UsageError
from vidgen.job import Settings
from vidgen.live import LiveSettings


def test_what_is_given_is_kept_in_one_form():
    made = Settings(source="in.mkv", target=Path("out.mkv"), start=1.5, end="1:02", segment=5)
    assert (made.source, made.target) == (Path("in.mkv"), Path("out.mkv"))
    assert (made.start, made.end, made.segment) == (Fraction(3, 2), 62, 5)
    assert Settings(source="a", target="b").segment == 20
    for other in (replace(made), pickle.loads(pickle.dumps(made))):
        assert other == made
        assert hash(other) == hash(made)
    assert asdict(made)["start"] == Fraction(3, 2)
    assert "start=Fraction(3, 2)" in repr(made)
    live = LiveSettings(source=Path("a"), sink="b", latency="0.3", status_file="c")
    assert (live.source, live.latency, live.status_file) == ("a", Fraction(3, 10), Path("c"))


def test_settings_stay_as_they_are_and_refuse_what_is_none():
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'target'"):
        Settings(source="in.mkv")
    made = Settings(source="in.mkv", target="out.mkv")
    with pytest.raises(FrozenInstanceError):
        made.start = 3
    for name in ("start", "end", "segment"):
        with pytest.raises(UsageError, match=f"--{name} soon: not a time"):
            replace(made, **{name: "soon"})


CALLS = """
from fractions import Fraction
from pathlib import Path
from vidgen.job import Settings
made = Settings(source="in.mkv", target=Path("out.mkv"), start=1.5, end="1:02", segment=5)
path: Path = made.source
end: Fraction | None = made.end
Settings(source="in.mkv", target=3)
Settings(source="in.mkv", target="out.mkv", segment=None)
"""


def test_type_checkers_know_both(root, tmp_path):
    pytest.importorskip("mypy")
    calls = tmp_path / "calls.py"
    calls.write_text(CALLS)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull, str(calls)]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=100, check=False
    )
    places = [line.split(": error: ")[0] for line in done.stdout.splitlines()[:-1]]
    assert places == [f"{calls}:8", f"{calls}:9"], done.stdout + done.stderr

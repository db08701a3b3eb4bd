"""Single pictures and numbered sequences, through the same stages as films."""

from vidgen.stills.run import run

__all__ = ["run"]

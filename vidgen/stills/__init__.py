"""Single pictures and numbered sequences, through the same stages as films."""

from vidgen.stills.run import run
from vidgen.stills.sequence import are_there

__all__ = ["are_there", "run"]

"""Segments as tasks of Ray, on as many machines as there are: the only part that knows Ray."""

from vidgen.cluster.near import run

__all__ = ["run"]

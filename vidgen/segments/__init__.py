"""A film in resumable pieces: planned, made one by one or side by side, kept, and joined."""

from vidgen.segments.film import run

__all__ = ["run"]

"""A film in resumable pieces: planned, made one by one or side by side, kept, and joined."""

from vidgen.segments.batch import films_to_make, middle
from vidgen.segments.film import run
from vidgen.segments.leftovers import Leftover, clean_leftover, leftovers

__all__ = ["Leftover", "clean_leftover", "films_to_make", "leftovers", "middle", "run"]

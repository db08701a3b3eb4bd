"""A film in resumable pieces: planned, made one by one or side by side, kept, and joined."""

from vidgen.segments.batch import films_to_make, middle
from vidgen.segments.film import run
from vidgen.segments.folder import Work
from vidgen.segments.identity import content_of, program
from vidgen.segments.leftovers import Leftover, clean_leftover, leftovers
from vidgen.segments.pieces import sha256_of
from vidgen.segments.tally import Tally

__all__ = [
    "Leftover",
    "Tally",
    "Work",
    "clean_leftover",
    "content_of",
    "films_to_make",
    "leftovers",
    "middle",
    "program",
    "run",
    "sha256_of",
]

"""A film in resumable pieces: planned, made one by one or side by side, kept, and joined."""

from vidgen.segments.batch import films_to_make, middle
from vidgen.segments.film import run
from vidgen.segments.folder import Work, work_folder
from vidgen.segments.identity import Identity, content_of, identify, program
from vidgen.segments.journal import Journal
from vidgen.segments.leftovers import Leftover, clean_leftover, leftovers
from vidgen.segments.pieces import sha256_of
from vidgen.segments.records import sync_folder
from vidgen.segments.tally import Tally

__all__ = [
    "Identity",
    "Journal",
    "Leftover",
    "Tally",
    "Work",
    "clean_leftover",
    "content_of",
    "films_to_make",
    "identify",
    "leftovers",
    "middle",
    "program",
    "run",
    "sha256_of",
    "sync_folder",
    "work_folder",
]

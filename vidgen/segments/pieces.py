"""Finished segments as files: encoded pictures, and beside them the record that they are whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from vidgen.errors import OutputError
from vidgen.job import Job, Made, Segment
from vidgen.media import Piece
from vidgen.pipeline import make_segment
from vidgen.segments.records import BAD_RECORD, made_from, plain, sync_folder, write_durably

__all__ = ["Pieces", "sha256_of"]


class Pieces:
    """The pieces in a folder; any number of processes may work in it, on a segment each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def count(self) -> int:
        """How many segments are finished."""
        return sum(path.stem.isdigit() for path in self.folder.glob("*.json"))

    def found(self, segment: Segment) -> Made | None:
        """What was made of `segment`; None unless all of it is there as it was written."""
        try:
            entry = json.loads(self._record(segment).read_text("utf-8"))
            if entry["segment"] != _named(segment):
                return None
            if entry["coded"] and entry["sha256"] != sha256_of(self.path(segment)):
                return None
            return made_from(entry)
        except BAD_RECORD:
            return None

    def make(self, job: Job, segment: Segment, progress: Callable[[int, Fraction], None]) -> Made:
        """Make `segment` and keep it; see `make_segment`. Whatever happens, no half piece stays."""
        temporary = self.folder / f"{segment.index:05}.{os.getpid()}.tmp"
        try:
            made = make_segment(job, segment, temporary, progress)
            self.keep(segment, temporary, made)
            return made
        finally:
            temporary.unlink(missing_ok=True)

    def keep(self, segment: Segment, temporary: Path, made: Made) -> None:
        """Take `temporary` for the piece of `segment`. Returns when a power cut cannot undo it."""
        entry = {"segment": _named(segment), **plain(made)}
        if made.coded:
            try:
                entry["sha256"] = sha256_of(temporary)
                with temporary.open("rb+") as file:
                    os.fsync(file.fileno())
                temporary.replace(self.path(segment))
                sync_folder(self.folder)  # the piece before the record that it is whole
            except OSError as error:
                raise OutputError(f"{temporary}: cannot be kept ({error.strerror})") from error
        write_durably(self._record(segment), entry)

    def path(self, segment: Segment) -> Path:
        """The file of that segment."""
        return self.folder / f"{segment.index:05}.piece"

    def piece(self, job: Job, segment: Segment, made: Made) -> Piece:
        """What a Joiner takes."""
        return Piece(self.path(segment), job.offset, made.time_base, made.coded, made.end)

    def _record(self, segment: Segment) -> Path:
        return self.folder / f"{segment.index:05}.json"


def _named(segment: Segment) -> str:
    return f"{segment.begin} to {segment.end}{' from a cut' if segment.fresh else ''}"


def sha256_of(path: Path) -> str:
    """Of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

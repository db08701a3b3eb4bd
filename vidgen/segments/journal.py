"""Which pictures of a numbered sequence are finished: a line for each in the work folder.

They lie in the output's folder under their own names, and only what is written here tells them from
pictures that somebody else has put there. So a picture is entered before it gets its name.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from vidgen.errors import OutputError
from vidgen.segments.pieces import sha256_of
from vidgen.segments.records import BAD_RECORD, sync_folder

__all__ = ["Journal"]


class _Entry(NamedTuple):
    origin: str
    """What it was drawn from."""
    size: int
    changed: int
    """When the file was written, in ns."""
    sha256: str


class Journal:
    """The entries of a work folder; it grows by about 300 bytes a picture, in memory too."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "pictures.jsonl"
        self._entries: dict[str, _Entry] = {}
        with suppress(OSError), self._path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                with suppress(*BAD_RECORD):  # one may be cut off: that picture is made again
                    name, origin, size, changed, sha256 = json.loads(line)
                    self._entries[name] = _Entry(origin, size, changed, sha256)

    def __len__(self) -> int:
        """How many pictures are entered."""
        return len(self._entries)

    def knows(self, picture: Path) -> bool:
        """Whether the file is there, and as it was entered."""
        entry = self._entries.get(picture.name)
        if entry is None or not picture.is_file():
            return False
        facts = picture.stat()
        if facts.st_size != entry.size:
            return False
        # some disks round times when they are taken out and put in again
        return facts.st_mtime_ns == entry.changed or sha256_of(picture) == entry.sha256

    def holds(self, picture: Path, origin: str) -> bool:
        """Whether it is there as it was entered, and drawn from `origin`."""
        entry = self._entries.get(picture.name)
        return entry is not None and entry.origin == origin and self.knows(picture)

    def enter(self, picture: Path, origin: str, partial: Path, data: bytes) -> None:
        """Write down that `partial`, which holds `data`, is to become `picture`. It is on the disk
        when this returns. Raises OutputError.
        """
        changed, sha256 = partial.stat().st_mtime_ns, hashlib.sha256(data).hexdigest()
        entry = self._entries[picture.name] = _Entry(origin, len(data), changed, sha256)
        new = not self._path.exists()
        try:
            with self._path.open("a", encoding="utf-8") as file:
                # in front, so that a line that was cut off spoils no other
                file.write(f"\n{json.dumps([picture.name, *entry])}")
                file.flush()
                os.fsync(file.fileno())
            if new:
                sync_folder(self._path.parent)
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written ({error.strerror})") from error

"""The far side: what runs on the machines of the cluster, and how it reaches the film."""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from vidgen.errors import BackendError, VidgenError
from vidgen.job import Job, Made, Segment
from vidgen.media import read_through
from vidgen.memory import keep_freed_memory
from vidgen.pipeline import make_segment
from vidgen.segments import content_of, program, sha256_of

__all__ = ["LISTEN_SECONDS", "Desk", "import_ray", "make"]

LISTEN_SECONDS = 0.5
"""Between two times that a task says how far it is."""
_CHUNK = 4 << 20  # bytes of a piece that are on their way at a time
_BLOCK = 1 << 20  # bytes of the film that are asked for at a time


def import_ray() -> Any:
    """The library; untyped, for it is an extra. Raises BackendError where it is missing."""
    try:
        return import_module("ray")
    except ImportError:
        raise BackendError("--cluster needs Ray: pip install 'vidgen[cluster]'") from None


class Desk:
    """An actor on the machine that began the run."""

    def __init__(self, source: Path) -> None:
        self._file = source.open("rb")
        self._told: dict[int, tuple[int, Fraction]] = {}

    def size(self) -> int:
        """Bytes of the film."""
        return self._file.seek(0, os.SEEK_END)

    def read(self, offset: int, count: int) -> bytes:
        """At most `count` bytes of the film from `offset` on."""
        self._file.seek(offset)
        return self._file.read(count)

    def tell(self, index: int, frames: int, end: Fraction) -> None:
        """How far a segment is."""
        self._told[index] = frames, end

    def told(self) -> dict[int, tuple[int, Fraction]]:
        """How far all segments are, as last told."""
        told, self._told = self._told, {}
        return told


def make(
    job: Job, segment: Segment, content: str, versions: dict[str, str], desk: Any
) -> Iterator[bytes | tuple[Made, str]]:
    """The task: make a segment; yield its piece in chunks, then what it is and its SHA-256."""
    if (mine := program()) != versions:
        raise VidgenError(f"a machine of the cluster has {mine}, this one has {versions}")
    keep_freed_memory()
    source = job.settings.source
    if not _is_here(source, content):
        read_through(source, lambda: _through(desk))
    due = 0.0

    def tell(frames: int, end: Fraction) -> None:
        nonlocal due
        if (now := time.monotonic()) >= due:
            desk.tell.remote(segment.index, frames, end)
            due = now + LISTEN_SECONDS

    with tempfile.TemporaryDirectory(prefix="vidgen-") as folder:
        path = Path(folder) / "piece"
        made = make_segment(job, segment, path, tell)
        if made.coded:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        yield made, sha256_of(path) if made.coded else ""


def _is_here(source: Path, content: str) -> bool:
    try:
        return content_of(source) == content
    except OSError:
        return False


def _through(desk: Any) -> BinaryIO:
    return io.BufferedReader(_Elsewhere(desk), _BLOCK)


class _Elsewhere(io.RawIOBase):
    """The film at the desk, as a file."""

    def __init__(self, desk: Any) -> None:
        self._ray, self._desk, self._at = import_ray(), desk, 0
        self._size: int = self._ray.get(desk.size.remote())

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of any file."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with what follows; 0 at the end."""
        data: bytes = self._ray.get(self._desk.read.remote(self._at, len(buffer)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

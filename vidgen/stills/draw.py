"""Pictures through the stages, each with what it was drawn from.

A network sees what it drew for the picture before. So that a run which goes on draws the same as
one that was never stopped, its memory begins anew at fixed pictures, with a run-in from before
them, as in the segments of a film.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidgen.errors import InputError
from vidgen.frame import Frame
from vidgen.stage import Stage, chain, prefetch
from vidgen.stills.names import Names
from vidgen.stills.picture import Parts, luma_frame, read_picture

__all__ = ["Drawing", "Drawn", "pieces"]

_PER_SECOND = 24  # pictures of a film
_RUN_IN = 16  # pictures: two thirds of a second, as in films


def pieces(count: int, seconds: Fraction) -> Iterator[range]:
    """`count` pictures in runs of `seconds`, at 24 pictures a second; the last one is shorter."""
    length = max(1, round(seconds * _PER_SECOND))
    for begin in range(0, count, length):
        yield range(begin, min(begin + length, count))


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn of a picture."""

    index: int
    origin: str
    """What it was drawn from: a hash of the names, sizes and times of all pictures it has seen."""
    y: NDArray[np.uint16]
    """(H, W) 10 bits, enlarged."""
    parts: Parts
    """The rest of it, as it was."""


@dataclass(frozen=True)
class Drawing:
    """Draws pictures of `names`, which must have this size (height, width)."""

    names: Names
    size: tuple[int, int]
    stages: tuple[Stage, ...]

    def origins(self, piece: range) -> Iterator[str]:
        """What each picture of the piece would be drawn from now."""
        origin = ""
        for index in self._span(piece):
            origin = _and_from(origin, self.names[index][0])
            if index in piece:
                yield origin

    def __call__(self, piece: range) -> Iterator[Drawn]:
        """The piece's pictures, in order. Raises InputError where one cannot be read."""
        kept: deque[tuple[int, str, Parts]] = deque()
        with closing(prefetch(self._read(self._span(piece), kept), depth=1, name="read")) as read:
            for frame in chain(read, *self.stages):
                index, origin, parts = kept.popleft()
                if index in piece:
                    yield Drawn(index, origin, frame.y, parts)

    def _span(self, piece: range) -> range:
        return range(max(0, piece.start - _RUN_IN), piece.stop)

    def _read(self, span: range, kept: deque[tuple[int, str, Parts]]) -> Iterator[Frame]:
        """Luma as frames; the rest of each picture is put into `kept`."""
        origin = ""
        for number, index in enumerate(span):
            path, _ = self.names[index]
            origin = _and_from(origin, path)
            parts = read_picture(path)
            if parts.size != self.size:
                sizes = " and ".join(f"{wide}x{high}" for high, wide in (self.size, parts.size))
                raise InputError(
                    f"{path}: the pictures of a sequence must be of one size, not {sizes}"
                )
            kept.append((index, origin, parts))
            yield luma_frame(parts, number)


def _and_from(origin: str, path: Path) -> str:
    """`origin`, and that picture as it is now; one that is not there will be missed when read."""
    text = f"{origin} {path.name}"
    with suppress(OSError):
        facts = path.stat()
        text += f" {facts.st_size} {facts.st_mtime_ns}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]

"""Depth: from 8 to 10 bits exactly, and back with a dither that leaves no steps to be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Frame, Planes, VideoFormat

__all__ = ["Depth", "deepened", "dithered"]

_FULL = 2  # AVColorRange
_THRESHOLDS = np.array([[0, 2], [3, 1]], np.uint16)
"""What is added before the two low bits are cut off. Over a square of four pixels of one value v,
floor((v + t) / 4) over t = 0..3 sums to v: the mean is exact, and a multiple of 4 stays flat."""


@dataclass(frozen=True)
class Depth:
    """Give every frame `bits` (8 or 10) a sample; `range` is its AVColorRange."""

    bits: int
    range: int = 0

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` in that depth."""
        return replace(source, bit_depth=self.bits)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame in that depth; a held picture stays one and the same."""
        before: Planes | None = None
        after: Planes | None = None
        convert = deepened if self.bits == 10 else dithered
        for frame in frames:
            if before is None or after is None or frame.y is not before[0]:
                before = frame.planes
                full = self.range == _FULL
                after = convert(before[0], full=full), convert(before[1], full=full)
            yield frame.with_planes(after)


def deepened(plane: NDArray[Any], *, full: bool) -> NDArray[np.uint16]:
    """A plane of 8 bits in 10: times 4; in full range so that 255 becomes 1023."""
    if full:
        return ((plane.astype(np.uint32) * 1023 + 127) // 255).astype(np.uint16)
    return np.asarray(np.left_shift(plane, 2, dtype=np.uint16))


def dithered(plane: NDArray[Any], *, full: bool) -> NDArray[np.uint8]:
    """A plane (H, W) or (H, W, 2) of 10 bits in 8, dithered by an ordered pattern of 2x2 pixels."""
    height, width = plane.shape[:2]
    wide: NDArray[np.uint16] = plane
    if full:  # 1023 becomes 1020, which is 255 in quarters
        wide = ((plane.astype(np.uint32) * 1020 + 511) // 1023).astype(np.uint16)
    pattern = np.tile(_THRESHOLDS, (height // 2 + 1, width // 2 + 1))[:height, :width]
    if plane.ndim == 3:
        pattern = pattern[..., None]
    return np.asarray(np.minimum((wide + pattern) >> 2, 255), np.uint8)

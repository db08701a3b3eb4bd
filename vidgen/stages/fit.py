"""Fit: exact resampling of the planes to the size that was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vidgen.frame import Frame, Planes, VideoFormat

__all__ = ["Fit", "resample"]


@dataclass(frozen=True)
class Fit:
    """Resample every frame to the size of `target`, whose pixel shape the output has too."""

    target: VideoFormat

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` at the target's size and sample aspect ratio."""
        return replace(
            source,
            width=self.target.width,
            height=self.target.height,
            sample_aspect_ratio=self.target.sample_aspect_ratio,
        )

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame at the new size; a held picture is resampled once."""
        before: Planes | None = None
        after: Planes | None = None
        for frame in frames:
            if before is None or after is None or frame.y is not before[0]:
                before = frame.planes
                after = resample(
                    before, self.target.width, self.target.height, self.target.bit_depth
                )
            yield frame.with_planes(after)


def resample(planes: Planes, width: int, height: int, bit_depth: int) -> Planes:
    """Both planes at `width` x `height` luma pixels, centre-aligned, in their own dtype.

    Lanczos with four lobes where the picture grows; pixel-area averaging where it shrinks, since a
    fixed-size kernel would alias. Values stay in [0, 2**bit_depth).
    """
    y, uv = planes
    if y.shape == (height, width):
        return planes
    shrinks = width * height < y.shape[1] * y.shape[0]
    kernel = cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4
    y = cv2.resize(y, (width, height), interpolation=kernel)
    uv = cv2.resize(uv, (width // 2, height // 2), interpolation=kernel)
    if bit_depth == 8:  # OpenCV saturates uint8 itself
        return y, uv
    top = np.uint16((1 << bit_depth) - 1)
    return np.minimum(y, top), np.minimum(uv, top)

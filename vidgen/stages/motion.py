"""EstimateMotion: where shots begin, which frames repeat, and how the picture moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Frame, VideoFormat
from vidgen.motion import ChangeDetector, FlowEstimator, half_luma
from vidgen.surface import GpuPictures

__all__ = ["EstimateMotion"]


@dataclass(frozen=True)
class EstimateMotion:
    """Attach `cut`, `duplicate` and `motion` to every frame.

    Cuts and duplicates are decided at once. Flow costs far more and is estimated when somebody
    calls `frame.motion()`; it is kept with the frame, so all who call share it. With `at_once` that
    is done here, but for repetitions, of which nothing is made.
    """

    fine: bool = False
    """Finer flow, for several times the work; see `vidgen.motion.FlowEstimator`."""
    at_once: bool = False
    """Find flow, both ways, as frames pass: for a thread that works ahead of those who need it."""
    pictures: GpuPictures | None = None
    """Of pictures that lie on a GPU it brings down `half_luma`, by which everything is decided."""

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source`: pictures and times stay as they are."""
        return source

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame at once; the first one starts a shot."""
        changes, estimate = ChangeDetector(), FlowEstimator(self.fine)
        previous: NDArray[np.uint8] | None = None
        for frame in frames:
            luma = self._half(frame.y)
            change = changes(luma)
            motion = None
            if previous is not None and not change.cut:
                motion = cache(partial(estimate, previous, luma))
                if self.at_once and not change.duplicate:
                    _ = motion().reverse
            yield replace(frame, cut=change.cut, duplicate=change.duplicate, motion=motion)
            previous = luma

    def _half(self, y: NDArray[Any]) -> NDArray[Any]:
        if self.pictures is None or isinstance(y, np.ndarray):
            return half_luma(y)
        return self.pictures.half_luma(y)

"""Dense optical flow between neighbouring frames, both ways, and how far to trust it.

DIS flow (T. Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016) as OpenCV
has it, on luma at half resolution and 8 bits, whatever the depth of the frames.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Motion
from vidgen.motion.warp import pixel_grid, sample

__all__ = ["FlowEstimator", "agreement", "half_luma", "halved", "joined"]

Field = NDArray[Any]
"""(h, w, 2) float32, (x, y) order."""
Scalars = NDArray[Any]
"""(h, w) float32."""

_NEW: Any = None  # "make the result", which OpenCV's type stubs do not know
_SMALLEST = 32  # pixels a side; DIS is not made for less
_TOLERANCE_PIXELS = 1.0  # disagreement of both flows, in full-resolution pixels, that halves trust
_TOLERANCE_RATIO = 0.05  # plus this share of the motion itself

# Patches of 8x8 every 4 pixels down to quarter resolution, no variational refinement. Frames made
# in 22 training films so lose 0.02 dB against two refinements, and 0.1 dB against patches down to
# half resolution, which take three times as long.
_PRESET = cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST
_FINEST_SCALE = 1


def halved(array: NDArray[Any]) -> NDArray[Any]:
    """`array` (h, w) or (h, w, c) at half its size: means of 2x2."""
    height, width = array.shape[:2]
    size = (max(width // 2, 1), max(height // 2, 1))
    return cv2.resize(array, size, interpolation=cv2.INTER_AREA)


def half_luma(y: NDArray[Any]) -> NDArray[Any]:
    """Luma (H, W), uint8 or 10-bit uint16, as (H/2, W/2) uint8."""
    half = halved(y)
    if half.dtype != np.uint8:
        half = cv2.convertScaleAbs(half, alpha=0.25)
    return half


class FlowEstimator:
    """Flow between two pictures; keeps DIS's buffers, so use one from one thread only."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(_PRESET)
        self._dis.setFinestScale(_FINEST_SCALE)

    def __call__(self, previous: NDArray[np.uint8], current: NDArray[np.uint8]) -> Motion:
        """Motion from `current` to `previous`, both half-resolution luma as of `half_luma`."""
        flow = self.flow(current, previous)
        reverse = self.flow(previous, current)
        return Motion(flow, _confidence(flow, reverse), reverse, _confidence(reverse, flow))

    def flow(self, source: NDArray[np.uint8], target: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(h, w, 2) in full-resolution pixels: source(x) shows what target(x + flow / 2) shows."""
        height, width = source.shape
        down, right = max(_SMALLEST - height, 0), max(_SMALLEST - width, 0)
        if down or right:
            source = np.pad(source, ((0, down), (0, right)), "edge")
            target = np.pad(target, ((0, down), (0, right)), "edge")
        flow = self._dis.calc(source, target, _NEW)
        return np.multiply(flow[:height, :width], np.float32(2), dtype=np.float32)


def joined(last: Motion, first: Motion) -> Motion:
    """Motion over two steps: `last` leads from a frame to a middle one, `first` on from there."""
    flow, confidence = _on(last.flow, last.confidence, first.flow, first.confidence)
    reverse, reverse_confidence = _on(
        first.reverse, first.reverse_confidence, last.reverse, last.reverse_confidence
    )
    return Motion(flow, confidence, reverse, reverse_confidence)


def _on(
    flow: Field, confidence: Scalars, further: Field, its_confidence: Scalars
) -> tuple[Field, Scalars]:
    """`flow`, and from its end on `further`; confidence in both."""
    there: Field = cv2.scaleAdd(flow, 0.5, pixel_grid(*flow.shape[:2]))
    return flow + sample(further, there), confidence * sample(its_confidence, there)


def agreement(stray: Field, steps: Field) -> Scalars:
    """(h, w) in [0, 1]: 1 where `stray` is nothing, 1/2 at the tolerance for motion by `steps`.

    Both are (h, w, 2) in full-resolution pixels.
    """
    allowed = _TOLERANCE_PIXELS + _TOLERANCE_RATIO * _length(steps)
    return np.asarray(1 / (1 + (_length(stray) / allowed) ** 2), np.float32)


def _confidence(flow: Field, reverse: Field) -> Scalars:
    """(h, w) in [0, 1]: how well following `flow` and then `reverse` leads back to the start.

    Found at quarter resolution, no coarser than the flow itself.
    """
    forth, back = halved(flow), halved(reverse)
    there: NDArray[Any] = cv2.scaleAdd(forth, 0.25, pixel_grid(*forth.shape[:2]))
    confidence = agreement(forth + sample(back, there), forth)
    size = (flow.shape[1], flow.shape[0])
    return np.asarray(cv2.resize(confidence, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _length(field: Field) -> Scalars:
    return np.asarray(np.hypot(field[..., 0], field[..., 1]), np.float32)

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

__all__ = ["FlowEstimator", "half_luma"]

_SMALLEST = 32  # pixels a side; DIS is not made for less
_TOLERANCE_PIXELS = 1.0  # disagreement of both flows, in full-resolution pixels, that halves trust
_TOLERANCE_RATIO = 0.05  # plus this share of the motion itself


def half_luma(y: NDArray[Any]) -> NDArray[np.uint8]:
    """Luma (H, W), uint8 or 10-bit uint16, as (H/2, W/2) uint8: means of 2x2 pixels."""
    half = cv2.resize(y, (y.shape[1] // 2, y.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return half if half.dtype == np.uint8 else cv2.convertScaleAbs(half, alpha=0.25)


class FlowEstimator:
    """Flow between two pictures; keeps DIS's buffers, so use one from one thread only."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def __call__(self, previous: NDArray[np.uint8], current: NDArray[np.uint8]) -> Motion:
        """Motion from `current` to `previous`, both half-resolution luma as of `half_luma`."""
        flow = self._flow(current, previous)
        reverse = self._flow(previous, current)
        return Motion(flow, _confidence(flow, reverse), reverse, _confidence(reverse, flow))

    def _flow(self, source: NDArray[np.uint8], target: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(h, w, 2) in full-resolution pixels: source(x) shows what target(x + flow / 2) shows."""
        height, width = source.shape
        down, right = max(_SMALLEST - height, 0), max(_SMALLEST - width, 0)
        if down or right:
            source = np.pad(source, ((0, down), (0, right)), "edge")
            target = np.pad(target, ((0, down), (0, right)), "edge")
        flow = self._dis.calc(source, target, None)
        return np.multiply(flow[:height, :width], np.float32(2), dtype=np.float32)


def _confidence(flow: NDArray[np.float32], reverse: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w) in [0, 1]: how well following `flow` and then `reverse` leads back to the start."""
    there = cv2.scaleAdd(flow, 0.5, pixel_grid(*flow.shape[:2]))
    error = flow + sample(reverse, there)
    distance = cv2.magnitude(*cv2.split(error))
    allowed = cv2.scaleAdd(cv2.magnitude(*cv2.split(flow)), _TOLERANCE_RATIO, _ones(flow.shape[:2]))
    ratio = cv2.divide(distance, allowed)
    return np.asarray(1 / (1 + ratio * ratio), np.float32)


def _ones(shape: tuple[int, int]) -> NDArray[np.float32]:
    return np.full(shape, _TOLERANCE_PIXELS, np.float32)

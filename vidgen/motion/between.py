"""The picture between two real ones, by motion-compensated warping from both sides."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Motion, Planes
from vidgen.motion.flow import half_luma
from vidgen.motion.warp import pixel_grid, sample

__all__ = ["picture_between"]


def picture_between(before: Planes, after: Planes, motion: Motion, phase: float) -> Planes:
    """The planes at `phase` in (0, 1) from `before` (0) to `after` (1).

    `motion` is that of `after` to `before`.
    """
    velocity = _project(motion.reverse, phase)
    start, end = half_luma(before[0]), half_luma(after[0])
    first = sample(start, _positions(velocity, -phase / 2))
    last = sample(end, _positions(velocity, (1 - phase) / 2))
    difference = cv2.blur(cv2.absdiff(first, last), (5, 5)).astype(np.float32)
    agreement = np.exp(-((difference / 12) ** 2))
    nearest = 1.0 if phase <= 0.5 else 0.0
    weight = agreement * (1 - phase) + (1 - agreement) * nearest
    height, width = before[0].shape
    full = cv2.resize(velocity, (width, height), interpolation=cv2.INTER_LINEAR)
    weight_full = cv2.resize(weight, (width, height), interpolation=cv2.INTER_LINEAR)
    y = _blend(
        sample(before[0], _positions(full, -phase)),
        sample(after[0], _positions(full, 1 - phase)),
        weight_full,
    )
    uv = _blend(
        sample(before[1], _positions(velocity, -phase / 2)),
        sample(after[1], _positions(velocity, (1 - phase) / 2)),
        weight,
    )
    return y, uv


def _project(flow: NDArray[np.float32], phase: float) -> NDArray[np.float32]:
    """The motion over the whole interval of what is at each pixel at `phase`."""
    velocity = flow
    for _ in range(3):
        velocity = sample(flow, _positions(velocity, -phase / 2))
    return velocity


def _positions(velocity: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Absolute positions (h, w, 2): each pixel's own plus `factor` times `velocity`."""
    return cv2.scaleAdd(velocity, factor, pixel_grid(*velocity.shape[:2]))


def _blend(first: NDArray[Any], last: NDArray[Any], weight: NDArray[np.float32]) -> NDArray[Any]:
    """`weight` times `first` plus the rest of `last`, in their dtype; equal values stay exact."""
    if first.dtype == np.uint8:
        return cv2.blendLinear(first, last, weight, 1 - weight)
    weight = weight if first.ndim == 2 else weight[..., None]
    mixed = last + weight * (first.astype(np.float32) - last)
    return np.asarray(mixed + np.float32(0.5), first.dtype)

"""Titles, logos and whatever else stands still in a picture that moves.

What is the same in both pictures, sharply drawn, in the midst of motion, is in front of it. Flow is
too coarse to tell: it takes small letters along with what moves behind them. Where most of the
surroundings stand still, a place that looks the same tells nothing: something may pass over it.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["standing"]

Field = NDArray[Any]
"""(h, w, 2) float32, (x, y) order."""

_SAME = 3  # 8-bit steps: coding noise
_DRAWN = 48  # 8-bit steps between the brightest and the darkest of what stands, nearby
_MOVING_PIXELS = 1.0  # of luma, over the interval
_AROUND, _MOST = 17, 0.5  # quarter-resolution pixels a side, and the share that must move there
_NEAR = np.ones((5, 5), np.uint8)


def standing(first: NDArray[Any], last: NDArray[Any], velocity: Field) -> NDArray[Any] | None:
    """(H, W), dtype of luma: all bits set at what stands still before all that moves; or None.

    `first` and `last` are luma (H, W); `velocity` is at a quarter of that, in its pixels.
    """
    speed = cv2.magnitude(*cv2.split(velocity))
    moving = (speed > _MOVING_PIXELS / 4).astype(np.uint8) * np.uint8(255)
    around = cv2.boxFilter(moving, -1, (_AROUND, _AROUND))
    if not around.max() > 255 * _MOST:
        return None
    unit = 1 if first.dtype == np.uint8 else 4
    same = _all_bits(cv2.absdiff(first, last) <= _SAME * unit, first.dtype)
    high = cv2.dilate(first & same, _NEAR)
    low = cv2.erode(first | ~same, _NEAR)
    same &= _all_bits(cv2.subtract(high, low) >= _DRAWN * unit, first.dtype)
    amid = cv2.resize(around, first.shape[::-1], interpolation=cv2.INTER_NEAREST)
    same &= _all_bits(amid > 255 * _MOST, first.dtype)
    return same if same.any() else None


def _all_bits(chosen: NDArray[np.bool_], dtype: np.dtype[Any]) -> NDArray[Any]:
    """All bits set where chosen, none elsewhere."""
    return np.asarray(np.negative(chosen.astype(dtype)))

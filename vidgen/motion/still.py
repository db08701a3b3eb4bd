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
    same = _below(cv2.absdiff(first, last), _SAME * unit + 1)
    high = cv2.dilate(first & same, _NEAR)
    low = cv2.erode(first | ~same, _NEAR)
    same &= ~_below(cv2.subtract(high, low), _DRAWN * unit)
    amid: NDArray[Any] = np.negative((around > 255 * _MOST).astype(first.dtype))
    same &= cv2.resize(amid, first.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return same if cv2.countNonZero(same) else None


def _below(plane: NDArray[Any], level: int) -> NDArray[Any]:
    """All bits set where `plane` is below `level`, none elsewhere; its dtype."""
    most = np.iinfo(plane.dtype).max
    return cv2.threshold(plane, level - 1, most, cv2.THRESH_BINARY_INV)[1]

"""Lines of bright letters that come or go between two pictures: subtitles as they change.

They belong to one of the pictures only, so every motion that is found for them is wrong, and what
is made of them is torn. A line is known by its strokes, thin, bright, all alike, and unlike the
other picture where they are and, enough of them, where motion leads; and by its shape: strokes
beside each other, far wider together than high, in the middle of the picture.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.motion.flow import half_luma

__all__ = ["lines_that_change"]

_LINE = 24  # lines of letters, with the room between them, in a picture, at least
_BRIGHT, _STROKE, _NEW = 180, 60, 60  # 8-bit steps: luma, above what is around, above the other
_WIDE = 3.0  # times as wide as high
_FILLED = 0.08, 0.6  # share of the line's box that is strokes
_MIDDLE = 0.08  # of the picture's width, within which the middle of the line lies about its own
_UNFOUND = 0.4  # share of the strokes that motion does not find in the other picture
_EVEN = 16  # 8-bit steps between the brighter half of the strokes and the brightest


def lines_that_change(
    first: NDArray[Any], last: NDArray[Any], apart: tuple[NDArray[Any], NDArray[Any]]
) -> NDArray[Any] | None:
    """(H, W), dtype of luma: all bits set at and around lines of one picture alone; or None.

    `first` and `last` are luma (H, W); `apart` is how far each differs from where its flow leads
    in the other, uint8 at a quarter of the resolution.
    """
    line = max(len(first) // (2 * _LINE), 5) | 1
    lost = [_above(each, _NEW) for each in apart]
    if max(cv2.countNonZero(each) for each in lost) < max(line * line // 8, 3):
        return None
    halves = half_luma(first), half_luma(last)
    out = np.zeros_like(halves[0])
    for one, other, new in zip(halves, halves[::-1], lost, strict=True):
        fresh = _above(cv2.subtract(one, other), _NEW)
        fresh &= _above(one, _BRIGHT)
        if min(cv2.countNonZero(fresh) // 8, cv2.countNonZero(new)) < line * line // 8:
            continue
        thin = cv2.morphologyEx(one, cv2.MORPH_TOPHAT, np.ones((line // 2 | 1,) * 2, np.uint8))
        fresh &= _above(thin, _STROKE)
        if cv2.countNonZero(fresh) < line:
            continue
        near = cv2.dilate(new, np.ones((3, 3), np.uint8))
        near = cv2.resize(near, one.shape[::-1], interpolation=cv2.INTER_NEAREST)
        _add_lines(out, one, fresh, near, line)
    if not out.any():
        return None
    around = cv2.dilate(out, np.ones((line, 2 * line + 1), np.uint8))
    whole = cv2.resize(around, first.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(np.negative((whole > 0).astype(first.dtype)))


def _add_lines(
    out: NDArray[Any], luma: NDArray[Any], strokes: NDArray[Any], lost: NDArray[Any], line: int
) -> None:
    """Fill the boxes of those groups of `strokes` that look like a line of letters."""
    near = np.ones((3, 2 * line + 1), np.uint8)
    joined = cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, near)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(joined)
    for number, (x, y, wide, high, _) in enumerate(boxes[1:], 1):
        if wide < _WIDE * high or not line // 4 < high <= 2 * line:
            continue
        if abs(x + wide / 2 - out.shape[1] / 2) > _MIDDLE * out.shape[1]:
            continue
        box = slice(y, y + high), slice(x, x + wide)
        drawn = (strokes[box] > 0) & (labels[box] == number)
        if not _FILLED[0] < drawn.mean() < _FILLED[1]:
            continue
        half, most = np.percentile(luma[box][drawn], (50, 95))
        if most - half <= _EVEN and (lost[box][drawn] > 0).mean() > _UNFOUND:
            out[box] = 255


def _above(plane: NDArray[Any], level: int) -> NDArray[Any]:
    """255 where `plane` is above `level`, else 0."""
    return cv2.threshold(plane, level, 255, cv2.THRESH_BINARY)[1]

"""Fields: every second row of a picture, at its own instant, and what the other rows may be.

Row r of a field with parity p (0 top, 1 bottom) is row 2r + p of the picture; missing row r is row
2r + 1 - p. Rows are (H/2, W) for luma, (H/4, W) for chroma with U and V side by side.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from vidgen.frame import Planes

__all__ = [
    "Rows",
    "beside",
    "candidates",
    "plain_rows",
    "rows_of",
    "spatial",
    "woven",
    "woven_planes",
]

Rows = NDArray[Any]
"""(h, w) float32, or the dtype of the planes: every second row of a plane."""

# Four-tap interpolation, and the split of it into what a field itself gives (low) and what only the
# neighbours in time can add (high): the kernels of J. Weston's filter (BBC), as used in bwdif.
_SPATIAL = (5077 / 8192, -981 / 8192)
_LOW = (4309 / 8192, -213 / 8192)
_HIGH = (2785 / 8192, -1900.5 / 8192, 508 / 8192)


def plain_rows(plane: NDArray[Any]) -> NDArray[Any]:
    """`plane` (h, w) or (h, w, 2) as (h, w) or (h, 2 w): rows alone matter here. No copy."""
    return plane.reshape(plane.shape[0], -1)


def rows_of(planes: Planes, parity: int) -> Planes:
    """The rows of one field of a picture, luma and chroma, of either parity. No copy."""
    return planes[0][parity::2], planes[1][parity::2]


def woven(known: Rows, missing: Rows, parity: int, dtype: DTypeLike) -> NDArray[Any]:
    """A plane of the rows of that parity and the others, (h, w) each, any dtype.

    Real numbers are rounded and kept in the range of 8 or 10 bits when `dtype` is whole.
    """
    plane = np.empty((known.shape[0] + missing.shape[0], *known.shape[1:]), dtype)
    for rows, place in ((known, parity), (missing, 1 - parity)):
        if rows.dtype != plane.dtype:
            top = 255 if plane.dtype == np.uint8 else 1023
            rows = np.clip(np.rint(rows), 0, top)
        plane[place::2] = rows
    return plane


def woven_planes(top: Planes, bottom: Planes) -> Planes:
    """The picture of two fields of one instant, given as `rows_of` gives them."""
    y, uv = (woven(first, last, 0, first.dtype) for first, last in zip(top, bottom, strict=True))
    return y, uv


def beside(rows: Rows, parity: int) -> Rows:
    """The mean of the field's rows above and below each missing row."""
    return cv2.addWeighted(_moved(rows, -parity), 0.5, _moved(rows, 1 - parity), 0.5, 0)


def spatial(rows: Rows, parity: int) -> Rows:
    """Missing rows from the field alone, float32."""
    return _taps(rows, parity, _SPATIAL)


def candidates(rows: Rows, parity: int, before: Rows, after: Rows, moved: list[Rows]) -> list[Rows]:
    """What the missing rows may be, each (h, w) float32.

    `before` and `after` are the rows of the neighbouring fields, `moved` the same places in the
    neighbouring pictures, moved along the flow to this instant. In order: the field alone; the
    neighbours as they are; the field with the fine detail of these; each of the pictures moved;
    the field with the fine detail of those.
    """
    low = _taps(rows, parity, _LOW)
    still = _mean(before, after)
    motion = _mean(*moved)
    return [
        spatial(rows, parity),
        still,
        low + _high(still),
        *(each.astype(np.float32) for each in moved),
        low + _high(motion),
    ]


def _mean(first: Rows, last: Rows) -> Rows:
    return cv2.addWeighted(first, 0.5, last, 0.5, 0, dtype=cv2.CV_32F)


def _taps(rows: Rows, parity: int, taps: tuple[float, float]) -> Rows:
    """Rows above and below times the first tap, those one further times the second."""
    real = rows.astype(np.float32)
    near = _moved(real, -parity) + _moved(real, 1 - parity)
    far = _moved(real, -parity - 1) + _moved(real, 2 - parity)
    return cv2.addWeighted(near, taps[0], far, taps[1], 0)


def _high(rows: Rows) -> Rows:
    """Vertical detail too fine for one field; `rows` are neighbours in one field, two apart."""
    near = _moved(rows, -1) + _moved(rows, 1)
    far = _moved(rows, -2) + _moved(rows, 2)
    middle = cv2.addWeighted(rows, _HIGH[0], near, _HIGH[1], 0)
    return cv2.addWeighted(middle, 1.0, far, _HIGH[2], 0)


def _moved(rows: Rows, by: int) -> Rows:
    """Row r is row r + `by` of `rows`, the outermost ones repeated. A view, or nearly one."""
    count = len(rows)
    return rows[np.clip(np.arange(by, count + by), 0, count - 1)] if by else rows

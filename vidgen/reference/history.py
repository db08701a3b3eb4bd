"""The previous output at the pixels of the next input, and the trust in the flow that leads there.

`kernels/halve.cu`, `kernels/trust.cu`, `kernels/history.cu` and `kernels/settle.cu`; the fast way
on the CPU is `vidgen.motion.history`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.reference.sampling import bilinear_reference, pixel_grid

__all__ = [
    "MARGIN_CODES",
    "MARGIN_SHARE",
    "MISMATCH",
    "SAME_AROUND",
    "align_reference",
    "halve_reference",
    "settled_reference",
    "trusted_reference",
    "widened_reference",
]

MISMATCH = 2.5
"""Mean difference over 3x3 half-resolution pixels, in 8-bit steps, that halves the trust."""

MARGIN_CODES, MARGIN_SHARE = 8, 0.5
"""What was drawn may leave the range of the 3x3 pixels around by so many 8-bit steps and by that
share of the range: an edge drawn sharp is brighter than any pixel that it came from."""

SAME_AROUND = 2
"""Pixels to each side that must be the same, for what was drawn to stay."""

_HALF = np.float32(0.5)


def halve_reference(y: NDArray[Any]) -> NDArray[np.uint8]:
    """Luma (H, W), uint8 or 10-bit uint16, as (ceil(H/2), ceil(W/2)) uint8: means of 2x2.

    An odd last row or column counts twice.
    """
    y = np.pad(y, [(0, side % 2) for side in y.shape], "edge")
    sums = sum(y[row::2, column::2].astype(np.int32) for row in (0, 1) for column in (0, 1))
    mean = (np.asarray(sums) + 2) // 4
    eight = mean if y.itemsize == 1 else np.minimum(np.rint(mean / 4), 255)
    return np.asarray(eight, np.uint8)


def trusted_reference(
    previous: NDArray[np.uint8],
    current: NDArray[np.uint8],
    flow: NDArray[np.float32],
    factor: int = 1,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The flow, put to rest where rest explains the picture as well, and the trust in it.

    `previous` and `current` are half-resolution luma (h, w); `flow` (h, w, 2) leads from `current`
    to `previous`, in full-resolution pixels; that of a picture `factor` times smaller is enlarged,
    bilinear, edges replicated. Trust (h, w) is 255 where both show the same.
    """
    flow = _enlarged(flow, current.shape, factor)
    places: NDArray[Any] = pixel_grid(*flow.shape[:2]) + _HALF * flow
    seen = np.floor(bilinear_reference(previous, places) + _HALF).astype(np.uint8)
    moved, still = _apart(seen, current), _apart(previous, current)
    ratio = np.minimum(still, moved).astype(np.float32) * np.float32(1 / (9 * MISMATCH))
    trust = np.rint(np.float32(255) / (1 + ratio * ratio)).astype(np.uint8)
    return np.where((still <= moved)[..., None], np.float32(0), flow), trust


def _enlarged(flow: NDArray[np.float32], size: tuple[int, ...], factor: int) -> NDArray[np.float32]:
    places: NDArray[Any] = (pixel_grid(*size[:2]) + _HALF) / np.float32(factor) - _HALF
    with np.errstate(invalid="ignore"):  # of infinities, which are allowed
        return np.asarray(np.float32(factor) * bilinear_reference(flow, places))


def _apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.int32]:
    """(h, w) sum of the differences at the 3x3 pixels around, mirrored at the outermost pixels."""
    difference = np.abs(one.astype(np.int32) - other)
    rows, columns = (np.arange(side) for side in difference.shape)
    sums: NDArray[np.int32] = np.zeros_like(difference)
    for y in (-1, 0, 1):
        for x in (-1, 0, 1):
            there = _mirrored(rows + y)[:, None], _mirrored(columns + x)
            sums += difference[there]
    return sums


def _mirrored(places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Places from -1 to the length, brought into [0, length); 0 where that is 1."""
    last = len(places) - 1
    inside = np.abs(places)
    return np.asarray(np.maximum(np.where(inside > last, 2 * last - inside, inside), 0))


def align_reference(
    output: NDArray[Any], y: NDArray[Any], flow: NDArray[np.float32], scale: int
) -> NDArray[Any]:
    """(s * s, H, W), dtype of `y`: the previous `output` (s H, s W) at the pixels of `y` (H, W).

    Plane `s * a + b` holds rows `a`, columns `b` of every block of s x s pixels. `flow` (h, w, 2),
    of any size, is that of `y` to the frame before, in its pixels. Bilinear; edges replicated.
    """
    grid = pixel_grid(*y.shape)
    with np.errstate(invalid="ignore"):  # infinity less infinity is no number, which is allowed
        corner: NDArray[Any] = scale * _widened(flow, y.shape) + scale * grid
    low, high = _limits(y)
    shifted = (output[a:, b:] for a in range(scale) for b in range(scale))
    moved = [np.floor(bilinear_reference(plane, corner) + _HALF) for plane in shifted]
    return np.asarray(np.clip(np.stack(moved), low, high), y.dtype)


def widened_reference(trust: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """`trust` (h, w) enlarged to `size`, bilinear between pixel centres, rounded half up."""
    return np.asarray(np.floor(_widened(trust, size) + _HALF), np.uint8)


def _widened(field: NDArray[Any], size: tuple[int, ...]) -> NDArray[np.float32]:
    ratio = np.array(field.shape[1::-1], np.float32) / np.array(size[::-1], np.float32)
    return bilinear_reference(field, np.asarray((pixel_grid(*size) + _HALF) * ratio - _HALF))


def settled_reference(
    before: NDArray[Any], now: NDArray[Any], output: NDArray[Any], made: NDArray[Any]
) -> NDArray[Any]:
    """`made` (s H, s W) for `now` (H, W), but `output`, made for `before`, where nothing changed.

    That is where both pictures are the same, to the code, at all of the 5x5 pixels around that
    exist. All are of one dtype.
    """
    side = 2 * SAME_AROUND + 1
    changed = np.pad(before != now, SAME_AROUND)
    around = np.lib.stride_tricks.sliding_window_view(changed, (side, side)).any((2, 3))
    scale = len(made) // len(now)
    return np.where(around.repeat(scale, 0).repeat(scale, 1), made, output)


def _limits(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The least and the most that may be recalled at each pixel, int32."""
    peak = 255 if y.itemsize == 1 else 1023
    wide = np.pad(y.astype(np.int32), 1, "edge")
    around = np.lib.stride_tricks.sliding_window_view(wide, (3, 3))
    low, high = around.min((2, 3)), around.max((2, 3))
    margin = (
        np.rint((high - low) * MARGIN_SHARE).astype(np.int32) + MARGIN_CODES * (peak + 1) // 256
    )
    return np.maximum(low - margin, 0), np.minimum(high + margin, peak)

"""Backward warps: the picture that motion points to. `kernels/warp.cu`.

    out(y, x) = plane(y + flow_y(y, x), x + flow_x(y, x))

bilinear between the four samples around, edges replicated: coordinates are clamped to
[0, H - 1] x [0, W - 1] before sampling. Integer planes are rounded half up. Coordinates and weights
are float32.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bilinear_reference", "pixel_grid", "warp_blocks_reference", "warp_reference"]


def warp_reference(plane: NDArray[Any], flow: NDArray[np.float32]) -> NDArray[Any]:
    """`plane` (H, W) or (H, W, C), uint8 or uint16, seen through `flow` (H, W, 2) float32.

    `flow` holds (x, y) displacements in pixels of `plane`.
    """
    made = bilinear_reference(plane, pixel_grid(*plane.shape[:2]) + flow)
    return np.asarray(np.floor(made + np.float32(0.5)), plane.dtype)


def warp_blocks_reference(
    plane: NDArray[Any], vectors: NDArray[np.int16], block: int, unit: int
) -> NDArray[Any]:
    """`plane` (H, W) or (H, W, C), uint8 or uint16, each square of `block` pixels moved as one.

    `vectors` (rows, columns, 2) int16 are (x, y) displacements in 1 / `unit` pixels of `plane`, one
    a block, both powers of two; blocks beyond the last row or column move as that one.
    """
    height, width = plane.shape[:2]
    rows = np.minimum(np.arange(height) // block, vectors.shape[0] - 1)
    columns = np.minimum(np.arange(width) // block, vectors.shape[1] - 1)
    flow = vectors[rows[:, None], columns].astype(np.float32) / np.float32(unit)
    return warp_reference(plane, flow)


def bilinear_reference(plane: NDArray[Any], positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """`plane` (H, W) or (H, W, C), any dtype, at the (x, y) of `positions` (h, w, 2), unrounded.

    A position that is not a number is that of the first column or row.
    """
    height, width = plane.shape[:2]
    x = np.fmin(np.fmax(positions[..., 0], 0), np.float32(width - 1))
    y = np.fmin(np.fmax(positions[..., 1], 0), np.float32(height - 1))
    left, top = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    over, down = x - left.astype(np.float32), y - top.astype(np.float32)
    if plane.ndim == 3:
        over, down = over[..., None], down[..., None]
    samples = plane.astype(np.float32)
    upper = samples[top, left] + over * (samples[top, right] - samples[top, left])
    lower = samples[bottom, left] + over * (samples[bottom, right] - samples[bottom, left])
    return np.asarray(upper + down * (lower - upper), np.float32)


@lru_cache(maxsize=8)
def pixel_grid(height: int, width: int) -> NDArray[np.float32]:
    """(height, width, 2) float32: each pixel's own (x, y). Shared, read-only."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0] = np.arange(width, dtype=np.float32)
    grid[..., 1] = np.arange(height, dtype=np.float32)[:, None]
    grid.flags.writeable = False
    return grid

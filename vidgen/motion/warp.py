"""Backward warp: the picture that a flow field points to.

    out(y, x) = plane(y + flow_y(y, x), x + flow_x(y, x))

bilinear between the four samples around, edges replicated: coordinates are clamped to
[0, H - 1] x [0, W - 1] before sampling. Integer planes are rounded half up. `warp_reference` is the
formula in NumPy, `kernels/warp.cu` the same for CUDA, `warp` the fast way on the CPU.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["bilinear_reference", "pixel_grid", "sample", "sample_sharp", "warp", "warp_reference"]

_NONE: Any = None  # "no second map", which OpenCV's type stubs do not know


def warp_reference(plane: NDArray[Any], flow: NDArray[np.float32]) -> NDArray[Any]:
    """`plane` (H, W) or (H, W, C), uint8 or uint16, seen through `flow` (H, W, 2) float32.

    `flow` holds (x, y) displacements in pixels of `plane`. Coordinates and weights are float32.
    """
    made = bilinear_reference(plane, pixel_grid(*plane.shape[:2]) + flow)
    return np.asarray(np.floor(made + np.float32(0.5)), plane.dtype)


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


def warp(plane: NDArray[Any], flow: NDArray[np.float32]) -> NDArray[Any]:
    """As `warp_reference`, fast; OpenCV rounds positions to 1/32 pixel."""
    return sample(plane, pixel_grid(*plane.shape[:2]) + flow)


def sample(plane: NDArray[Any], positions: NDArray[np.float32]) -> NDArray[Any]:
    """`plane` (H, W) or (H, W, C), any dtype, at the (x, y) of `positions` (h, w, 2)."""
    return _remap(plane, positions, _NONE, cv2.INTER_LINEAR)


def sample_sharp(plane: NDArray[Any], positions: NDArray[np.float32]) -> NDArray[Any]:
    """As `sample` for uint8 and 10-bit uint16, bicubic, at positions rounded to 1/32 pixel."""
    whole, part = cv2.convertMaps(positions, _NONE, cv2.CV_16SC2)  # takes a quarter off the time
    sharp = _remap(plane, whole, part, cv2.INTER_CUBIC)
    return sharp if sharp.dtype == np.uint8 else np.minimum(sharp, np.uint16(1023))


def _remap(
    plane: NDArray[Any], first: NDArray[Any], second: NDArray[Any], interpolation: int
) -> NDArray[Any]:
    return cv2.remap(plane, first, second, interpolation, borderMode=cv2.BORDER_REPLICATE)


@lru_cache(maxsize=8)
def pixel_grid(height: int, width: int) -> NDArray[np.float32]:
    """(height, width, 2) float32: each pixel's own (x, y). Shared, read-only."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0] = np.arange(width, dtype=np.float32)
    grid[..., 1] = np.arange(height, dtype=np.float32)[:, None]
    grid.flags.writeable = False
    return grid

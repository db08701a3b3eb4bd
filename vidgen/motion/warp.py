"""The picture that a flow field points to, the fast way on the CPU.

`vidgen.reference.sampling` is the formula, `kernels/warp.cu` the same for CUDA.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.reference.sampling import pixel_grid

__all__ = ["pixel_grid", "sample", "sample_sharp", "warp"]

_NONE: Any = None  # "no second map", which OpenCV's type stubs do not know


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

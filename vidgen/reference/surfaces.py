"""NV12 and P010 as decoders and encoders of GPUs lay them out. `kernels/planes.cu`.

A surface is (rows, pitch) uint8: rows of luma, and from row `chroma_row` on those of chroma, U and
V interleaved. Samples are 8 bits, or 16 bits with 10 in the high ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["packed_reference", "unpacked_reference"]

Planes = tuple[NDArray[Any], NDArray[Any]]
"""`y (H, W)` and `uv (H/2, W/2, 2)`, as `vidgen.frame` has them."""

_SHIFT = {1: 0, 2: 6}
"""Bytes a sample -> how far left of its place in a plane its value stands."""


def packed_reference(planes: Planes, pitch: int, chroma_row: int) -> NDArray[np.uint8]:
    """The surface of `y (H, W)` and `uv`; 0 where there is no picture."""
    chroma = len(planes[1])
    surface = np.zeros((chroma_row + chroma, pitch), np.uint8)
    for first, plane in zip((0, chroma_row), planes, strict=True):
        rows = np.ascontiguousarray(plane.reshape(len(plane), -1) << _SHIFT[plane.itemsize])
        content = rows.view(np.uint8)
        surface[first : first + len(rows), : content.shape[1]] = content
    return surface


def unpacked_reference(
    surface: NDArray[np.uint8], height: int, width: int, chroma_row: int, dtype: np.dtype[Any]
) -> Planes:
    """`y (height, width)` and `uv` of the surface, uint8 or uint16 with the value in the low bits.

    An odd side has half a pixel of chroma more than half of it.
    """
    samples, shift = surface.view(dtype), _SHIFT[dtype.itemsize]
    rows, columns = -(-height // 2), -(-width // 2)
    chroma = samples[chroma_row : chroma_row + rows, : 2 * columns]
    return samples[:height, :width] >> shift, (chroma >> shift).reshape(rows, columns, 2)

"""Forward splat: values where motion carries them. `kernels/splat.cu`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.reference.sampling import pixel_grid

__all__ = ["claims_reference", "splat_reference"]

_CORNERS = ((1, 1), (1, 0), (0, 1), (0, 0))
"""(down, right) of the four pixels around a place; the later ones win."""
_SOURCE_BITS = 30
_CLAIMED = 1 << 61
"""Above the bits of a float32 and below the number of a corner: a claim is never 0."""


def splat_reference(
    values: NDArray[np.float32], claims: NDArray[np.uint64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """`values` (h, w, n) where they landed, by `claims` (h, w), and where any did.

    Zeros where nothing did.
    """
    seen = claims != 0
    sources = (claims & np.uint64((1 << _SOURCE_BITS) - 1)).astype(np.int64)
    found = values.reshape(-1, values.shape[-1])[sources]
    return np.where(seen[..., None], found, np.float32(0)), seen


def claims_reference(steps: NDArray[np.float32], whole: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(h, w): which pixel of `steps` (h, w, 2) each pixel shows, and by what right; 0 for none.

    A pixel claims the four around the place to which its step leads: above all the upper left one.
    Of several the one wins that moves least like `whole` (2,), the motion of the whole picture,
    then the last one. In the low 30 bits stands its number, row by row.
    """
    height, width = steps.shape[:2]
    apart: NDArray[Any] = np.abs(steps - whole)
    distance = (apart[..., 0] + apart[..., 1]).view(np.uint32).astype(np.uint64)
    keys = np.arange(height * width, dtype=np.uint64).reshape(height, width)
    keys |= distance << np.uint64(_SOURCE_BITS) | np.uint64(_CLAIMED)
    corner: NDArray[Any] = np.floor(pixel_grid(height, width) + steps)
    claims = np.zeros(height * width, np.uint64)
    for rank, (down, right) in enumerate(_CORNERS):
        x, y = corner[..., 0] + np.float32(right), corner[..., 1] + np.float32(down)
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        places = y[inside].astype(np.int64) * width + x[inside].astype(np.int64)
        np.maximum.at(claims, places, keys[inside] | np.uint64(rank << 62))
    return claims.reshape(height, width)

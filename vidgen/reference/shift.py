"""Chroma read beside its place, as `vidgen.stages.Fit` does on the host. `kernels/shift.cu`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["shifted_reference"]


def shifted_reference(
    uv: NDArray[Any], across: NDArray[np.float32], down: NDArray[np.float32], top: int
) -> NDArray[Any]:
    """`uv (H, W, 2)` weighed by an odd count of taps along rows, then along columns; edges repeat.

    In float32 from the first tap to the last, rounded half to even, codes in [0, top].
    """
    height, width = uv.shape[:2]
    a, b = len(across) // 2, len(down) // 2
    wide = np.pad(uv, ((b, b), (a, a), (0, 0)), "edge").astype(np.float32)
    rows = np.zeros((height + 2 * b, width, 2), np.float32)
    for at, weight in enumerate(across):
        rows += weight * wide[:, at : at + width]
    total = np.zeros((height, width, 2), np.float32)
    for at, weight in enumerate(down):
        total += weight * rows[at : at + height]
    return np.rint(np.clip(total, 0, top)).astype(uv.dtype)

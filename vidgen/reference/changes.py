"""How much two pictures differ, before anything is known of motion. `kernels/changes.cu`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "difference_reference", "histogram_reference"]

BINS = 32


def difference_reference(previous: NDArray[Any], current: NDArray[Any]) -> tuple[int, int]:
    """Sum and greatest of the absolute differences, in codes. Any shape, uint8 or uint16."""
    apart = np.abs(previous.astype(np.int32) - current)
    return int(apart.sum(dtype=np.int64)), int(apart.max())


def histogram_reference(picture: NDArray[Any], bits: int = 8) -> NDArray[np.int64]:
    """(32,): how many codes of `bits` bits lie in each 32nd of their range."""
    bins = picture.ravel() >> (bits - 5)
    return np.asarray(np.bincount(bins, minlength=BINS), np.int64)

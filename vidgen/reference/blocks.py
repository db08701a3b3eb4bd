"""Motion of blocks: dense flow from their vectors. `kernels/densify.cu`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["densify_reference"]


def densify_reference(
    vectors: NDArray[np.int16],
    trust: NDArray[np.uint8],
    size: tuple[int, int],
    block: int,
    unit: int,
) -> NDArray[np.float32]:
    """(height, width, 2) flow in pixels, `size` as (height, width), from one vector a block.

    `vectors` (rows, columns, 2) int16 are (x, y) in 1 / `unit` pixels, each for a square of `block`
    pixels of the flow, both powers of two. A block reaches to the centres of its neighbours,
    falling in a straight line, and counts as its `trust` (rows, columns) and one says.
    """
    height, width = size
    top, bottom, down = _between(height, block, len(vectors))
    left, right, over = _between(width, block, vectors.shape[1])
    down, one = down[:, None], np.float32(1)
    windows = (one - down) * (one - over), (one - down) * over, down * (one - over), down * over
    places = [(rows[:, None], columns) for rows in (top, bottom) for columns in (left, right)]
    weights = [
        window * (trust[place].astype(np.float32) + one)
        for window, place in zip(windows, places, strict=True)
    ]
    all_of_it = one / (weights[0] + weights[1] + weights[2] + weights[3])
    first, *others = (vectors[place].astype(np.float32) for place in places)
    steps = [w[..., None] * (v - first) for w, v in zip(weights[1:], others, strict=True)]
    flow = (first + (steps[0] + steps[1] + steps[2]) * all_of_it[..., None]) / np.float32(unit)
    return np.asarray(flow, np.float32)


def _between(length: int, block: int, count: int) -> tuple[NDArray[Any], NDArray[Any], Any]:
    """For each pixel the centres of blocks before and behind it, and how far it is from one to the
    other."""
    half = np.float32(0.5)
    place = (np.arange(length, dtype=np.float32) + half) / np.float32(block) - half
    place = np.minimum(np.maximum(place, np.float32(0)), np.float32(count - 1))
    before = place.astype(np.int32)
    return before, np.minimum(before + 1, count - 1), place - before.astype(np.float32)

"""Block matching around vectors that are given. `kernels/match.cu`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["match_reference"]

Costs = NDArray[np.int64]


def match_reference(
    current: NDArray[Any], previous: NDArray[Any], given: NDArray[np.int16], block: int, reach: int
) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """The best of the vectors near `given`, and the sum of absolute differences before quarters.

    Pictures are (H, W), uint8 or 10-bit uint16; vectors (rows, columns, 2) int16 lead from squares
    of `block` pixels of `current` to `previous`, (x, y) in quarter pixels. Whole pixels up to
    `reach` from the given place are tried; the least cost wins, then the least distance, then the
    first. From there lines of equal slope through the neighbours' costs lead to the quarter pixel.
    """
    start = (given.astype(np.int64) + 2) >> 2
    steps = np.arange(-reach, reach + 1)
    tries = [start + np.array((x, y)) for y in steps for x in steps]
    costs = np.stack([_costs(current, previous, each, block) for each in tries])
    length = np.add.outer(np.abs(steps), np.abs(steps)).ravel()
    best = np.argmin(costs * 16 + length[:, None, None], 0)  # the first of equals
    down, across = np.divmod(best, len(steps))
    found = 4 * (start + np.stack([across, down], -1) - reach)
    field = costs.reshape(len(steps), len(steps), *best.shape)
    found[..., 0] += _quarters(field, down, across, (0, 1))
    found[..., 1] += _quarters(field, down, across, (1, 0))
    least = np.take_along_axis(costs, best[None], 0)[0]
    return np.clip(found, -(2**15), 2**15 - 1).astype(np.int16), least.astype(np.int32)


def _costs(current: NDArray[Any], previous: NDArray[Any], whole: Costs, block: int) -> Costs:
    """(rows, columns): sum of absolute differences of each block, moved by `whole` pixels."""
    height, width = current.shape
    row, column = np.arange(height), np.arange(width)
    moved = whole[row[:, None] // block, column // block]
    y = np.clip(row[:, None] + moved[..., 1], 0, height - 1)
    x = np.clip(column + moved[..., 0], 0, width - 1)
    apart = np.abs(current.astype(np.int64) - previous[y, x])
    sums = np.add.reduceat(apart, np.arange(0, height, block), 0)
    return np.asarray(np.add.reduceat(sums, np.arange(0, width, block), 1), np.int64)


def _quarters(field: Costs, down: Any, across: Any, axis: tuple[int, int]) -> Costs:
    """Quarter pixels from the best of `field` (y, x, rows, columns) along an axis; 0 at its rim."""
    last, blocks = len(field) - 1, np.indices(down.shape)

    def at(side: int) -> Costs:
        y, x = (
            np.clip(place + side * part, 0, last)
            for place, part in zip((down, across), axis, strict=True)
        )
        return np.asarray(field[y, x, blocks[0], blocks[1]])

    before, here, behind = at(-1), at(0), at(1)
    rise = np.maximum(before, behind) - here
    moved = (4 * (before - behind) + rise) // np.maximum(2 * rise, 1)
    place = down if axis[0] else across
    return np.where((place > 0) & (place < last) & (rise > 0), moved, 0)

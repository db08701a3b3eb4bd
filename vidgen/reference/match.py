"""Block matching around vectors that are given. `kernels/match.cu`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNIT", "match_reference"]

UNIT = 16
"""Parts of a pixel that vectors count. With quarters a fifth of what a memory gives is lost."""

Costs = NDArray[np.int64]


def match_reference(
    current: NDArray[Any],
    previous: NDArray[Any],
    given: NDArray[np.int16],
    block: int,
    around: int,
    reach: int,
    coarser: bool = False,
) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """The best of the vectors near `given`, and the sum of absolute differences in whole pixels.

    Pictures are (H, W), uint8 or 10-bit uint16; vectors (rows, columns, 2) int16 lead from squares
    of `block` pixels of `current` to `previous`, (x, y) in 1 / `UNIT` pixels. `given` are as many,
    or, `coarser`, those of pictures half as large. Compared are the square and `around` pixels on
    each side. Whole pixels up to `reach` from the given place are tried; the least cost wins, then
    the least distance, then the first. From there lines of equal slope through the neighbours'
    costs lead on.
    """
    rows, columns = (-(-side // block) for side in current.shape)
    first = given.astype(np.int64)
    if coarser:
        first = 2 * first.repeat(2, 0).repeat(2, 1)[:rows, :columns]
    start = (first + UNIT // 2) // UNIT
    steps = np.arange(-reach, reach + 1)
    tries = [start + np.array((x, y)) for y in steps for x in steps]
    costs = np.stack([_costs(current, previous, each, block, around) for each in tries])
    length = np.add.outer(np.abs(steps), np.abs(steps)).ravel()
    best = np.argmin(costs * 16 + length[:, None, None], 0)  # the first of equals
    down, across = np.divmod(best, len(steps))
    found = UNIT * (start + np.stack([across, down], -1) - reach)
    field = costs.reshape(len(steps), len(steps), *best.shape)
    found[..., 0] += _parts(field, down, across, (0, 1))
    found[..., 1] += _parts(field, down, across, (1, 0))
    least = np.take_along_axis(costs, best[None], 0)[0]
    return np.clip(found, -(2**15), 2**15 - 1).astype(np.int16), least.astype(np.int32)


def _costs(
    current: NDArray[Any], previous: NDArray[Any], whole: Costs, block: int, around: int
) -> Costs:
    """(rows, columns): sum of absolute differences of each block, moved by `whole` pixels."""
    height, width = current.shape
    y, x = (
        np.arange(count)[:, None] * block + np.arange(-around, block + around)
        for count in whole.shape[:2]
    )
    y, x = y[:, None, :, None], x[None, :, None, :]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    here = current[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].astype(np.int32)
    down, across = (whole[..., axis][..., None, None] for axis in (1, 0))
    there = previous[np.clip(y + down, 0, height - 1), np.clip(x + across, 0, width - 1)]
    return np.asarray((np.abs(here - there) * inside).sum((2, 3)), np.int64)


def _parts(field: Costs, down: Any, across: Any, axis: tuple[int, int]) -> Costs:
    """1 / `UNIT` pixels from the best of `field` (y, x, rows, columns) along an axis; none at its
    rim."""
    last, blocks = len(field) - 1, np.indices(down.shape)

    def at(side: int) -> Costs:
        y, x = (
            np.clip(place + side * part, 0, last)
            for place, part in zip((down, across), axis, strict=True)
        )
        return np.asarray(field[y, x, blocks[0], blocks[1]])

    before, here, behind = at(-1), at(0), at(1)
    rise = np.maximum(before, behind) - here
    moved = (UNIT * (before - behind) + rise) // np.maximum(2 * rise, 1)
    place = down if axis[0] else across
    return np.where((place > 0) & (place < last) & (rise > 0), moved, 0)

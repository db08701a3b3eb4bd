"""Motion between two pictures, by blocks from coarse to fine: `kernels/halve.cu`, `match.cu` and
`densify.cu`, one after another, as `vidgen.engines.search` launches them.

A pyramid of pictures, each half as large as the one before. In the coarsest all blocks are sought
far around where they are, in each finer one near where the block that they lie in was found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidgen.reference.blocks import densify_reference
from vidgen.reference.history import halve_reference
from vidgen.reference.match import UNIT, match_reference

__all__ = ["AROUND", "BLOCK", "FAR", "LEVELS", "NEAR", "TRUST", "levels_of", "search_reference"]

LEVELS = 5
"""Pictures of a pyramid at most: by 7 pixels of the coarsest, 224 of the film's own are found."""

BLOCK, AROUND = 8, 4
"""Pixels a side of a block, and how many more are compared on each side."""

FAR, NEAR = 7, 4
"""Pixels to each side that are tried in the coarsest picture, and in all others."""

TRUST = 255
"""In every block: what `match` says of its cost gains nothing here, since pictures are compared
where the motion leads before anything is recalled."""


def levels_of(size: tuple[int, ...]) -> int:
    """How many pictures the pyramid of one of `size` has.

    Where the coarsest is less than two blocks a side, what is sought lies outside more often than
    inside, and edges that are replicated look alike.
    """
    return max(min(LEVELS, (min(size) // (2 * BLOCK)).bit_length()), 1)


def search_reference(
    previous: NDArray[np.uint8], current: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """(h, w, 2) flow from `current` to `previous`, in full-resolution pixels.

    Both are luma at half resolution (h, w), as `halve_reference` makes it.
    """
    pyramid = [(current, previous)]
    while len(pyramid) < levels_of(current.shape):
        now, before = pyramid[-1]
        pyramid.append((halve_reference(now), halve_reference(before)))
    *finer, coarsest = pyramid
    rows, columns = (-(-side // BLOCK) for side in coarsest[0].shape)
    still = np.zeros((rows, columns, 2), np.int16)
    found, _ = match_reference(*coarsest, still, BLOCK, AROUND, FAR)
    for pair in reversed(finer):
        found, _ = match_reference(*pair, found, BLOCK, AROUND, NEAR, coarser=True)
    trust = np.full(found.shape[:2], TRUST, np.uint8)
    return densify_reference(found, trust, current.shape[:2], BLOCK, UNIT // 2)

"""Launches of every kernel of `kernels/`, each with what its NumPy reference says of the result.

`tests/kernels/` runs them at `SIZES`, as C++ on the CPU and, where there is one, on a GPU; NumPy is
all they need. As a program, the least time of each kernel by the bytes of its arguments:

    python -m benchmarks.kernel_cases [--size 1920x1080]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.kernel_cases import motion, pictures
from benchmarks.kernel_cases.case import Case

__all__ = ["CASES", "SIZES", "Case"]

SIZES = [(1, 1), (1, 37), (37, 1), (2, 2), (8, 32), (9, 33), (31, 65), (50, 70)]
"""(height, width): less than a block of threads, just that, and one row and column more."""

CASES: dict[str, Callable[[np.random.Generator, int, int], Iterator[Case]]] = {
    "changes": pictures.changes,
    "densify": motion.densities,
    "halve": pictures.halves,
    "history": pictures.histories,
    "match": motion.matches,
    "planes": pictures.surfaces,
    "settle": pictures.settled,
    "shift": pictures.shifts,
    "splat": motion.splats,
    "trust": pictures.trusts,
    "warp": pictures.warps,
}
"""`kernels/<name>.cu` -> its launches for a picture of that height and width."""

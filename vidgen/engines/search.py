"""Motion between two pictures that lie on a GPU: blocks, from coarse to fine.

At most fourteen launches of `halve`, `match` and `densify`, none of which the host waits for: all
as `vidgen.reference.search` says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgen.engines.device import DeviceEngine
from vidgen.engines.workspace import Workspace
from vidgen.reference.match import UNIT
from vidgen.reference.search import AROUND, BLOCK, FAR, NEAR, TRUST, levels_of

__all__ = ["BlockSearch"]

_WARP, _MOST_THREADS = 32, 128


class BlockSearch:
    """Finds it; what it needs lies in `workspace`."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __call__(self, engine: DeviceEngine, previous: Any, current: Any) -> Any:
        """(h, w, 2) float32 flow from `current` to `previous`, in full-resolution pixels.

        Both are luma at half resolution, (h, w) uint8 on the device, and so is the flow, which is
        written over by the next call. Raises BackendError where there is no room beside `engine`.
        """
        pyramid = [(current, previous)]
        levels = range(levels_of(current.shape))
        for level in levels[1:]:
            now, before = pyramid[-1]
            smaller = self._halved(engine, f"now {level}", now)
            pyramid.append((smaller, self._halved(engine, f"before {level}", before)))
        found = None
        for level in reversed(levels):
            found = self._matched(engine, level, pyramid[level], found)
        return self._dense(engine, found, current.shape)

    def _halved(self, engine: DeviceEngine, name: str, picture: Any) -> Any:
        height, width = picture.shape
        size = -(-height // 2), -(-width // 2)
        half = self._workspace.array(engine, name, size)
        self._workspace.launch("halve_u8", size, picture, half, height, width)
        return half

    def _matched(
        self, engine: DeviceEngine, level: int, pair: tuple[Any, Any], coarser: Any | None
    ) -> Any:
        """(rows, columns, 2) int16 vectors of blocks, from those of the `coarser` level."""
        array, size = self._workspace.array, pair[0].shape
        shape = rows, columns = -(-size[0] // BLOCK), -(-size[1] // BLOCK)
        found = array(engine, f"vectors {level}", (*shape, 2), np.int16)
        costs = array(engine, f"costs {level}", shape, np.int32)
        reach, given = NEAR, coarser
        if coarser is None:
            reach, given = FAR, array(engine, "still", (*shape, 2), np.int16, fill=0)
        numbers = *size, BLOCK, AROUND, reach, int(coarser is not None)
        tries = (2 * reach + 1) ** 2
        threads = min(-(-tries // _WARP) * _WARP, _MOST_THREADS)
        geometry = (columns, rows), (threads,)
        self._workspace.launch_blocks("match_u8", geometry, *pair, given, found, costs, *numbers)
        return found

    def _dense(self, engine: DeviceEngine, vectors: Any, size: tuple[int, int]) -> Any:
        shape = vectors.shape[:2]
        trust = self._workspace.array(engine, "trust of blocks", shape, fill=TRUST)
        flow = self._workspace.array(engine, "flow", (*size, 2), np.float32)
        halves = UNIT // 2  # of a full-resolution pixel, of which one at half resolution has two
        numbers = *size, *shape, BLOCK.bit_length() - 1, halves.bit_length() - 1
        self._workspace.launch("densify", size, vectors, trust, flow, *numbers)
        return flow

"""What upscalers recall on a GPU: it never leaves the device.

Only the picture goes up, and its motion only where the host has to find that for others. Kernels
make the network's inputs `history` and `confidence` of the output kept last: `halve`, those of
`vidgen.engines.search`, `trust` and `history`; `settle` puts back what was drawn where nothing has
changed. All do what `vidgen.reference` says; `vidgen.motion.history` is the same on the host.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import Any

import numpy as np

from vidgen.engines.device import Card, DeviceEngine
from vidgen.engines.protocol import Engine
from vidgen.engines.search import BlockSearch
from vidgen.engines.workspace import Workspace
from vidgen.frame import Field, Planes

__all__ = ["DeviceMemory"]

_KINDS = {"uint8": "u8", "uint16": "u16", "float16": "f16"}


class DeviceMemory:
    """See `Memory`, and `Backend.memory`."""

    def __init__(self, card: Card, factor: int, *, finds_motion: bool, stays: bool = False) -> None:
        self._card, self._factor, self._stays = card, factor, stays
        self._workspace = Workspace(card)
        self._search = BlockSearch(self._workspace) if finds_motion else None
        self._drawer: DeviceEngine | None = None
        """Whose output is kept; None while nothing is."""

    def draw(
        self, engine: Engine, planes: Planes, flow: Callable[[], Field] | None, *, keep: bool
    ) -> Planes:
        """See `Memory`. Raises BackendError where the GPU has no room, or fails."""
        assert isinstance(engine, DeviceEngine)  # of the backend that this is of
        return engine.run(
            planes,
            lambda: self._recall(engine, flow),
            lambda: self._settle(engine, flow is not None, keep),
            stays=self._stays,
        )

    def forget(self) -> None:
        """The next picture has nothing to look back to."""
        self._drawer = None

    def _recall(self, engine: DeviceEngine, flow: Callable[[], Field] | None) -> None:
        """Write the engine's inputs beside the picture, which lies there already."""
        y = engine.given["y"]
        size = y.shape[0] // 2, y.shape[1] // 2
        now = self._workspace.array(engine, "now", size)
        self._workspace.launch(f"halve_{_kind(y)}", size, y, now, *y.shape)
        past = [engine.given[name] for name in ("history", "confidence") if name in engine.given]
        if past and flow is not None and self._drawer is not None:
            self._align(engine, flow)
            return
        for each in past:
            each.data.memset_async(0, each.nbytes, self._card.stream)

    def _align(self, engine: DeviceEngine, flow: Callable[[], Field]) -> None:
        y, history = engine.given["y"], engine.given["history"]
        before, now, output = (self._workspace[name] for name in ("before", "now", "output"))
        steps, factor = self._steps(engine, flow)
        rested = self._workspace.array(engine, "rested", (*now.shape, 2), np.float32)
        trust = self._workspace.array(engine, "trust", now.shape)
        numbers = *now.shape, *steps.shape[:2], factor
        self._workspace.launch("trust", now.shape, before, now, steps, rested, trust, *numbers)
        arrays = output, y, rested, trust, history, engine.given["confidence"]
        numbers = *y.shape, *now.shape, isqrt(history.shape[0]), 255 if y.itemsize == 1 else 1023
        self._workspace.launch(f"history_{_kind(y)}", y.shape, *arrays, *numbers)

    def _steps(self, engine: DeviceEngine, flow: Callable[[], Field]) -> tuple[Any, int]:
        """The flow on the device, and how many times smaller the pictures are that it is of."""
        if self._search:
            return self._search(engine, self._workspace["before"], self._workspace["now"]), 1
        given = np.ascontiguousarray(flow(), np.float32)
        steps = self._workspace.array(engine, "flow", given.shape, np.float32)
        steps.set(given, stream=self._card.stream)
        return steps, self._factor

    def _settle(self, engine: DeviceEngine, same_shot: bool, keep: bool) -> None:
        """What has not changed since the same engine drew it stays; copies of all, if to be kept:
        the next run writes over it."""
        workspace, y, made = self._workspace, engine.given["y"], engine.made["y"]
        if same_shot and self._drawer is engine:
            arrays = workspace["y"], y, workspace["output"], made
            numbers = *y.shape, made.shape[0] // y.shape[0]
            workspace.launch(f"settle_{_kind(y)}", y.shape, *arrays, *numbers)
        if keep:
            for name, source in (("y", y), ("output", made)):
                kept = workspace.array(engine, name, source.shape, source.dtype)
                kept.data.copy_from_device_async(source.data, source.nbytes, self._card.stream)
            workspace.array(engine, "before", workspace["now"].shape)
            workspace.swap("before", "now")
            self._drawer = engine


def _kind(codes: Any) -> str:
    """As kernels name the dtype of codes."""
    return _KINDS[codes.dtype.name]

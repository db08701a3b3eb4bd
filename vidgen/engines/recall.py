"""What upscalers recall on a GPU: it never leaves the device.

Only the picture and the flow go up. Three kernels make the network's inputs `history` and
`confidence` of the output kept last: `halve`, `trust` and `history`; a fourth, `settle`, puts back
what was drawn where nothing has changed. All do what `vidgen.reference.history` says;
`vidgen.motion.history` is the same on the host.
"""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np

from vidgen.engines.device import Card, DeviceEngine
from vidgen.engines.protocol import Engine
from vidgen.frame import Field, Planes
from vidgen.kernels import load, over_pixels

__all__ = ["DeviceMemory"]

_KINDS = {"uint8": "u8", "uint16": "u16", "float16": "f16"}


class DeviceMemory:
    """See `Memory`. Arrays and kernels are made when first needed, and stay."""

    def __init__(self, card: Card, factor: int) -> None:
        self._card, self._factor = card, factor
        self._arrays: dict[str, Any] = {}
        self._kernels: dict[str, Any] = {}
        self._drawer: DeviceEngine | None = None
        """Whose output is kept; None while nothing is."""

    def draw(self, engine: Engine, planes: Planes, flow: Field | None, *, keep: bool) -> Planes:
        """See `Memory`. Raises BackendError where the GPU has no room, or fails."""
        assert isinstance(engine, DeviceEngine)  # of the backend that this is of
        return engine.run(
            planes,
            lambda: self._recall(engine, flow),
            lambda: self._settle(engine, flow, keep),
        )

    def forget(self) -> None:
        """The next picture has nothing to look back to."""
        self._drawer = None

    def _recall(self, engine: DeviceEngine, flow: Field | None) -> None:
        """Write the engine's inputs beside the picture, which lies there already."""
        y = engine.given["y"]
        size = y.shape[0] // 2, y.shape[1] // 2
        self._launch(f"halve_{_kind(y)}", size, y, self._array(engine, "now", size), *size)
        past = [engine.given[name] for name in ("history", "confidence") if name in engine.given]
        if past and flow is not None and self._drawer is not None:
            self._align(engine, np.ascontiguousarray(flow, np.float32))
            return
        for each in past:
            each.data.memset_async(0, each.nbytes, self._card.stream)

    def _align(self, engine: DeviceEngine, flow: Field) -> None:
        y, history = engine.given["y"], engine.given["history"]
        before, now, output = (self._arrays[name] for name in ("before", "now", "output"))
        small = self._array(engine, "flow", flow.shape, np.float32)
        rested = self._array(engine, "rested", (*now.shape, 2), np.float32)
        trust = self._array(engine, "trust", now.shape)
        small.set(flow, stream=self._card.stream)
        numbers = *now.shape, *flow.shape[:2], self._factor
        self._launch("trust", now.shape, before, now, small, rested, trust, *numbers)
        arrays = output, y, rested, trust, history, engine.given["confidence"]
        numbers = *y.shape, *now.shape, isqrt(history.shape[0]), 255 if y.itemsize == 1 else 1023
        self._launch(f"history_{_kind(y)}", y.shape, *arrays, *numbers)

    def _settle(self, engine: DeviceEngine, flow: Field | None, keep: bool) -> None:
        """What has not changed since the same engine drew it stays; copies of all, if to be kept:
        the next run writes over it."""
        y, made = engine.given["y"], engine.made["y"]
        if flow is not None and self._drawer is engine:
            arrays = self._arrays["y"], y, self._arrays["output"], made
            numbers = *y.shape, made.shape[0] // y.shape[0]
            self._launch(f"settle_{_kind(y)}", y.shape, *arrays, *numbers)
        if keep:
            for name, source in (("y", y), ("output", made)):
                kept = self._array(engine, name, source.shape, source.dtype)
                kept.data.copy_from_device_async(source.data, source.nbytes, self._card.stream)
            now = self._arrays["now"]
            self._arrays |= {"now": self._array(engine, "before", now.shape), "before": now}
            self._drawer = engine

    def _array(
        self, engine: DeviceEngine, name: str, shape: tuple[int, ...], dtype: Any = np.uint8
    ) -> Any:
        if name not in self._arrays:
            self._arrays[name] = engine.room(shape, dtype)
        return self._arrays[name]

    def _launch(self, kernel: str, size: tuple[int, int], *arguments: Any) -> None:
        """Put it on the stream, a thread for each of `size`."""
        if kernel not in self._kernels:
            module = load(kernel.partition("_")[0], self._card.number)
            self._kernels[kernel] = module.get_function(kernel)
        given = tuple(np.int32(each) if isinstance(each, int) else each for each in arguments)
        self._kernels[kernel](*over_pixels(*size), given, stream=self._card.stream)


def _kind(codes: Any) -> str:
    """As kernels name the dtype of codes."""
    return _KINDS[codes.dtype.name]

"""What work beside a network needs on a GPU: arrays that stay, and kernels of `kernels/`."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgen.engines.device import Card, DeviceEngine
from vidgen.kernels import load, over_pixels

__all__ = ["Workspace"]


class Workspace:
    """Arrays for pictures of one size, and kernels; all are made when first needed, and stay."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._arrays: dict[str, Any] = {}
        self._kernels: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """An array that was made before."""
        return self._arrays[name]

    def array(
        self,
        engine: DeviceEngine,
        name: str,
        shape: tuple[int, ...],
        dtype: Any = np.uint8,
        fill: int | None = None,
    ) -> Any:
        """The array of that name; each byte is `fill` when it is made, if that is given.

        Raises BackendError where the GPU has no room beside `engine`.
        """
        if name not in self._arrays:
            made = self._arrays[name] = engine.room(shape, dtype)
            if fill is not None:
                made.data.memset_async(fill, made.nbytes, self._card.stream)
        return self._arrays[name]

    def swap(self, one: str, other: str) -> None:
        """Two arrays take each other's names."""
        arrays = self._arrays
        arrays[one], arrays[other] = arrays[other], arrays[one]

    def launch(self, kernel: str, size: tuple[int, int], *arguments: Any) -> None:
        """Put it on the stream, a thread for each of `size`; numbers are 32 bit."""
        self.launch_blocks(kernel, over_pixels(*size), *arguments)

    def launch_blocks(
        self, kernel: str, geometry: tuple[tuple[int, ...], tuple[int, ...]], *arguments: Any
    ) -> None:
        """The same with `geometry`, which is (grid, block)."""
        if kernel not in self._kernels:
            module = load(kernel.partition("_")[0], self._card.number)
            self._kernels[kernel] = module.get_function(kernel)
        given = tuple(np.int32(each) if isinstance(each, int) else each for each in arguments)
        self._kernels[kernel](*geometry, given, stream=self._card.stream)

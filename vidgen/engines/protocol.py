"""What every backend, engine and memory does; one conformance suite runs over all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

from numpy.typing import NDArray

from vidgen.engines.shapes import Shapes
from vidgen.frame import Field, Planes
from vidgen.surface import GpuPictures
from vidgen.zoo import Model

__all__ = ["Backend", "Engine", "Memory"]


class Engine(Protocol):
    """One network, compiled for one picture size; a context manager. Not thread-safe."""

    @property
    def inputs(self) -> Shapes:
        """What it takes, in that order."""
        ...

    def __call__(self, *planes: NDArray[Any]) -> Planes:
        """Run once, on what the model's task takes; see `vidgen.engines`.

        The result belongs to the caller; the inputs are not kept.
        """
        ...

    def close(self) -> None:
        """Free the device's memory; calling again does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Memory(Protocol):
    """What upscalers of one size recall: the last real picture, and what was drawn for it.

    Networks of the same scale share it. Not thread-safe; of the thread of its engines.
    """

    def draw(
        self, engine: Engine, planes: Planes, flow: Callable[[], Field] | None, *, keep: bool
    ) -> Planes:
        """The engine's result for `planes`, of its size, with what is recalled of the past.

        `flow` finds the way to the picture kept last, (h, w, 2) float32 in pixels of the film's own
        size, at half of which it is; it costs much, and a memory that finds the motion itself never
        calls it. None where there is no way back. `keep`: this is the picture to look back to from
        now on.
        """
        ...

    def forget(self) -> None:
        """The next picture has nothing to look back to."""
        ...


class Backend(Protocol):
    """A way to run networks on this machine."""

    name: str

    def describe(self) -> str:
        """One line for a person: library, version, device, precision."""
        ...

    def compile(self, model: Model, width: int, height: int, bit_depth: int) -> Engine:
        """An engine for pictures of exactly that size. Raises BackendError or ModelError."""
        ...

    def memory(self, factor: int, *, finds_motion: bool, stays: bool = False) -> Memory | None:
        """What its engines recall of pictures `factor` times the film's size, on its device.

        With `finds_motion` it looks for the motion itself, there, and asks nobody; with `stays` the
        results are on the device, too. None where pictures lie on the host:
        `vidgen.motion.history` is for these.
        """
        ...

    def pictures(self) -> GpuPictures | None:
        """What takes pictures from a decoder on its device and gives them to an encoder there.

        None where pictures lie on the host.
        """
        ...

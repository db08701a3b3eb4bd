"""What every backend and every engine does; one conformance suite runs over all of them."""

from __future__ import annotations

from typing import Any, Protocol, Self

from numpy.typing import NDArray

from vidgen.frame import Planes
from vidgen.zoo import Model

__all__ = ["Backend", "Engine"]


class Engine(Protocol):
    """One network, compiled for one picture size; a context manager. Not thread-safe."""

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


class Backend(Protocol):
    """A way to run networks on this machine."""

    name: str

    def describe(self) -> str:
        """One line for a person: library, version, device, precision."""
        ...

    def compile(self, model: Model, width: int, height: int, bit_depth: int) -> Engine:
        """An engine for pictures of exactly that size. Raises BackendError or ModelError."""
        ...

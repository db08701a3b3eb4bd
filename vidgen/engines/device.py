"""What engines on a GPU share: planes go to its memory and come back, and work is replayed.

CuPy holds the memory and the stream. The work of an engine is captured once as a CUDA graph.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vidgen.engines.shapes import Shapes
from vidgen.errors import BackendError
from vidgen.frame import Planes

__all__ = ["Card", "DeviceEngine"]


class Card:
    """One GPU, and the one stream on which a backend does all its work there.

    Raises BackendError where the GPU fails.
    """

    def __init__(self, cupy: ModuleType, number: int = 0) -> None:
        self.cupy, self.number = cupy, number
        cuda = cupy.cuda
        self.failures = cuda.runtime.CUDARuntimeError, cuda.driver.CUDADriverError
        """What CuPy raises where the GPU fails: of memory and streams, and of kernels."""
        with self.current():
            self.stream = cuda.Stream(non_blocking=True)

    @contextmanager
    def current(self) -> Iterator[Any]:
        """It is the current device, which is given. Raises BackendError where the GPU fails."""
        try:
            with self.cupy.cuda.Device(self.number) as device:
                yield device
        except self.failures as error:
            raise BackendError(
                f"GPU {self.number} failed ({error}); where another program fills or holds it, as "
                "nvidia-smi says, end that or give another --device, or --backend openvino"
            ) from error

    def with_room(self, make: Callable[..., Any], *words: Any, width: int, height: int) -> Any:
        """What `make` makes there. Raises BackendError where there is no room for the picture."""
        try:
            made = make(*words)
        except self.cupy.cuda.memory.OutOfMemoryError:
            made = None
        if made is None:
            raise BackendError(
                f"the GPU has no memory left for {width}x{height}; give a smaller --size, "
                "--tier realtime, fewer --jobs, or --backend openvino"
            )
        return made


def nothing() -> None:
    """No work."""


class DeviceEngine(ABC):
    """One network for one picture size on one GPU, which is made the current one for each run.

    `wire` says as what dtype planes cross to it and back. Raises BackendError where the GPU has no
    room.
    """

    def __init__(
        self,
        card: Card,
        inputs: Shapes,
        outputs: Shapes,
        wire: Callable[[np.dtype[Any]], np.dtype[Any]] = lambda dtype: dtype,
    ) -> None:
        self.card, self.inputs, self._outputs = card, inputs, outputs
        self._stream = card.stream
        self._graph: Any = None
        self.given, self.made = (
            {name: self.room(shape, wire(dtype)) for name, (shape, dtype) in shapes.items()}
            for shapes in (inputs, outputs)
        )

    @abstractmethod
    def _execute(self) -> None:
        """Put the work on the stream: from `given` to `made`, by the names of the shapes."""

    def room(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array on the device, not filled. Raises BackendError where there is no room."""
        return self._with_room(self.card.cupy.empty, shape, dtype)

    def _with_room(self, make: Callable[..., Any], *words: Any) -> Any:
        (height, width), _ = next(iter(self._outputs.values()))
        return self.card.with_room(make, *words, width=width, height=height)

    def __call__(self, *planes: NDArray[Any]) -> Planes:
        """Run once. The result belongs to the caller; the inputs are not kept."""
        given = [(plane.shape, plane.dtype) for plane in planes]
        if given != list(self.inputs.values()):
            wanted = ", ".join(f"{dtype} {shape}" for shape, dtype in self.inputs.values())
            raise BackendError(f"the engine takes {wanted}, not {given}")
        return self.run(planes)

    def run(
        self,
        planes: Sequence[NDArray[Any]],
        before: Callable[[], None] = nothing,
        after: Callable[[], None] = nothing,
        *,
        stays: bool = False,
    ) -> Planes:
        """Run once, with what `before` and `after` put on the stream around the network's work.

        `planes` are the first of its inputs, of the host or of the GPU; `before` may write the
        others, and `after` read what was made. With `stays` the result is on the GPU. Raises
        BackendError where the GPU fails.
        """
        with self.card.current():
            try:
                return self._run(planes, before, after, stays)
            except self.card.failures as error:
                (height, width), _ = next(iter(self._outputs.values()))
                raise BackendError(
                    f"the GPU failed at {width}x{height} ({error}); finished segments are kept, "
                    "and the same command goes on from them; failing again, it needs a smaller "
                    "--size, --tier realtime, fewer --jobs, or --backend openvino"
                ) from error

    def _run(
        self,
        planes: Sequence[NDArray[Any]],
        before: Callable[[], None],
        after: Callable[[], None],
        stays: bool,
    ) -> Planes:
        for buffer, plane in zip(self.given.values(), planes, strict=False):
            self._give(buffer, plane)
        before()
        self.enqueue()
        after()
        dtypes = [dtype for _, dtype in self._outputs.values()]
        made = [
            self._kept(buffer, dtype) if stays else buffer.get(stream=self._stream)
            for buffer, dtype in zip(self.made.values(), dtypes, strict=True)
        ]
        self._stream.synchronize()
        self._ran()
        y, uv = (plane.astype(of, copy=False) for plane, of in zip(made, dtypes, strict=True))
        return y, uv

    def _give(self, buffer: Any, plane: NDArray[Any]) -> None:
        if isinstance(plane, np.ndarray):
            buffer.set(np.ascontiguousarray(plane, buffer.dtype), stream=self._stream)
            return
        with self._stream:
            buffer[...] = plane

    def _kept(self, buffer: Any, dtype: np.dtype[Any]) -> Any:
        """A copy on the GPU, since the next run writes over the buffer."""
        with self._stream:
            return self._with_room(buffer.astype, dtype)

    def _ran(self) -> None:  # noqa: B027 - nothing to do for most
        """After each run."""

    def enqueue(self) -> None:
        """Replay the graph on what lies on the device, the current one, and do not wait.

        The first run is an ordinary one, as a capture needs, and is captured after it.
        """
        if self._graph is not None:
            self._graph.launch(self._stream)
            return
        self._execute()
        self._stream.synchronize()
        self._stream.begin_capture()
        try:
            self._execute()
        finally:  # a capture that broke off would replay a part
            graph = self._stream.end_capture()
        self._graph = graph

    def wait(self) -> None:
        """Until all that was enqueued is done."""
        self._stream.synchronize()

    def device_seconds(self, count: int) -> float:
        """Mean time of the device for a picture, of `count` in a row; after a first call.

        What lies on the device is used again: neither copies nor waits of the host are counted.
        """
        cuda = self.card.cupy.cuda
        with self.card.current():
            begin, end = cuda.Event(), cuda.Event()
            begin.record(self._stream)
            for _ in range(count):
                self.enqueue()
            end.record(self._stream)
            end.synchronize()
            milliseconds: float = cuda.get_elapsed_time(begin, end)
        return milliseconds / 1000 / count

    def close(self) -> None:
        """Free the device's memory; calling again does nothing."""
        self._graph = None
        self.given, self.made = {}, {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

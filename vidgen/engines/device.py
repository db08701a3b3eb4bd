"""What engines on a GPU share: planes go to its memory and come back, and work is replayed.

CuPy holds the memory and the stream. The work of an engine is captured once as a CUDA graph.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vidgen.engines.shapes import Shapes
from vidgen.errors import BackendError
from vidgen.frame import Planes

__all__ = ["DeviceEngine"]


class DeviceEngine(ABC):
    """One network for one picture size on one GPU, with memory and a stream of its own.

    `device` is its number; it is made the current one for each run. `wire` says as what dtype
    planes cross to it and back. Raises BackendError where the GPU has no room.
    """

    def __init__(
        self,
        cupy: ModuleType,
        device: int,
        inputs: Shapes,
        outputs: Shapes,
        wire: Callable[[np.dtype[Any]], np.dtype[Any]] = lambda dtype: dtype,
    ) -> None:
        self._cupy, self._inputs, self._outputs = cupy, inputs, outputs
        self._device = device
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._graph: Any = None
        self._given, self._made = (
            {
                name: self._with_room(cupy.empty, shape, wire(dtype))
                for name, (shape, dtype) in shapes.items()
            }
            for shapes in (inputs, outputs)
        )

    @abstractmethod
    def _execute(self) -> None:
        """Put the work on the stream: from `_given` to `_made`, by the names of the shapes."""

    def _with_room(self, make: Callable[..., Any], *words: Any) -> Any:
        try:
            made = make(*words)
        except self._cupy.cuda.memory.OutOfMemoryError:
            made = None
        if made is None:
            (height, width), _ = next(iter(self._outputs.values()))
            raise BackendError(
                f"the GPU has no memory left for {width}x{height}; give a smaller --size, "
                "--tier realtime, fewer --jobs, or --backend openvino"
            )
        return made

    def __call__(self, *planes: NDArray[Any]) -> Planes:
        """Run once. The result belongs to the caller; the inputs are not kept."""
        given = [(plane.shape, plane.dtype) for plane in planes]
        if given != list(self._inputs.values()):
            wanted = ", ".join(f"{dtype} {shape}" for shape, dtype in self._inputs.values())
            raise BackendError(f"the engine takes {wanted}, not {given}")
        try:
            with self._cupy.cuda.Device(self._device):
                return self._run(planes)
        except self._cupy.cuda.runtime.CUDARuntimeError as error:
            (height, width), _ = next(iter(self._outputs.values()))
            raise BackendError(
                f"the GPU failed at {width}x{height} ({error}); finished segments are kept, and "
                "the same command goes on from them; failing again, it needs a smaller --size, "
                "--tier realtime, fewer --jobs, or --backend openvino"
            ) from error

    def _run(self, planes: Sequence[NDArray[Any]]) -> Planes:
        for buffer, plane in zip(self._given.values(), planes, strict=True):
            buffer.set(np.ascontiguousarray(plane, buffer.dtype), stream=self._stream)
        self.enqueue()
        y, uv = (buffer.get(stream=self._stream) for buffer in self._made.values())
        self._stream.synchronize()
        dtypes = [dtype for _, dtype in self._outputs.values()]
        return y.astype(dtypes[0], copy=False), uv.astype(dtypes[1], copy=False)

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
        finally:
            self._graph = self._stream.end_capture()

    def wait(self) -> None:
        """Until all that was enqueued is done."""
        self._stream.synchronize()

    def device_seconds(self, count: int) -> float:
        """Mean time of the device for a picture, of `count` in a row; after a first call.

        What lies on the device is used again: neither copies nor waits of the host are counted.
        """
        cuda = self._cupy.cuda
        with cuda.Device(self._device):
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
        self._given, self._made = {}, {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

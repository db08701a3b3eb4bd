"""CuPy as far as vidgen uses it, on the CPU: memory is NumPy's, kernels run through `shim`.

It keeps to the rules of CUDA that an engine could break unseen: nothing runs during a capture, no
copy and no wait belongs into one, a kernel gets the shared memory that it was promised, an array
stays on the thread that made it, and memory and what crosses to it and back are counted.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.shim import Kernels, compiler
from vidgen.errors import BackendError

__all__ = ["CARD", "standin"]

CARD = "CPU in place of a GPU"
_USUAL_SHARED = 48 * 1024  # bytes a block that need not be asked for


class OutOfMemoryError(Exception):
    pass


class CUDARuntimeError(RuntimeError):
    pass


class CUDADriverError(RuntimeError):
    pass


class CompileError(Exception):
    pass


def standin(shared_bytes: int = 99 * 1024, capability: str = "86", room: int = 2**33) -> Any:
    """A module in CuPy's place, with one GPU of so much shared memory a block and `room` bytes."""
    if compiler() is None:
        raise BackendError("no g++ on the path to compile kernels for the CPU; install one")
    return _CuPy(shared_bytes, capability, room)


class _CuPy(SimpleNamespace):
    def __init__(self, shared_bytes: int, capability: str, room: int) -> None:
        self.shared_bytes, self.room, self.held = shared_bytes, room, 0
        self.bytes_up = self.bytes_down = 0
        """What has crossed to the GPU and back."""
        self.launches = 0
        self.capture: list[Callable[[], None]] | None = None
        super().__init__(
            __version__="0 (stand-in)",
            ndarray=_Array,
            cuda=SimpleNamespace(
                Device=lambda number: _Device(shared_bytes, capability),
                Stream=_Streams(self),
                Event=_Event,
                get_elapsed_time=lambda begin, end: 1000 * (end.seconds - begin.seconds),
                memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
                compiler=SimpleNamespace(CompileException=CompileError),
                driver=SimpleNamespace(CUDADriverError=CUDADriverError),
                runtime=SimpleNamespace(
                    CUDARuntimeError=CUDARuntimeError,
                    getDeviceCount=lambda: 1,
                    getDeviceProperties=lambda number: {"name": CARD.encode()},
                    memGetInfo=lambda: (room - self.held, room),
                ),
            ),
        )

    def empty(self, shape: tuple[int, ...], dtype: Any) -> _Array:
        return _Array(self, np.empty(shape, dtype))

    def asarray(self, values: NDArray[Any]) -> _Array:
        return _Array(self, np.array(values, order="C"))

    def asnumpy(self, array: _Array) -> NDArray[Any]:
        return array.get()

    def RawModule(self, code: str, options: tuple[str, ...]) -> _Module:  # noqa: N802 - CuPy's name
        return _Module(self, code)


class _Array:
    """Memory of the device; what it holds at first is random."""

    def __init__(self, cupy: _CuPy, array: NDArray[Any]) -> None:
        cupy.held += array.nbytes
        if cupy.held > cupy.room:
            cupy.held -= array.nbytes
            raise OutOfMemoryError
        self.array, self.cupy, self.dtype, self.shape = array, cupy, array.dtype, array.shape
        self.itemsize, self.nbytes, self.data = array.itemsize, array.nbytes, _Pointer(self)
        self.thread = threading.get_ident()

    def __getitem__(self, part: Any) -> _View:
        return _View(self, part)

    def __setitem__(self, part: Any, other: _Array) -> None:
        assert self.cupy.capture is None, "it is not for a graph"
        self.here().array[part] = other.here().array

    def astype(self, dtype: Any, copy: bool = True) -> _Array:
        if not copy and dtype == self.dtype:
            return self
        return _Array(self.cupy, self.here().array.astype(dtype))

    def __dlpack__(self, **words: Any) -> Any:
        return self.here().array.__dlpack__(**words)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def here(self) -> Self:
        """Itself, on its own thread."""
        assert threading.get_ident() == self.thread, "an array of the device crossed a thread"
        return self

    def __del__(self) -> None:
        if hasattr(self, "cupy"):
            self.cupy.held -= self.array.nbytes

    def set(self, plane: NDArray[Any], stream: _Stream | None = None) -> None:
        assert self.cupy.capture is None, "a copy from the host in a graph"
        assert plane.dtype == self.dtype
        assert plane.flags.c_contiguous
        self.here().array[...] = plane
        self.cupy.bytes_up += self.nbytes

    def get(self, stream: _Stream | None = None) -> NDArray[Any]:
        assert self.cupy.capture is None, "a copy to the host in a graph"
        self.cupy.bytes_down += self.nbytes
        return self.here().array.copy()


class _View(_Array):
    """A part of another array."""

    def __init__(self, whole: _Array, part: Any) -> None:
        self.whole = whole.here()
        self.array = whole.array[part]
        self.dtype, self.shape, self.thread = whole.dtype, self.array.shape, whole.thread


class _Pointer:
    """Where an array lies."""

    def __init__(self, array: _Array) -> None:
        self.owner, self.ptr = weakref.ref(array), array.array.ctypes.data

    def memset_async(self, value: int, size: int, stream: _Stream) -> None:
        self._bytes(size)[...] = value

    def copy_from_device_async(self, source: _Pointer, size: int, stream: _Stream) -> None:
        self._bytes(size)[...] = source._bytes(size)

    def _bytes(self, size: int) -> NDArray[np.uint8]:
        array = self.owner()
        assert array is not None, "memory that was given back"
        assert array.cupy.capture is None, "it is not for a graph"
        return array.here().array.reshape(-1).view(np.uint8)[:size]


class _Device:
    def __init__(self, shared_bytes: int, capability: str) -> None:
        self.attributes = {"MaxSharedMemoryPerBlockOptin": shared_bytes}
        self.compute_capability = capability

    def synchronize(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


class _Streams:
    """Makes streams; `null` is the default one."""

    def __init__(self, cupy: _CuPy) -> None:
        self.cupy, self.null = cupy, _Stream(cupy)

    def __call__(self, non_blocking: bool) -> _Stream:
        return _Stream(self.cupy)


class _Stream:
    ptr = 7

    def __init__(self, cupy: _CuPy) -> None:
        self.cupy = cupy

    def synchronize(self) -> None:
        assert self.cupy.capture is None, "a capture cannot wait"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def begin_capture(self) -> None:
        assert self.cupy.launches, "kernels must run once before they are captured"
        self.cupy.capture = []

    def end_capture(self) -> _Graph:
        assert self.cupy.capture is not None
        graph = _Graph(self.cupy.capture)
        self.cupy.capture = None
        return graph


class _Event:
    def record(self, stream: _Stream) -> None:
        self.seconds = time.perf_counter()

    def synchronize(self) -> None:
        pass


class _Graph:
    def __init__(self, work: list[Callable[[], None]]) -> None:
        self.work = work

    def launch(self, stream: _Stream) -> None:
        for each in self.work:
            each()


class _Module:
    def __init__(self, cupy: _CuPy, text: str) -> None:
        self.cupy, self.text = cupy, text

    def compile(self) -> None:
        try:
            self.kernels = Kernels(self.text)
        except RuntimeError as error:
            raise CompileError(str(error)) from None

    def get_function(self, name: str) -> _Kernel:
        return _Kernel(self.cupy, self.kernels, name)


class _Kernel:
    def __init__(self, cupy: _CuPy, kernels: Kernels, name: str) -> None:
        self.cupy, self.kernels, self.name = cupy, kernels, name
        self.max_dynamic_shared_size_bytes = _USUAL_SHARED

    def __call__(
        self,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        arguments: tuple[Any, ...],
        shared_mem: int = 0,
        stream: _Stream | None = None,
    ) -> None:
        assert shared_mem <= self.max_dynamic_shared_size_bytes <= self.cupy.shared_bytes
        assert all(isinstance(each, _Array | np.generic) for each in arguments), "CuPy takes no int"
        plain = [each.here().array if isinstance(each, _Array) else each for each in arguments]
        if self.cupy.capture is not None:
            self.cupy.capture.append(lambda: self._run(grid, block, plain, shared_mem))
            return
        self._run(grid, block, plain, shared_mem)

    def _run(self, grid: Any, block: Any, plain: list[Any], shared_mem: int) -> None:
        self.cupy.launches += 1
        self.kernels.launch(self.name, grid, block, plain, shared_mem)

"""Pictures between FFmpeg and engines on one GPU, which never leave it.

FFmpeg's copies run on the default stream, ours on the card's own, which does not wait for that one
(it is non-blocking). So each waits for the other here, in words: twice a picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.engines.device import Card
from vidgen.frame import Planes
from vidgen.kernels import BLOCK, load, over_pixels
from vidgen.surface import Surface

__all__ = ["DevicePictures"]

_KINDS = {1: ("nv12", "u8"), 2: ("p010", "u16")}
"""Bytes a sample -> what kernels call the surface, and the codes."""
_ALIGNED = 256  # bytes: rows of surfaces that are made here; NVIDIA's own are a multiple of it
_MOVED = 16  # bytes a thread moves, see kernels/planes.cu


class DevicePictures:
    """See `GpuPictures`."""

    def __init__(self, card: Card) -> None:
        self._card, self.device = card, card.number
        self._weights: dict[bytes, Any] = {}

    @contextmanager
    def current(self) -> Iterator[None]:
        """Its CUDA context is the current one of this thread, for FFmpeg to share."""
        with self._card.current():
            self._wait_for_others()  # the first work on a device makes its context current
            yield

    def planes(self, surface: Surface) -> Planes:
        """The picture, copied on the GPU: when it is back, the surface may be written over."""
        height, width = surface.height, surface.width
        dtype = np.dtype(np.uint8 if surface.itemsize == 1 else np.uint16)
        with self._card.current():
            y = self._room((height, width), dtype, width, height)
            uv = self._room((height // 2, width // 2, 2), dtype, width, height)
            self._wait_for_others()
            numbers = height, width, surface.pitch, surface.chroma_row
            self._move(f"{_KINDS[surface.itemsize][0]}_to_planes", surface.pointer, y, uv, numbers)
            self._card.stream.synchronize()
        return y, uv

    def surface(self, planes: Planes) -> tuple[Any, Any]:
        """`y (H, W)` and `uv (H/2, W)`, views of one new NV12 or P010 surface, for DLPack."""
        y, uv = planes
        (height, width), itemsize = y.shape, y.dtype.itemsize
        pitch = -(-width * itemsize // _ALIGNED) * _ALIGNED
        with self._card.current():
            whole = self._room((height // 2 * 3, pitch // itemsize), y.dtype, width, height)
            numbers = height, width, pitch, height
            self._move(f"planes_to_{_KINDS[itemsize][0]}", whole.data.ptr, y, uv, numbers)
            self._card.stream.synchronize()
        return whole[:height, :width], whole[height:, :width]

    def half_luma(self, y: NDArray[Any]) -> NDArray[Any]:
        """(H/2, W/2) uint8 on the host, of luma on the GPU."""
        height, width = y.shape
        size = height // 2, width // 2
        with self._card.current():
            half = self._room(size, np.dtype(np.uint8), width, height)
            self._launch("halve", y, size, y, half, height, width)
            found: NDArray[Any] = half.get(stream=self._card.stream)
            self._card.stream.synchronize()
        return found

    def shifted(
        self, uv: NDArray[Any], across: NDArray[Any], down: NDArray[Any], top: int
    ) -> NDArray[Any]:
        """`vidgen.reference.shift.shifted_reference`, there; the weights come from the host."""
        height, width = uv.shape[:2]
        with self._card.current():
            made = self._room(uv.shape, uv.dtype, 2 * width, 2 * height)
            taps = self._there(across), self._there(down)
            numbers = height, width, len(across) // 2, len(down) // 2, top
            self._launch("shift", uv, (height, width), uv, made, *taps, *numbers)
            self._card.stream.synchronize()
        result: NDArray[Any] = made
        return result

    def _there(self, weights: NDArray[Any]) -> Any:
        """They are few, and the same for all pictures of a film: they go up once."""
        key = weights.tobytes()
        if key not in self._weights:
            room = self._room(weights.shape, weights.dtype, len(weights), 1)
            room.set(weights, stream=self._card.stream)
            self._weights[key] = room
        return self._weights[key]

    def _launch(self, file: str, codes: Any, size: tuple[int, int], *arguments: Any) -> None:
        """The kernel of that file for the dtype of `codes`, a thread for each of `size`."""
        name = f"{file}_{_KINDS[codes.dtype.itemsize][1]}"
        kernel = load(file, self._card.number).get_function(name)
        given = tuple(np.int32(each) if isinstance(each, int) else each for each in arguments)
        kernel(*over_pixels(*size), given, stream=self._card.stream)

    def _move(self, name: str, pointer: int, y: Any, uv: Any, numbers: tuple[int, ...]) -> None:
        """Between the surface there and planes."""
        height, width = y.shape
        columns, rows = BLOCK
        row_bytes = width * y.dtype.itemsize
        grid = -(-row_bytes // (columns * _MOVED)), -(-(height + height // 2) // rows)
        kernel = load("planes", self._card.number).get_function(name)
        arguments = np.uintp(pointer), y, uv, *map(np.int32, numbers)
        kernel(grid, BLOCK, arguments, stream=self._card.stream)

    def _room(self, shape: tuple[int, ...], dtype: np.dtype[Any], width: int, height: int) -> Any:
        """An array there, not filled, for a picture of that size."""
        empty = self._card.cupy.empty
        return self._card.with_room(empty, shape, dtype, width=width, height=height)

    def _wait_for_others(self) -> None:
        self._card.cupy.cuda.Stream.null.synchronize()

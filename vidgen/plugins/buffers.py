"""Pictures as bytes, laid as GStreamer lays them, through a `Filter` and back; knows no GStreamer.

An `info` is a GstVideoInfo or its like: `width`, `height`, `size`, `stride` and `offset` of each
plane in bytes, `finfo.name`, `fps_n` over `fps_d` (0: unknown), `par_n` over `par_d`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.errors import InputError
from vidgen.filter import Filter
from vidgen.frame import Color, Frame, Planes, VideoFormat, dtype_of

__all__ = ["Buffers", "Layout"]

_DEPTHS = {"NV12": 8, "I420": 8, "P010_10LE": 10, "I420_10LE": 10}
_TIME_BASE = Fraction(1, 1_000_000_000)
_LEFT, _MIDDLE, _TOP_LEFT = 1, 2, 3  # AVChromaLocation
_SITES = {"mpeg2": _LEFT, "jpeg": _MIDDLE, "cosited": _TOP_LEFT}
_UNKNOWN_LENGTH = 40_000_000  # ns

Timed = tuple[bytes, int, int]
"""A buffer, when it is shown and how long, in nanoseconds."""


class Layout:
    """Where the planes of NV12, I420, P010_10LE or I420_10LE lie in a buffer."""

    def __init__(self, info: Any) -> None:
        self._format, self._info = info.finfo.name, info
        self._dtype = dtype_of(_DEPTHS[self._format])
        self._high = 6 if self._format == "P010_10LE" else 0  # bits by which values lie higher

    def read(self, data: Any, meta: Any = None) -> Planes:
        """A copy of `data`'s planes; `meta` says where they lie if not as usual."""
        y, *rest = self._planes(np.frombuffer(data, np.uint8), meta or self._info)
        uv = np.stack(rest, axis=-1) if len(rest) == 2 else rest[0].reshape(len(rest[0]), -1, 2)
        return y >> self._high, uv >> self._high

    def written(self, planes: Planes) -> bytes:
        """`planes` as a buffer."""
        data = np.zeros(self._info.size, np.uint8)
        y, uv = (plane << self._high for plane in planes)
        luma, *chroma = self._planes(data, self._info)
        luma[:] = y
        if len(chroma) == 1:
            chroma[0][:] = uv.reshape(len(uv), -1)
        else:
            chroma[0][:], chroma[1][:] = uv[..., 0], uv[..., 1]
        return data.tobytes()

    def _planes(self, data: NDArray[np.uint8], where: Any) -> Iterator[NDArray[Any]]:
        width, height = self._info.width, self._info.height
        semi = self._format in ("NV12", "P010_10LE")
        yield self._plane(data, where, 0, height, width)
        for number in (1,) if semi else (1, 2):
            yield self._plane(data, where, number, height // 2, width if semi else width // 2)

    def _plane(
        self, data: NDArray[np.uint8], where: Any, number: int, rows: int, columns: int
    ) -> NDArray[Any]:
        stride, begin = where.stride[number], where.offset[number]
        used = columns * self._dtype.itemsize
        last = begin + stride * (rows - 1) + used
        if last > len(data):
            raise InputError(f"a buffer of {len(data)} bytes, its planes end at {last}")
        view = np.lib.stride_tricks.as_strided(data[begin:last], (rows, used), (stride, 1))
        return view.view(self._dtype)


class Buffers:
    """A stream of buffers of the format `info` through a `Filter` of `words`. Raises UsageError."""

    target: VideoFormat
    """What comes out."""

    def __init__(self, info: Any, chroma_site: str, words: dict[str, Any]) -> None:
        if info.width % 2 or info.height % 2:
            raise InputError(
                f"{info.width}x{info.height} is odd; put videobox or videoscale before"
            )
        self._rate = Fraction(info.fps_n, info.fps_d) if info.fps_n else None
        self._source = VideoFormat(
            info.width,
            info.height,
            self._rate,
            _DEPTHS[info.finfo.name],
            Fraction(info.par_n, info.par_d),
            color=Color(chroma_location=_SITES.get(chroma_site, 0)),
        )
        self._words, self._read = words, Layout(info)
        self.reset()

    def reset(self) -> None:
        """Forget what was before: a new stream of the same format begins."""
        self._filter = Filter(**self._words)
        self.target = self._filter.begin(self._source)

    def lay(self, info: Any) -> None:
        """Have what comes out laid so."""
        self._written = Layout(info)

    def send(self, data: Any, meta: Any, pts: int, duration: int | None) -> list[Timed]:
        """What the buffer completes; times in nanoseconds."""
        length = round(1 / self._rate / _TIME_BASE) if self._rate else _UNKNOWN_LENGTH
        planes = self._read.read(data, meta)
        frame = Frame(*planes, pts, duration or length, _TIME_BASE)
        return [self._timed(each) for each in self._filter.send(frame)]

    def flush(self) -> list[Timed]:
        """What is still held back; the end of the stream."""
        return [self._timed(each) for each in self._filter.flush()]

    def close(self) -> None:
        """Free the engines."""
        self._filter.close()

    @property
    def ahead(self) -> int:
        """Nanoseconds that a picture may be held back until the one after it comes."""
        waits = self._words.get("fps") and self._words.get("generate") == "interpolate"
        return round(2 / self._rate / _TIME_BASE) if waits and self._rate else 0

    def _timed(self, frame: Frame) -> Timed:
        begin, end = round(frame.time / _TIME_BASE), round(frame.end / _TIME_BASE)
        return self._written.written(frame.planes), begin, end - begin

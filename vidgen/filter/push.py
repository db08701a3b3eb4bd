"""The engine as a filter: pictures are pushed in, and what they complete comes back.

    with Filter(scale=2, fps="60", rate="30") as filter:
        for picture in pictures:            # y (H, W) and uv (H/2, W/2, 2), or a Frame
            show(filter.send(picture))
        show(filter.flush())

Nothing is read or written here; the stages are those of `vidgen upscale`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vidgen.errors import UsageError
from vidgen.filter.pushed import Pushed
from vidgen.frame import Color, Frame, Planes, VideoFormat
from vidgen.job import Settings
from vidgen.pipeline import build_stages, output_format
from vidgen.stage import chain
from vidgen.timing import parse_rate

__all__ = ["Chosen", "Filter", "as_planes"]


class Chosen:
    """The stages for words of the command line, given a format; see `Filter` for the words."""

    engine: str
    """One line for a person; empty where no network runs."""

    def __init__(
        self, source: VideoFormat, words: dict[str, Any], origin: Fraction | None = None
    ) -> None:
        nowhere = Path()
        try:
            settings = Settings(source=nowhere, target=nowhere, deinterlace="off", **words)
        except TypeError as error:
            word = str(error).rpartition("argument ")[2]
            raise UsageError(f"{word}: unknown; give words of Settings, as scale=2") from error
        if settings.scale not in (None, 1, 2, 4):
            raise UsageError(f"scale {settings.scale}: give 1, 2 or 4, or another size by size")
        self._steps, self.engine = build_stages(settings, source, origin)
        self.output = output_format(self._steps, source)
        """What comes out."""

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """`frames`, all of the format given, through the stages."""
        return chain(frames, *self._steps.values())


class Filter:
    """Push frames in, get frames out; a context manager.

    The words are those of `Settings` about pictures: `scale`, `size`, `fps`, `generate`, `tier`,
    `model`, `strength`, `backend`, `depth`, `hdr`. `rate` is how many frames come a second, as
    `"25"` or `"30000/1001"`: arrays, which have no time of their own, are stamped by it, and
    `fps="x2"` counts from it. `color` tells chroma's place and, for `hdr="sdr"`, what codes mean.

    Size and depth are those of the first picture, for which the engines are built. Pictures are
    taken as progressive. One thread at a time may call it.
    """

    engine: str = ""
    """What runs the network; known after the first picture."""
    output: VideoFormat | None = None
    """What comes out; known after the first picture."""

    def __init__(
        self, *, rate: str | None = None, color: Color | None = None, **words: Any
    ) -> None:
        self._rate = None if rate is None else parse_rate(rate)
        self._color, self._words = color or Color(), words
        self._source: VideoFormat | None = None
        self._pushed: Pushed[Frame, Frame] | None = None
        self._count = 0

    def send(self, picture: Frame | Iterable[Any]) -> list[Frame]:
        """Frames that `picture` completes, in order; often none yet where frames are made.

        `picture` is a `Frame`, or planes as NumPy or DLPack arrays: `(y, uv)` or `(y, u, v)`, uint8
        or 10-bit uint16. Arrays are copied, so their memory may be filled anew; what comes out may
        share that of a `Frame`. Raises UsageError for a word, a size or depth unlike the first
        one's, and arrays without `rate`; BackendError.
        """
        frame = picture if isinstance(picture, Frame) else self._stamped(as_planes(picture))
        height, width = frame.y.shape
        depth = _DEPTHS[frame.y.itemsize]
        if self._pushed is None or self._source is None:
            self.begin(VideoFormat(width, height, self._rate, depth, color=self._color))
        assert self._pushed is not None
        assert self._source is not None
        first = self._source.width, self._source.height, self._source.bit_depth
        if (width, height, depth) != first:
            raise UsageError(
                f"Filter: a picture of {width}x{height}, {depth} bits, after others; "
                f"flush this filter and make another one"
            )
        return self._pushed.send(frame)

    def begin(self, source: VideoFormat, origin: Fraction | None = None) -> VideoFormat:
        """Take pictures of that format, in place of what the first one tells; what will come out.

        With `fps` an instant of the output lies at `origin` seconds; None: at the first picture.
        Engines are built then. Raises UsageError for a word.
        """
        chosen = Chosen(source, self._words, origin)
        self.engine, self.output, self._source = chosen.engine, chosen.output, source
        self._pushed = Pushed(chosen, "filter")
        return chosen.output

    def flush(self) -> list[Frame]:
        """The frames still held back. It ends the stream: nothing can be sent after it."""
        return self._pushed.end() if self._pushed else []

    def close(self) -> None:
        """Free the engines; frames still held back are lost."""
        if self._pushed:
            self._pushed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _stamped(self, planes: Planes) -> Frame:
        if self._rate is None:
            raise UsageError('Filter: arrays have no time; give rate="25", or send a Frame')
        self._count += 1
        return Frame(*planes, self._count - 1, 1, 1 / self._rate)


_DEPTHS = {1: 8, 2: 10}
"""Bits of a sample by its bytes."""


def as_planes(arrays: Iterable[Any]) -> Planes:
    """`(y, uv)` or `(y, u, v)`, NumPy or DLPack arrays of uint8 or 10-bit uint16, as planes.

    `y` is (H, W), even; `uv` (H/2, W/2, 2) or (H/2, W); `u` and `v` (H/2, W/2). All is copied.
    Raises UsageError for anything else.
    """
    y, *rest = map(_array, arrays)
    uv = np.stack(rest, axis=-1) if len(rest) == 2 else rest[0] if rest else y
    half = y.shape[0] // 2, y.shape[-1] // 2
    fits = y.ndim == 2 and uv.size == 2 * half[0] * half[1] and not any(n % 2 for n in y.shape)
    if not fits or y.dtype != uv.dtype or y.dtype not in (np.uint8, np.uint16):
        raise UsageError(
            f"planes of {y.shape} and {uv.shape}, {y.dtype}: give y (H, W) and uv (H/2, W/2, 2), "
            f"H and W even, uint8 or uint16; from_rgb makes them of a picture in RGB"
        )
    return np.array(y, order="C"), np.array(uv, order="C").reshape(*half, 2)


def _array(array: Any) -> NDArray[Any]:
    if isinstance(array, np.ndarray):
        return array
    if not hasattr(array, "__dlpack__"):
        raise UsageError(f"{type(array).__name__}: give planes as NumPy or DLPack arrays")
    return np.from_dlpack(array)

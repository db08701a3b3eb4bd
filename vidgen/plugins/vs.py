"""Vidgen as a function of VapourSynth: a clip in, a larger and smoother clip out.

    from vidgen.plugins.vs import vidgen
    clip = vidgen(clip, scale=2, fps="60")

VapourSynth may ask for any frame. Frames asked for in order see what was drawn for those before
them; after a jump that memory begins anew, a few frames earlier.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import vapoursynth as vs

from vidgen.errors import UsageError
from vidgen.filter import Filter
from vidgen.frame import Color, Frame, Planes, VideoFormat

__all__ = ["vidgen"]

_BEFORE, _AFTER = 4, 3
"""Frames of the source beside the one on show that a frame may be made from: the memory's run-in,
and the next picture, which may come after two repetitions of this one."""
_KEPT = 64  # frames made and not asked for yet
_DEPTHS = {vs.YUV420P8: 8, vs.YUV420P10: 10}


def vidgen(clip: Any, **words: Any) -> Any:
    """`clip` (YUV420P8 or YUV420P10, constant rate) through a `Filter` of `words`.

    Raises UsageError for a word or a clip that is not accepted.
    """
    source = _format_of(clip)
    target = Filter(**words).begin(source)
    assert source.fps
    fps = target.fps or source.fps
    blank = vs.core.std.BlankClip(
        width=target.width,
        height=target.height,
        format=clip.format.id,
        length=max(1, ceil(clip.num_frames * fps / source.fps)),
        fpsnum=fps.numerator,
        fpsden=fps.denominator,
        keep=True,
    )
    made = _Made(source, fps, clip.num_frames, words)
    stretched = clip.std.BlankClip(length=blank.num_frames, keep=True)
    window = [
        stretched.std.FrameEval(lambda n, ahead=ahead: clip[made.index(n, ahead)])
        for ahead in range(-_BEFORE, _AFTER + 1)
    ]
    return blank.std.ModifyFrame([blank, *window], made)


def _format_of(clip: Any) -> VideoFormat:
    depth = _DEPTHS.get(clip.format.id) if clip.format else None
    if depth is None or not clip.fps_num or clip.width % 2 or clip.height % 2:
        raise UsageError(
            "vidgen: give a clip of constant rate and even size in YUV420P8 or YUV420P10, such as "
            "clip.resize.Bicubic(format=vs.YUV420P10)"
        )
    location = clip.get_frame(0).props.get("_ChromaLocation", 0)
    color = Color(chroma_location=int(location) + 1)  # VapourSynth counts from left, 0
    fps = Fraction(clip.fps_num, clip.fps_den)
    return VideoFormat(clip.width, clip.height, fps, depth, color=color)


class _Made:
    """Makes frame n of what comes out; VapourSynth calls it, one frame at a time."""

    def __init__(
        self, source: VideoFormat, fps: Fraction, count: int, words: dict[str, Any]
    ) -> None:
        self._source, self._fps, self._count, self._words = source, fps, count, words
        assert source.fps
        self._rate = source.fps
        self._filter: Filter | None = None
        self._next = 0
        """The frame of the source that comes after those sent."""
        self._frames: dict[int, Frame] = {}

    def index(self, n: int, ahead: int = 0) -> int:
        """Of the source's frame on show at frame n, or so many later; within the clip."""
        return min(max(int(n * self._rate / self._fps) + ahead, 0), self._count - 1)

    def __call__(self, n: int, f: list[Any]) -> Any:
        """Frame n, of a blank one and those of the source from `_BEFORE` to `_AFTER`."""
        blank, *window = f
        if n not in self._frames:
            self._make(n, window)
        frame, result = self._frames[n], blank.copy()
        for plane, data in enumerate((frame.y, frame.uv[..., 0], frame.uv[..., 1])):
            np.asarray(result[plane])[:] = data
        for name, value in window[_BEFORE].props.items():
            result.props[name] = value
        result.props["_DurationNum"] = self._fps.denominator
        result.props["_DurationDen"] = self._fps.numerator
        return result

    def _make(self, n: int, window: list[Any]) -> None:
        now, first = self.index(n), self.index(n, -_BEFORE)
        passed = any(made > n for made in self._frames)
        if self._filter is None or passed or not first <= self._next <= now + _AFTER:
            self._begin(first)
        assert self._filter is not None
        for number in range(self._next, self.index(n, _AFTER) + 1):
            planes = _planes(window[number - now + _BEFORE])
            self._keep(self._filter.send(Frame(*planes, number, 1, 1 / self._rate)))
            self._next = number + 1
            if n in self._frames:
                return
        self._keep(self._filter.flush())
        self._filter.close()
        self._filter = None

    def _begin(self, first: int) -> None:
        if self._filter is not None:
            self._filter.close()
        self._filter, self._next, self._frames = Filter(**self._words), first, {}
        self._filter.begin(self._source, origin=Fraction(0))

    def _keep(self, frames: list[Frame]) -> None:
        self._frames |= {round(frame.time * self._fps): frame for frame in frames}
        for old in sorted(self._frames)[:-_KEPT]:
            del self._frames[old]


def _planes(frame: Any) -> Planes:
    y, u, v = (np.array(frame[plane]) for plane in range(3))
    return y, np.stack((u, v), axis=-1)

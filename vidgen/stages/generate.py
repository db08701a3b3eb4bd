"""Generate: frames at the exact instants of another rate, made between real ones where needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import chain
from typing import Any

from numpy.typing import NDArray

from vidgen.frame import Frame, Motion, Planes, VideoFormat
from vidgen.motion import Between, FlowEstimator, half_luma, joined
from vidgen.timing import common_time_base, grid

__all__ = ["Generate"]

Synthesis = Callable[[Between, float], Planes]
"""(two real pictures, phase in (0, 1)) -> the planes in between."""

MotionCall = Callable[[], Motion]

_LONGEST_GAP = Fraction(1, 4)
"""Seconds between two frames beyond which the first is held: a slide, not a movement. Nor is motion
sought over more, from a frame to the one shown last."""

_SLACK = Fraction(1, 1000)
"""Seconds within which an instant counts as a frame's own: containers round times to 1 ms, and a
warp over a hundredth of the way costs sharpness and shows nothing."""

_FASTER = Fraction(101, 100)
"""Frames are made only where the output is this much faster than the source."""

_DENSE = Fraction(95, 100)
"""Output steps a pair must span for a frame to be made in it, where the source's rate is known: in
a dense part of a film of variable rate the nearer real frame is better. Below 1, for stamps that
are rounded to 1 ms must not make it flicker between the two."""


@dataclass(frozen=True)
class Generate:
    """Show the film at `origin + n / fps`, n = 0, 1, 2..., whatever part of it comes in.

    Instants in [a.time, b.time) belong to the pair (a, b) of real frames. At a's own instant a
    passes untouched; in between a picture is made from both. a is held where none can be or need
    be made: at a cut, so that the new shot starts at its own time, between equal pictures, over a
    gap longer than a quarter of a second, and after the last frame for as long as that lasts.
    Where the output is no faster than the source, the nearer real frame is shown.

    Every frame but those of a shot before its first real one, and repetitions, carries the motion
    to the real frame shown last. Frames must come from EstimateMotion. One frame of look-ahead.
    """

    fps: Fraction
    synthesis: Synthesis = Between.picture
    """By motion alone, unless something better is given."""
    source_fps: Fraction | None = None
    """The source's average rate; where it is unknown, each pair of frames speaks for itself."""
    origin: Fraction | None = None
    """Seconds; None is the time of the first frame. A part of a film is put on the film's grid."""

    @property
    def slack(self) -> Fraction:
        """Seconds before a frame from which on an instant is the frame's own."""
        return min(_SLACK, 1 / (8 * self.fps))

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` at the new constant rate."""
        return replace(source, fps=self.fps)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield one frame for each instant; the first at or after a cut carries the cut."""
        frames = iter(frames)
        before = next(frames, None)
        if before is None:
            return
        clock = _Clock.of(before.time if self.origin is None else self.origin, self.fps)
        trail, cut = _Trail(), False  # a cut not carried yet
        for number, after in enumerate(chain(frames, [None])):
            cut = cut or before.cut
            trail.enter(number, before)
            for n, picture in self._pictures(before, after, clock.origin):
                yield _stamped(trail.marked(picture), n, clock, cut)
                cut = False
            if after is None:
                return
            before = after

    def _pictures(self, a: Frame, b: Frame | None, origin: Fraction) -> Iterator[tuple[int, Frame]]:
        """Grid index and picture for each instant from `a` until `b` or the end of the film."""
        slack = self.slack
        end = a.end if b is None else b.time
        pair = cache(partial(_pair, a, b or a))
        for n in grid(a.time - slack, end - slack, self.fps, origin):
            late = origin + n / self.fps - a.time
            if late <= slack or b is None or _is_held(a, b):
                yield n, a
            elif self._is_dense(b.time - a.time):
                yield n, (a if 2 * late <= b.time - a.time else b)
            else:
                yield n, self._made(a, pair(), float(late / (b.time - a.time)))

    def _is_dense(self, gap: Fraction) -> bool:
        """Whether the source shows frames as fast as the output does."""
        if self.source_fps is None:
            return gap * self.fps < _FASTER
        return self.fps < _FASTER * self.source_fps or gap * self.fps < _DENSE

    def _made(self, a: Frame, pair: Between, phase: float) -> Frame:
        y, uv = self.synthesis(pair, phase)
        motion = partial(pair.motion, phase)
        return replace(a, y=y, uv=uv, generated=True, motion=motion, duplicate=False)


def _pair(a: Frame, b: Frame) -> Between:
    if b.motion is None:
        raise ValueError("Generate needs frames from EstimateMotion: put that stage before it")
    return Between(a.planes, b.planes, b.motion())


@dataclass(frozen=True, slots=True)
class _Clock:
    """The output's grid in integers: picture n is shown at `first + n * step`."""

    origin: Fraction
    time_base: Fraction
    first: int
    step: int

    @classmethod
    def of(cls, origin: Fraction, fps: Fraction) -> _Clock:
        time_base = common_time_base(origin, 1 / fps)
        return cls(origin, time_base, int(origin / time_base), int(1 / fps / time_base))


@dataclass(frozen=True, slots=True)
class _Shown:
    """A real frame that was shown: no more of it than its motion needs, for memory's sake."""

    number: int
    y: NDArray[Any]
    time: Fraction


class _Trail:
    """The real frame of this shot that was shown last, and the motion that leads to it."""

    def __init__(self) -> None:
        self._estimate = FlowEstimator()
        self._shown: _Shown | None = None

    def enter(self, number: int, frame: Frame) -> None:
        """The film has come to the real frame `number`; what follows is shown from there on."""
        if frame.cut:
            self._shown = None
        self._number, self._first = number, frame
        self._back = self._motion_of(number, frame)

    def marked(self, picture: Frame) -> Frame:
        """`picture` with what is true of it after what was shown before it."""
        if picture.generated:
            return replace(picture, motion=self._motion_of_made(picture.motion))
        number = self._number + (picture is not self._first)
        ahead = number - self._shown.number if self._shown else None
        motion = self._motion_of(number, picture)
        self._shown = _Shown(number, picture.y, picture.time)
        duplicate = ahead == 0 or (ahead == 1 and picture.duplicate)
        return replace(picture, motion=motion, duplicate=duplicate)

    def _motion_of(self, number: int, frame: Frame) -> MotionCall | None:
        """To the real frame shown last; estimated anew where others lie between them."""
        shown = self._shown
        if shown is None or shown.number == number:
            return None
        if shown.number == number - 1:
            return frame.motion
        if frame.time - shown.time > _LONGEST_GAP:
            return None
        return cache(partial(_estimated, self._estimate, shown.y, frame.y))

    def _motion_of_made(self, to_first: MotionCall | None) -> MotionCall | None:
        if self._shown is None or to_first is None:
            return None
        if self._shown.number == self._number:
            return cache(to_first)
        return self._back and cache(partial(_joined, to_first, self._back))


def _estimated(estimate: FlowEstimator, shown: NDArray[Any], y: NDArray[Any]) -> Motion:
    return estimate(half_luma(shown), half_luma(y))


def _joined(last: MotionCall, first: MotionCall) -> Motion:
    return joined(last(), first())


def _stamped(picture: Frame, n: int, clock: _Clock, cut: bool) -> Frame:
    """`picture` at instant n."""
    return replace(
        picture,
        pts=clock.first + n * clock.step,
        duration=clock.step,
        time_base=clock.time_base,
        cut=cut,
    )


def _is_held(a: Frame, b: Frame) -> bool:
    """Whether nothing may be made between two neighbours."""
    return b.cut or b.duplicate or b.time - a.time > _LONGEST_GAP

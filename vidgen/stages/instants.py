"""What all stages share that show a film at the exact instants of another rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from typing import Any

from numpy.typing import NDArray

from vidgen.frame import Frame, Motion, VideoFormat
from vidgen.motion import FlowEstimator, half_luma, joined
from vidgen.stages.synthesis import Synthesis, by_motion
from vidgen.timing import common_time_base

__all__ = ["LONGEST_GAP", "Clock", "Instants", "MotionCall", "Trail", "stamped"]

MotionCall = Callable[[], Motion]

LONGEST_GAP = Fraction(1, 4)
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
class Instants:
    """The output's rate, and how pictures are made for it."""

    fps: Fraction
    synthesis: Synthesis = by_motion
    source_fps: Fraction | None = None
    """The source's average rate; where it is unknown, each pair of frames speaks for itself."""
    origin: Fraction | None = None
    """Seconds; None is the time of the first frame. A part of a film is put on the film's grid."""

    @property
    def slack(self) -> Fraction:
        """Seconds before a frame from which on an instant is the frame's own."""
        return min(_SLACK, 1 / (8 * self.fps))

    @property
    def early(self) -> Fraction:
        """Seconds before a part of the film from which on instants belong to it."""
        return self.slack

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` at the new constant rate."""
        return replace(source, fps=self.fps)

    def is_dense(self, gap: Fraction) -> bool:
        """Whether the source shows frames as fast as the output does, `gap` seconds apart."""
        if self.source_fps is None:
            return gap * self.fps < _FASTER
        return self.fps < _FASTER * self.source_fps or gap * self.fps < _DENSE


@dataclass(frozen=True, slots=True)
class Clock:
    """The output's grid in integers: picture n is shown at `first + n * step`."""

    origin: Fraction
    time_base: Fraction
    first: int
    step: int

    @classmethod
    def of(cls, origin: Fraction, fps: Fraction) -> Clock:
        """The grid of that rate with an instant at `origin`."""
        time_base = common_time_base(origin, 1 / fps)
        return cls(origin, time_base, int(origin / time_base), int(1 / fps / time_base))


def stamped(picture: Frame, n: int, clock: Clock, cut: bool) -> Frame:
    """`picture` at instant n."""
    return replace(
        picture,
        pts=clock.first + n * clock.step,
        duration=clock.step,
        time_base=clock.time_base,
        cut=cut,
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """A real frame that was shown: no more of it than its motion needs, for memory's sake."""

    number: int
    y: NDArray[Any]
    time: Fraction


class Trail:
    """The real frame of this shot that was shown last, and the motion that leads to it."""

    def __init__(self) -> None:
        """Nothing was shown yet."""
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
        number = self._number + (picture.y is not self._first.y)
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
        if frame.time - shown.time > LONGEST_GAP:
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

"""Generate: frames at the exact instants of another rate, made between real ones where needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain

from vidgen.frame import Frame, Motion, Planes, VideoFormat
from vidgen.motion import picture_between
from vidgen.timing import common_time_base, grid

__all__ = ["Generate"]

Synthesis = Callable[[Planes, Planes, Motion, float], Planes]
"""(before, after, motion of `after`, phase in (0, 1)) -> the planes in between."""

_LONGEST_GAP = Fraction(1, 4)
"""Seconds between two frames beyond which the first is held: a slide, not a movement."""

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
    """Show the film at `origin + n / fps`, n = 0, 1, 2..., `origin` the time of the first frame.

    Instants in [a.time, b.time) belong to the pair (a, b) of real frames. At a's own instant a
    passes untouched; in between a picture is made from both. a is held where none can be or need
    be made: at a cut, so that the new shot starts at its own time, between equal pictures, over a
    gap longer than a quarter of a second, and after the last frame for as long as that lasts.
    Where the output is no faster than the source, the nearer real frame is shown.

    Frames must come from EstimateMotion. One frame of look-ahead.
    """

    fps: Fraction
    synthesis: Synthesis = picture_between
    source_fps: Fraction | None = None
    """The source's average rate; where it is unknown, each pair of frames speaks for itself."""

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` at the new constant rate."""
        return replace(source, fps=self.fps)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield one frame for each instant; the first at or after a cut carries the cut."""
        frames = iter(frames)
        before = next(frames, None)
        if before is None:
            return
        clock = _Clock.of(before.time, self.fps)
        shown, cut = -2, False  # number of the real frame shown last; a cut not carried yet
        for number, after in enumerate(chain(frames, [None])):
            cut = cut or before.cut
            for n, picture in self._pictures(before, after, clock.origin):
                real = number + (picture is after)
                yield _stamped(picture, n, clock, cut, real - shown)
                shown, cut = shown if picture.generated else real, False
            if after is None:
                return
            before = after

    def _pictures(self, a: Frame, b: Frame | None, origin: Fraction) -> Iterator[tuple[int, Frame]]:
        """Grid index and picture for each instant from `a` until `b` or the end of the film."""
        slack = min(_SLACK, 1 / (8 * self.fps))
        end = a.end if b is None else b.time
        for n in grid(a.time - slack, end - slack, self.fps, origin):
            late = origin + n / self.fps - a.time
            if late <= slack or b is None or _is_held(a, b):
                yield n, a
            elif self._is_dense(b.time - a.time):
                yield n, (a if 2 * late <= b.time - a.time else b)
            else:
                yield n, self._made(a, b, late / (b.time - a.time))

    def _is_dense(self, gap: Fraction) -> bool:
        """Whether the source shows frames as fast as the output does."""
        if self.source_fps is None:
            return gap * self.fps < _FASTER
        return self.fps < _FASTER * self.source_fps or gap * self.fps < _DENSE

    def _made(self, a: Frame, b: Frame, phase: Fraction) -> Frame:
        if b.motion is None:
            raise ValueError("Generate needs frames from EstimateMotion: put that stage before it")
        y, uv = self.synthesis(a.planes, b.planes, b.motion(), float(phase))
        return replace(a, y=y, uv=uv, generated=True, motion=None, duplicate=False)


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


def _stamped(picture: Frame, n: int, clock: _Clock, cut: bool, ahead: int) -> Frame:
    """`picture` at instant n, `ahead` real frames after the one shown last (0: held again).

    What it says of the frame before it stays only where that frame was shown.
    """
    follows = ahead == 1 and not picture.generated
    held = ahead == 0 and not picture.generated
    return replace(
        picture,
        pts=clock.first + n * clock.step,
        duration=clock.step,
        time_base=clock.time_base,
        cut=cut,
        duplicate=held or (follows and picture.duplicate),
        motion=picture.motion if follows else None,
    )


def _is_held(a: Frame, b: Frame) -> bool:
    """Whether nothing may be made between two neighbours."""
    return b.cut or b.duplicate or b.time - a.time > _LONGEST_GAP

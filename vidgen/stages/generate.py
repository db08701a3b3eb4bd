"""Generate: frames at the exact instants of another rate, made between real ones where needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import chain

from vidgen.frame import Frame
from vidgen.motion import Between
from vidgen.stages.instants import LONGEST_GAP, Clock, Instants, Trail, stamped
from vidgen.stages.synthesis import Synthesizer
from vidgen.timing import grid

__all__ = ["Generate"]

_MOST_REPEATS = 2  # one: drawn on twos, or pulldown; two: on threes; more: the film stands still


@dataclass(frozen=True)
class Generate(Instants):
    """Show the film at `origin + n / fps`, n = 0, 1, 2..., whatever part of it comes in.

    Instants in [a.time, b.time) belong to the pair (a, b) of real frames. At a's own instant a
    passes untouched; in between a picture is made from both. a is held where none can be or need
    be made: at a cut, between equal pictures, over a gap longer than a quarter of a second, and
    after the last frame for as long as that lasts. There b begins at the instant that is nearest to
    its time, so that a new shot is never more than half a step away from its sound. The nearer
    frame is held where both hardly agree on anything, or the output is no faster than the source.

    A picture that is shown two or three times in the midst of a movement, as animation is drawn
    and as pulldown leaves it, is shown once, and frames are made at the instants of its repetition.

    Every frame but those of a shot before its first real one, and repetitions, carries the motion
    to the real frame shown last. Frames must come from EstimateMotion. One frame of look-ahead,
    and two more where a picture is repeated.
    """

    @property
    def early(self) -> Fraction:
        """Half a step, by which a new shot may be early. See `Instants`."""
        return 1 / (2 * self.fps)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield one frame for each instant; the first at or after a cut carries the cut."""
        frames = _evenly(frames)
        before = next(frames, None)
        if before is None:
            return
        clock = Clock.of(before.time if self.origin is None else self.origin, self.fps)
        trail, cut = Trail(), False  # a cut not carried yet
        begin = before.time - self.early
        with self.synthesis() as synthesizer:
            for number, after in enumerate(chain(frames, [None])):
                cut = cut or before.cut
                trail.enter(number, before)
                end = self._end(before, after)
                instants = grid(begin, end, self.fps, clock.origin)
                for n, picture in self._pictures(before, after, instants, clock, synthesizer):
                    yield stamped(trail.marked(picture), n, clock, cut)
                    cut = False
                if after is None:
                    return
                before, begin = after, end

    def _end(self, a: Frame, b: Frame | None) -> Fraction:
        """When the instants of the pair end, and those of the next one begin."""
        if b is None:
            return a.end - self.slack
        return b.time - (min(self.early, b.time - a.time) if _held(a, b) else self.slack)

    def _pictures(
        self, a: Frame, b: Frame | None, instants: range, clock: Clock, synthesizer: Synthesizer
    ) -> Iterator[tuple[int, Frame]]:
        """Grid index and picture for each of `instants`."""
        pair = cache(partial(_pair, a, b or a))
        for n in instants:
            late = clock.origin + n / self.fps - a.time
            if late <= self.slack or b is None:
                yield n, a
            elif held := _held(a, b):
                yield n, replace(a, held=held)
            elif self.is_dense(b.time - a.time):
                yield n, (a if 2 * late <= b.time - a.time else b)
            else:
                yield n, _made(a, b, pair(), late / (b.time - a.time), synthesizer)


def _pair(a: Frame, b: Frame) -> Between:
    if b.motion is None:
        raise ValueError("Generate needs frames from EstimateMotion: put that stage before it")
    return Between(a.planes, b.planes, b.motion())


def _made(a: Frame, b: Frame, pair: Between, phase: Fraction, synthesizer: Synthesizer) -> Frame:
    """The picture between them; the nearer of the two where they do not agree."""
    if not pair.agrees(float(phase)):
        return replace(a if 2 * phase <= 1 else b, held="doubt")
    y, uv = synthesizer(pair, float(phase))
    motion = partial(pair.motion, float(phase))
    return replace(a, y=y, uv=uv, generated=True, motion=motion, duplicate=False)


def _held(a: Frame, b: Frame) -> str:
    """Why nothing may be made between two neighbours; empty where it may."""
    if b.cut:
        return "cut"
    if b.duplicate:
        return "repeat"
    return "gap" if b.time - a.time > LONGEST_GAP else ""


def _evenly(frames: Iterable[Frame]) -> Iterator[Frame]:
    """`frames` without the repetitions of a picture that was moving before and moves on after."""
    waiting: list[Frame] = []  # repetitions of which it is not known yet whether they are shown
    repeats = 0
    last: Frame | None = None
    moving = False  # whether the last picture was another one than those before it
    for frame in frames:
        if frame.duplicate:
            repeats += 1
            waiting.append(frame)
            if not moving or repeats > _MOST_REPEATS:
                yield from waiting
                waiting = []
            continue
        if frame.cut or last is None or frame.time - last.time > LONGEST_GAP:
            yield from waiting
        moving = not frame.cut and repeats <= _MOST_REPEATS
        waiting, repeats, last = [], 0, frame
        yield frame
    yield from waiting

"""Predict: frames at the exact instants of another rate, without waiting for the next real one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import chain, pairwise

from vidgen.errors import UsageError
from vidgen.frame import Frame, Planes
from vidgen.motion import Ahead, FlowEstimator, half_luma
from vidgen.stages.instants import LONGEST_GAP, Clock, Instants, Trail, stamped
from vidgen.stages.synthesis import Synthesizer, by_motion
from vidgen.timing import grid

__all__ = ["Predict", "predict"]

_FARTHEST = 2  # intervals after the last frame, from which on the picture made last stays


@dataclass(frozen=True)
class Predict(Instants):
    """Show the film at `origin + n / fps` as `Generate` does, from the past alone. No look-ahead.

    At a real frame's own instant it passes untouched; from then on pictures are made from it and
    those before it. All instants until its end are shown at once, those after that when the next
    frame comes. A frame is held where its shot has no past, where it repeats the one before it,
    after a long gap, where the past does not tell, and in films no slower than the output. What a
    cut will show is not known before it: until then the old shot goes on.

    Frames must come from EstimateMotion.
    """

    makes: bool = True
    """False: every frame is held until the next one comes."""

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield one frame for each instant; the first at or after a cut carries the cut."""
        show = _Show()
        with self.synthesis() as synthesizer:
            for number, frame in enumerate(chain(frames, [None])):
                if show.last is not None:
                    until = show.last.end if frame is None else frame.time
                    yield from self._shown(show, until, synthesizer)
                if frame is None:
                    return
                show.enter(number, frame, self)
                yield from self._shown(show, frame.end, synthesizer)

    def _shown(self, show: _Show, until: Fraction, synthesizer: Synthesizer) -> Iterator[Frame]:
        """What is shown from the instant that comes next on, of the last frame."""
        last, clock = show.last, show.clock
        assert last is not None
        assert clock is not None
        begin, slack = clock.origin + show.next / self.fps, self.slack
        for n in grid(begin, until - slack, self.fps, clock.origin):
            late = clock.origin + n / self.fps - last.time
            picture = last if late <= slack else self._after(show, last, late, synthesizer)
            yield stamped(show.trail.marked(picture), n, clock, show.cut)
            show.next, show.cut = n + 1, False

    def _after(self, show: _Show, last: Frame, late: Fraction, synthesizer: Synthesizer) -> Frame:
        """The picture so many seconds after the last frame."""
        held = show.held if self.makes else "off"
        if held or self.is_dense(last.time - show.previous_time):
            return replace(last, held=held)
        ahead = show.ahead()
        time = min(late / (last.time - show.previous_time), Fraction(_FARTHEST))
        if not ahead.agrees():
            return replace(last, held="doubt")
        y, uv = synthesizer(ahead, float(time))
        motion = partial(ahead.motion, float(time))
        return replace(last, y=y, uv=uv, generated=True, motion=motion, duplicate=False)


def predict(frames: Sequence[Planes], count: int) -> list[Planes]:
    """The next `count` pictures of a shot, at the pace of the last ones.

    `frames` are at least one, `y (H, W)` and `uv (H/2, W/2, 2)` each, uint8 or 10-bit uint16, the
    oldest first; the last three are looked at. A single one is repeated. The result belongs to the
    caller.
    Raises UsageError where there is none, or where their sizes differ.
    """
    if not frames or len({(plane.shape, plane.dtype) for plane, _ in frames}) != 1:
        raise UsageError("predict: give one picture or more, all of one size and depth")
    if len(frames) == 1:
        y, uv = frames[0]
        return [(y.copy(), uv.copy()) for _ in range(count)]
    estimate = FlowEstimator(fine=True)
    lumas = [half_luma(y) for y, _ in frames[-3:]]
    *earlier, motion = (estimate(*pair) for pair in pairwise(lumas))
    ahead = Ahead(frames[-2], frames[-1], motion, earlier[0] if earlier else None)
    with by_motion() as synthesizer:
        return [synthesizer(ahead, float(number)) for number in range(1, count + 1)]


@dataclass(slots=True)
class _Show:
    """How far the film is shown, and the frames that tell what comes."""

    trail: Trail = field(default_factory=Trail)
    clock: Clock | None = None
    next: int = 0
    """The first instant that was not shown yet."""
    cut: bool = False
    """A cut that no frame has carried yet."""
    last: Frame | None = None
    previous: Frame | None = None
    earlier_interval: Fraction | None = None
    """Seconds from the frame before `previous` to that; None where it is of another shot."""
    made: Ahead | None = None

    def enter(self, number: int, frame: Frame, stage: Predict) -> None:
        """The film has come to `frame`."""
        if self.clock is None:
            origin = frame.time if stage.origin is None else stage.origin
            self.clock = Clock.of(origin, stage.fps)
            until = frame.time + 1 / stage.fps
            self.next = grid(frame.time - stage.slack, until, stage.fps, origin).start
        self.cut = self.cut or frame.cut
        self.trail.enter(number, frame)
        self.earlier_interval = None
        if self.last is not None and self.previous is not None and self.last.motion is not None:
            self.earlier_interval = self.last.time - self.previous.time
        self.previous, self.last, self.made = self.last, frame, None

    @property
    def previous_time(self) -> Fraction:
        assert self.previous is not None
        return self.previous.time

    @property
    def held(self) -> str:
        """Why nothing may be made after the last frame; empty where it may."""
        assert self.last is not None
        if self.last.cut or self.previous is None or self.last.motion is None:
            return "cut"
        if self.last.duplicate:
            return "repeat"
        longest = max(self.last.time - self.previous.time, self.last.end - self.last.time)
        return "gap" if longest > LONGEST_GAP else ""

    def ahead(self) -> Ahead:
        """What comes after the last frame, kept until the next one comes."""
        if self.made is None:
            last, previous = self.last, self.previous
            assert last is not None
            assert previous is not None
            assert last.motion is not None
            earlier, ratio = None, 1.0
            if previous.motion is not None and self.earlier_interval:
                earlier = previous.motion()
                ratio = float(self.earlier_interval / (last.time - previous.time))
            self.made = Ahead(previous.planes, last.planes, last.motion(), earlier, ratio)
        return self.made

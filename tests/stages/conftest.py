"""A film for the stages that deal with time: pictures of 2x2, each known by its array."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from vidgen.frame import Frame, Motion
from vidgen.stages.generate import Generate

MILLISECOND = Fraction(1, 1000)


@pytest.fixture
def film_of():
    """`film_of(times, ...)`: see `Film`."""
    return Film


@dataclass
class Film:
    """Frames with a picture and a motion of their own, and a note of each picture made."""

    times: list[Fraction]
    """Start of each frame, and the end of the last, in seconds."""
    cuts: tuple[int, ...] = (0,)
    duplicates: Sequence[int] = ()
    time_base: Fraction = Fraction(1, 24000 * 30 * 7)
    frames: list[Frame] = field(init=False)
    made: dict[int, tuple[int, int, float]] = field(default_factory=dict)
    """Of a made picture's `id`: indices of the frames before and after, and the phase."""
    kept: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self):
        ticks = [time / self.time_base for time in self.times]
        assert all(tick.denominator == 1 for tick in ticks)
        self.frames = [
            Frame(
                *picture(),
                int(start),
                int(end - start),
                self.time_base,
                cut=number in self.cuts,
                duplicate=number in self.duplicates,
                motion=None if number in self.cuts else motion(),
            )
            for number, (start, end) in enumerate(pairwise(ticks))
        ]

    def index(self, y) -> int:
        return next(n for n, frame in enumerate(self.frames) if frame.y is y)

    def synthesis(self, pair, phase):
        """In place of a network: notes what it was given, gives a new picture."""
        number, following = (self.index(end[0]) for end in (pair.before, pair.after))
        between = range(number + 1, following)
        assert all(each in self.duplicates for each in between)
        assert len(between) <= 2
        assert pair.given is self.frames[following].motion()
        assert type(phase) is float
        planes = picture()
        self.kept.append(planes[0])  # so that no later picture has its id
        self.made[id(planes[0])] = number, following, phase
        return planes

    def opened(self):
        return nullcontext(self.synthesis)

    def shown_at(self, fps, source_fps=None) -> list[Frame]:
        return list(Generate(Fraction(fps), self.opened, source_fps)(self.frames))

    def check_grid(self, shown, fps):
        """No gap, no double, no drift, and as long as the film to within one frame."""
        origin, end, fps = self.times[0], self.times[-1], Fraction(fps)
        assert [frame.time for frame in shown] == [origin + n / fps for n in range(len(shown))]
        assert all(frame.end - frame.time == 1 / fps for frame in shown)
        assert len({frame.time_base for frame in shown}) == 1
        assert abs(shown[-1].end - end) < 1 / fps

    def check_pictures(self, shown, tolerance=MILLISECOND):
        """Each picture is the real one of its time, or made between its neighbours at its phase."""
        for frame in shown:
            if frame.generated:
                before, after, phase = self.made[id(frame.y)]
                start, stop = self.times[before], self.times[after]
                assert start + tolerance < frame.time < stop - tolerance
                assert phase == float((frame.time - start) / (stop - start))
                assert not frame.duplicate
            else:
                number = self.index(frame.y)
                assert frame.uv is self.frames[number].uv
                self.check_real(number, frame, tolerance)

    def check_motion(self, shown):
        """Each frame has motion if a real one of its shot was shown before it, not long ago."""
        last = None
        for frame in shown:
            number = self.made[id(frame.y)][0] if frame.generated else self.index(frame.y)
            if last is not None and any(last < cut <= number for cut in self.cuts):
                last = None
            near = last is not None and (
                number - last <= 1 or self.times[number] - self.times[last] <= Fraction(1, 4)
            )
            again = not frame.generated and number == last
            assert (frame.motion is not None) == (near and not again)
            if near and not frame.generated and number == last + 1:
                assert frame.motion is self.frames[number].motion
            last = last if frame.generated else number

    def check_real(self, number, frame, tolerance):
        """A real frame away from its own time is held for a reason, or the nearest one."""
        late = frame.time - self.times[number]
        if late < -tolerance:
            gap = self.times[number] - self.times[number - 1]
            assert gap < frame.duration * frame.time_base * 101 / 100
            assert -2 * late <= gap
        elif late > tolerance and number + 1 < len(self.frames):
            following, gap = self.frames[number + 1], self.times[number + 1] - self.times[number]
            held = following.cut or following.duplicate or gap > Fraction(1, 4)
            nearest = gap < frame.duration * frame.time_base * 101 / 100 and 2 * late <= gap
            assert held or nearest

    def text_of(self, shown) -> str:
        """A line a frame: pts, duration, picture, flags. `3+2/5`: made 2/5 of the way to 4;
        `3-5+2/5`: to 5."""
        lines = [f"#tb {shown[0].time_base}", "#pts, duration, picture, flags"]
        for frame in shown:
            if frame.generated:
                before, after, phase = self.made[id(frame.y)]
                to = "" if after == before + 1 else f"-{after}"
                what = f"{before}{to}+{Fraction(phase).limit_denominator(5000)}"
            else:
                what = str(self.index(frame.y))
            flags = [name for name in ("cut", "duplicate", "generated") if getattr(frame, name)]
            flags += [f"held: {frame.held}"] if frame.held else []
            flags += ["motion"] if frame.motion else []
            lines.append(", ".join([str(frame.pts), str(frame.duration), what, *flags]))
        return "\n".join(lines) + "\n"


def picture():
    return np.zeros((2, 2), np.uint8), np.zeros((1, 1, 2), np.uint8)


def motion():
    flow, confidence = np.zeros((1, 1, 2), np.float32), np.zeros((1, 1), np.float32)
    found = Motion(flow, lambda: flow, lambda: (confidence, confidence))
    return lambda: found

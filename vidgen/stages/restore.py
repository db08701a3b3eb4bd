"""Restore: fields become whole pictures, at the instants at which they were taken."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, chain, groupby, pairwise

import numpy as np

from vidgen.frame import Frame, Planes, VideoFormat
from vidgen.restore import Field, deinterlaced, rows_of, woven_planes
from vidgen.scan import Run, Scan
from vidgen.timing import common_time_base

__all__ = ["Restore"]

Timed = tuple[Planes, Fraction]
"""A picture and when it is first shown, in seconds on the film's clock."""


@dataclass(frozen=True)
class Restore:
    """Undo interlace and pulldown as a `Scan` says.

    Interlaced frames give a picture a field, the second half a frame later; film hidden in fields
    comes out picture by picture, untouched, at its own even pace; other frames pass. What comes out
    of a frame depends on the scan and on three frames to either side, no more, so that any part of
    a film is restored as in the whole.
    """

    scan: Scan
    fields: bool = True
    """False: one picture a frame from interlaced frames, of the earlier field."""
    shrinks: bool = False
    """True: what comes out is shown at half its rows or fewer, which takes less care."""

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` at its new average rate."""
        if source.fps is None:
            return source
        return replace(source, fps=source.fps * self.scan.pictures_per_frame(fields=self.fields))

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield pictures of one time base; four frames of look-ahead at most."""
        frames = iter(frames)
        first = next(frames, None)
        if first is None:
            return
        time_base = self._time_base(first.time_base)
        starts = [run.pts for run in self.scan.runs]

        def run_of(frame: Frame) -> Run:
            return self.scan.runs[max(bisect_right(starts, frame.pts) - 1, 0)]

        for run, part in groupby(chain([first], frames), key=run_of):
            yield from _shown(self._restored(run, part), time_base)

    def _time_base(self, own: Fraction) -> Fraction:
        """In which all times of the scan are whole."""
        times = [own / 2]
        for run in self.scan.runs:
            if run.kind in ("film", "paced"):
                step, field = _steps(run, self.scan.rate)
                times += [step, field]
        return common_time_base(*times)

    def _restored(self, run: Run, frames: Iterable[Frame]) -> Iterator[Frame | Timed | Fraction]:
        """Frames as they are, or pictures and then the time at which the last of them ends."""
        if run.kind == "interlaced":
            yield from self._each_field(run, frames)
        elif run.kind == "film":
            yield from _film(run, frames, self.scan)
        elif run.kind == "paced":
            yield from _paced(run, frames, self.scan)
        else:
            yield from frames

    def _each_field(self, run: Run, frames: Iterable[Frame]) -> Iterator[Timed | Fraction]:
        """A picture a field, or of every first one."""
        times: list[Fraction] = []
        end, height = Fraction(0), 0

        def split() -> Iterator[Field]:
            nonlocal end, height
            for number, frame in enumerate(frames):
                height, planes = len(frame.y), _in_fours(frame.planes)
                fresh = number == 0 or frame.pts in cuts
                for late, parity in enumerate((0, 1) if run.top_first else (1, 0)):
                    wanted = self.fields or not late
                    if wanted:
                        times.append((frame.time + frame.end * late) / (1 + late))
                    yield Field(rows_of(planes, parity), parity, fresh and not late, wanted)
                end = frame.end

        cuts = set(self.scan.cuts)
        for y, uv in deinterlaced(split(), self.shrinks):
            yield (y[:height], uv[: height // 2]), times.pop(0)
        yield end


def _in_fours(planes: Planes) -> Planes:
    """With two rows more where else one field had a row of chroma more, as of 486 lines: each the
    last one of its own field."""
    y, uv = planes
    if len(uv) % 2 == 0:
        return planes
    return np.concatenate([y, y[-2:]]), np.concatenate([uv, uv[-2:][:1]])


def _shown(pictures: Iterable[Frame | Timed | Fraction], time_base: Fraction) -> Iterator[Frame]:
    """Frames of that time base, each until the next begins."""
    before: Timed | None = None
    for picture in pictures:
        if isinstance(picture, Frame):
            pts, duration = int(picture.time / time_base), picture.end - picture.time
            yield replace(picture, pts=pts, duration=int(duration / time_base), time_base=time_base)
            continue
        time = picture if isinstance(picture, Fraction) else picture[1]
        if before is not None:
            (y, uv), begin = before
            pts, end = int(begin / time_base), int(time / time_base)
            yield Frame(y, uv, pts, end - pts, time_base)
        before = None if isinstance(picture, Fraction) else picture


def _steps(run: Run, rate: Fraction | None) -> tuple[Fraction, Fraction]:
    """Seconds from picture to picture of a run of film, and of one field."""
    if not rate:
        raise ValueError("a scan with film in it needs a rate")
    field = 1 / (2 * rate)
    cycle = run.cycle or (3, 2)
    return field * Fraction(sum(cycle), len(cycle)), field


def _paced(run: Run, frames: Iterable[Frame], scan: Scan) -> Iterator[Timed | Fraction]:
    """Frames at an even pace, which their own times only approach."""
    step, _ = _steps(run, scan.rate)
    begin, end = run.pts * scan.time_base, Fraction(0)
    for frame in frames:
        yield frame.planes, begin + round((frame.time - begin) / step) * step
        end = frame.end
    yield end


@dataclass
class _Groups:
    """Which fields of a run make which picture. Fields are counted from the run's first one."""

    run: Run

    def __post_init__(self) -> None:
        self.ends = list(accumulate(self.run.cycle))

    def of(self, field: int) -> int:
        """The number of the picture that a field shows."""
        around, place = divmod(field + self.run.phase, self.ends[-1])
        return around * len(self.ends) + bisect_right(self.ends, place)

    def first(self) -> int:
        """The first picture of which the run holds both fields."""
        number = self.of(0)
        return number if self.of(1) == number else number + 1


def _film(run: Run, frames: Iterable[Frame], scan: Scan) -> Iterator[Timed | Fraction]:
    """The pictures that lie in the fields.

    A single field that an edit left over is dropped, its time goes to the picture before it. The
    first whole picture begins with the run, the others follow at an even pace from the time of the
    first one's first field.
    """
    groups, (step, field) = _Groups(run), _steps(run, scan.rate)
    begin, end, first = run.pts * scan.time_base, Fraction(0), groups.first()
    late = field * (groups.of(0) != first)
    held: list[tuple[Frame, int]] = []  # fields of one picture: their frame and parity
    number = first

    def picture() -> Iterator[Timed]:
        planes = _whole(held)
        if planes is not None:
            yield planes, begin + ((number - first) * step + late if number > first else 0)

    for frame in frames:
        count = round((frame.time - begin) / (2 * field))
        for place, parity in enumerate((0, 1) if run.top_first else (1, 0)):
            showing = groups.of(2 * count + place)
            if showing != number:
                yield from picture()
                held.clear()
            held.append((frame, parity))
            number = showing
        end = frame.end
    yield from picture()
    yield end


def _whole(fields: list[tuple[Frame, int]]) -> Planes | None:
    """The picture of some fields: as it was coded if both are of one frame; None for a lone one."""
    for (frame, _), (following, _) in pairwise(fields):
        if frame is following:
            return frame.planes
    parts = {parity: rows_of(frame.planes, parity) for frame, parity in reversed(fields)}
    return woven_planes(parts[0], parts[1]) if len(parts) == 2 else None

"""From the state of each frame to runs: unbroken stretches that are restored in one way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median

from vidgen.restore.cadence import State
from vidgen.scan import Run
from vidgen.timing import snap_rate

__all__ = ["Seen", "frame_rate", "runs_of"]

_REGULAR = Fraction(1, 8)  # of a frame: what a stamp in a regular rhythm may be off, plus a tick
_ALTERNATING = (Fraction(13, 10), Fraction(17, 10))  # three fields over two, stamps being rounded
_SHORTEST_PACED = 6  # frames
_SHORTEST_FILM = 3  # frames: they hold a whole picture, whatever the phase
_REPEATS_TO_BELIEVE = 3  # cycles of repeated frames; fewer may be chance
_NEAR_RATE = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame of the first pass; times in units of the stream's time base."""

    pts: int
    duration: int


def runs_of(
    path: Sequence[State], seen: Sequence[Seen], breaks: Collection[int] = ()
) -> tuple[Run, ...]:
    """The runs of a film whose frames have those states; none goes on to a frame in `breaks`."""
    runs: list[Run] = []
    begin = 0
    for number in range(1, len(path) + 1):
        if number < len(path) and number not in breaks and _goes_on(path, seen, begin, number):
            continue
        runs += _run(path[begin], seen, begin, number)
        begin = number
    return tuple(_merged(runs))


def _goes_on(path: Sequence[State], seen: Sequence[Seen], begin: int, number: int) -> bool:
    """Whether a frame continues the run of the one before it."""
    before = path[number - 1]
    if path[number] != before.after():
        return False
    if before.kind != "film":
        return True
    # Positions in a cycle are found by time, so a gap begins a run of its own.
    usual = seen[begin].duration
    return abs(seen[number - 1].duration - usual) <= usual * _REGULAR + 1


def _run(state: State, seen: Sequence[Seen], begin: int, end: int) -> Iterable[Run]:
    run = Run(seen[begin].pts, end - begin, state.kind, state.top_first)
    if state.kind == "film":
        whole = all(length % 2 == 0 for length in state.cycle) and state.offset % 2 == 0
        if whole and 2 * run.frames < _REPEATS_TO_BELIEVE * sum(state.cycle):
            return [replace(run, kind="progressive")]
        if run.frames < _SHORTEST_FILM:
            return [replace(run, kind="interlaced")]
        return [replace(run, cycle=state.cycle, phase=state.offset)]
    if state.kind == "progressive":
        return _paced(seen, begin, end)
    return [run]


def _paced(seen: Sequence[Seen], begin: int, end: int) -> Iterable[Run]:
    """Whole frames, apart by whether their times alternate between two and three fields."""
    uneven = [_alternates(seen, number, end) for number in range(begin, end)]
    first = begin
    for number in range(begin + 1, end + 1):
        if number < end and uneven[number - begin] == uneven[first - begin]:
            continue
        long = number - first >= _SHORTEST_PACED
        kind = "paced" if uneven[first - begin] and long else "progressive"
        yield Run(seen[first].pts, number - first, kind)
        first = number


def _alternates(seen: Sequence[Seen], number: int, end: int) -> bool:
    """Whether a frame and the next last three fields and two, or two and three."""
    other = number + 1 if number + 1 < end else number - 1
    if other < 0 or not seen[number].duration or not seen[other].duration:
        return False
    pair = seen[number].duration, seen[other].duration
    return _ALTERNATING[0] < Fraction(max(pair), min(pair)) < _ALTERNATING[1]


def _merged(runs: Iterable[Run]) -> Iterable[Run]:
    """Neighbours of the same kind as one, where the run has no position in a cycle."""
    before: Run | None = None
    for run in runs:
        if before is None:
            before = run
        elif run.kind != "film" and (before.kind, before.top_first) == (run.kind, run.top_first):
            before = replace(before, frames=before.frames + run.frames)
        else:
            yield before
            before = run
    if before is not None:
        yield before


def frame_rate(
    runs: Sequence[Run], seen: Sequence[Seen], time_base: Fraction, stated: Fraction | None
) -> Fraction | None:
    """Frames a second of the film's regular parts: as stated, if the times agree, else by these.

    A frame of a paced run lasts two and a half fields on average.
    """
    place = {each.pts: number for number, each in enumerate(seen)}
    lengths: list[Fraction] = []
    for run in runs:
        if run.kind in ("film", "interlaced", "paced"):
            first = place[run.pts]
            durations = [each.duration for each in seen[first : first + run.frames]]
            share = Fraction(4, 5) if run.kind == "paced" else Fraction(1)
            total = Fraction(sum(durations[:-1] or durations), len(durations[:-1] or durations))
            lengths += [total * share] * run.frames
    if not lengths or not median(lengths):
        return stated
    measured = 1 / (median(lengths) * time_base)
    if stated is not None and abs(stated - measured) < _NEAR_RATE * measured:
        return stated
    return snap_rate(measured)

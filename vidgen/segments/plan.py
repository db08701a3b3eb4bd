"""Where a film is cut into segments: at shots, found by looking at the source near even times.

Each beginning is a function of the source, the settings and the one before it, so that everyone who
works on the film finds the same ones, whenever and wherever he looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from math import floor

from vidgen.errors import InputError
from vidgen.frame import Frame
from vidgen.job import Job, Segment
from vidgen.media import Decoder
from vidgen.motion import ChangeDetector, half_luma

__all__ = ["Start", "most_segments", "segments", "starts"]

_BEFORE = Fraction(1, 2)  # seconds in which a frame to compare the first one with is looked for


@dataclass(frozen=True, slots=True)
class Start:
    """Where a segment begins."""

    time: Fraction
    """Of its first frame, in seconds on the source's clock."""
    fresh: bool
    """True where a shot begins there."""


def starts(job: Job, after: Start | None = None) -> Iterator[Start]:
    """Where segments begin; those behind `after`, where it is given.

    One for each multiple of the wanted length, but none for a short rest: the first cut within half
    a length after it, else, in a long shot, the first frame. A film in one piece has one.
    """
    if after is None:
        after = Start(job.origin, fresh=True)
        yield after
    length = job.settings.segment
    while not job.one_piece:
        wanted = job.origin + (floor((after.time - job.origin) / length) + 1) * length
        if job.total is not None and wanted > job.origin + job.total - length / 2:
            return
        found = _start_at(job, wanted, length / 2)
        if found is None:
            return
        yield found
        after = found


def most_segments(total: Fraction | None, length: Fraction) -> int | None:
    """How many `starts` gives at most for `total` seconds of film; None where that is unknown.

    One for each multiple of `length`, and the last half a length begins none.
    """
    return None if total is None else max(1, floor(total / length + Fraction(1, 2)))


def segments(starts: Iterable[Start]) -> Iterator[Segment]:
    """The segments between neighbouring starts, and the last one."""
    for index, (start, after) in enumerate(pairwise(chain(starts, [None]))):
        if start is not None:
            yield Segment(index, start.time, None if after is None else after.time, start.fresh)


def _start_at(job: Job, wanted: Fraction, window: Fraction) -> Start | None:
    """The first cut in `window` seconds from `wanted` on, else the first frame; None at the end."""
    first, changes = None, ChangeDetector()
    for frame in _frames(job, wanted - _BEFORE):
        if frame.time >= wanted + window and first is not None:
            break
        cut = changes(half_luma(frame.y)).cut
        if frame.time < wanted:
            continue
        if cut:
            return Start(frame.time, fresh=True)
        first = first or Start(frame.time, fresh=False)
    return first


def _frames(job: Job, time: Fraction) -> Iterator[Frame]:
    """Frames from `time` on; none, without an error, where the film breaks off."""
    try:
        with Decoder(job.settings.source, start=time - job.zero, end=job.settings.end) as decoder:
            decoder.format = job.video
            yield from decoder
    except InputError:
        return

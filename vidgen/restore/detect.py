"""The first pass over a film: how its frames were made, decided once for all parts of it.

A long film is looked at in samples first. Where all of them are clean and nothing in it is flagged
as interlaced, that is the end of it; else every frame is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

from vidgen.errors import TruncatedError
from vidgen.frame import Frame
from vidgen.media import Decoder, MediaInfo
from vidgen.motion import ChangeDetector, half_luma
from vidgen.restore.cadence import State, follow, parts, states_for
from vidgen.restore.comb import Evidence, Measure
from vidgen.restore.runs import Seen, frame_rate, runs_of
from vidgen.scan import Run, Scan

__all__ = ["Watcher", "scan_film"]

_LONG = 240  # frames, from which a film is sampled first: the first output is waited for
_LEAST_WOVEN = 0.25  # of an unflagged film: some frames of progressive ones look woven by chance
_FIELD_ROWS = 288  # of PAL: a picture of so few rows, not flagged, is one field or was made small
_SAMPLES, _SAMPLE = 8, 18  # how many, and of how many frames


def scan_film(
    info: MediaInfo,
    frames: Iterable[Frame],
    *,
    start: Fraction | None = None,
    end: Fraction | None = None,
    forced: bool = False,
) -> Scan:
    """Look at a film from `start` to `end`, seconds from its beginning. Raises InputError.

    `frames` are those of that part, in order; they are taken only where samples do not do.
    `forced`: everything is interlaced, only the order of the fields is to be found.
    """
    if not forced and (part := _long_part(info, start, end)):
        looked, clean = _clean_samples(info.path, *part)
        if clean:
            return Scan(frames=looked, whole=False)
    watcher = Watcher(info.video.fps, forced, info.video.height)
    for frame in _readable(frames):
        watcher(frame)
    return watcher.scan()


@dataclass
class Watcher:
    """Sees the frames of a film in order; then `scan` says what they are."""

    rate: Fraction | None
    """Frames a second, as stated."""
    forced: bool = False
    rows: int | None = None
    """Of a picture; None: enough for two fields."""
    _measure: Measure = field(default_factory=Measure)
    _changes: ChangeDetector = field(default_factory=ChangeDetector)
    _evidence: list[Evidence] = field(default_factory=list)
    _flags: list[bool] = field(default_factory=list)
    _seen: list[Seen] = field(default_factory=list)
    _cuts: list[int] = field(default_factory=list)
    _time_base: Fraction = Fraction(1)

    def __call__(self, frame: Frame) -> None:
        """The next frame."""
        self._evidence += self._measure(frame.y)
        if self._changes(half_luma(frame.y)).cut:
            self._cuts.append(frame.pts)
        self._flags.append(frame.interlaced)
        self._seen.append(Seen(frame.pts, frame.duration))
        self._time_base = frame.time_base

    def path(self) -> list[State]:
        """The state of each frame."""
        self._evidence += self._measure.rest()
        woven = any(self._flags) or self.rows is None or self.rows > _FIELD_ROWS
        states = states_for(self.rate, forced=self.forced, woven=woven)
        return follow(self._evidence, self._flags, states)

    def scan(self) -> Scan:
        """What was found."""
        path = self.path()
        pairs = zip(path, self._evidence, strict=False)
        breaks = {number + 1 for number, pair in enumerate(pairs) if parts(*pair)}
        runs = runs_of(path, self._seen, breaks)
        if all(run.kind == "progressive" for run in runs) or self._is_doubtful(runs):
            return Scan(frames=len(self._seen))
        rate = frame_rate(runs, self._seen, self._time_base, self.rate)
        return Scan(runs, self._time_base, rate, tuple(self._cuts), len(self._seen))

    def _is_doubtful(self, runs: Sequence[Run]) -> bool:
        """Whether a small part alone looks woven, and nothing is flagged: such films are whole."""
        if self.forced or any(self._flags):
            return False
        woven = sum(run.frames for run in runs if run.kind in ("interlaced", "film"))
        return 0 < woven < _LEAST_WOVEN * len(self._seen)

    @property
    def clean(self) -> bool:
        """Whether nothing so far looks or is flagged as anything but progressive."""
        return not any(self._flags) and self.scan().progressive


def _long_part(
    info: MediaInfo, start: Fraction | None, end: Fraction | None
) -> tuple[Fraction, Fraction] | None:
    """From when to when to look, in seconds; None for a film that is short or of unknown length."""
    if info.duration is None or info.interlaced or not info.video.fps:
        return None
    first, last = start or Fraction(0), min(info.duration, end or info.duration)
    return (first, last) if (last - first) * info.video.fps > _LONG else None


def _clean_samples(source: Path, first: Fraction, last: Fraction) -> tuple[int, bool]:
    """How many frames were looked at, and whether all samples of that part of a film are clean."""
    looked, half = 0, (last - first) / (2 * _SAMPLES)
    for number in range(_SAMPLES):
        begin = first + half * (2 * number + 1)
        with Decoder(source, start=begin, end=last, early=half) as decoder:
            watcher = Watcher(decoder.format.fps, rows=decoder.format.height)
            for frame in islice(_readable(decoder), _SAMPLE):
                watcher(frame)
                looked += 1
        if not watcher.clean:
            return looked, False
    return looked, True


def _readable(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Those that can be read; that some are missing is for the run itself to say."""
    with suppress(TruncatedError):
        yield from frames

"""What a long film will take, said before the work begins: time, and room on the disk."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from fractions import Fraction

from vidgen.job import Segment
from vidgen.pipeline import make_segment
from vidgen.segments.folder import Work
from vidgen.timing import format_time

__all__ = ["Estimate", "estimate"]

_LONG = 600  # seconds of film, from which the samples take a share of the time that nobody notices
_SAMPLE = Fraction(1, 2)  # seconds of film
_PLACES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A guess from short samples: the time may be off by a third, the size by half."""

    film: Fraction
    """Seconds of film."""
    seconds: float
    """Of work, by one job with all cores."""
    bytes: int
    """Of the new pictures; needed twice until the film is whole."""
    free: int
    """Bytes on that disk."""

    def __str__(self) -> str:
        need = 2 * self.bytes
        short = f": too little, unless {_size(need - self.free)} more are made free"
        return (
            f"{format_time(self.film)} of film: about {format_time(self.seconds)} of work; about "
            f"{_size(need)} of disk while at work, {_size(self.bytes)} in the end, "
            f"{_size(self.free)} free{short if self.free < need else ''}"
        )


def estimate(work: Work) -> Estimate | None:
    """Make a few samples of the film and tell what all of it will take; None for a short film."""
    job = work.job
    if job.total is None or job.total < _LONG:
        return None
    samples = [_sampled(work, job.origin + place * job.total) for place in _PLACES]
    film = _SAMPLE * len(samples)
    share = job.total / film
    return Estimate(
        film=job.total,
        seconds=sum(seconds for seconds, _ in samples) * float(share),
        bytes=int(sum(size for _, size in samples) * share),
        free=shutil.disk_usage(work.pieces.folder).free,
    )


def _sampled(work: Work, begin: Fraction) -> tuple[float, int]:
    """Seconds of work after the first frame, and bytes, of a sample; it is not kept."""
    path = work.pieces.folder / "sample.tmp"
    first: list[float] = []

    def note(frames: int, end: Fraction) -> None:
        first.append(time.perf_counter())

    try:
        make_segment(work.job, Segment(0, begin, begin + _SAMPLE, fresh=True), path, note)
        if not first:
            return 0.0, 0
        return time.perf_counter() - first[0], path.stat().st_size
    finally:
        path.unlink(missing_ok=True)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"

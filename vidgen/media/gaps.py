"""Places where a film of even rate shows no picture: what damage leaves when nothing else tells."""

from __future__ import annotations

from fractions import Fraction

from vidgen.timing import format_time

__all__ = ["Gaps"]

_WIDE = Fraction(7, 4)  # of a picture's own length: between one picture and two, with jitter
_EVEN = 4  # a film in which more than one interval in so many is wide has no even rate


class Gaps:
    """Counts intervals between pictures that are longer than the pictures say of themselves."""

    def __init__(self, time_base: Fraction, zero: Fraction, format_name: str) -> None:
        self._time_base, self._zero = time_base, zero
        # An AVI says "the same picture again" by an empty chunk, which no reader hands on.
        self._ignored = format_name == "avi"
        self._intervals = self._wide = self._missing = 0
        self._first = Fraction(0)

    def __call__(self, pts: int, own: int, interval: int) -> None:
        """A picture at `pts` that lasts `own`, the next one `interval` later; in time base units.

        `own` is what the picture or the film's rate says.
        """
        self._intervals += 1
        if interval <= own * _WIDE or self._ignored:
            return
        if not self._wide:
            self._first = (pts + own) * self._time_base - self._zero
        self._wide += 1
        self._missing += round(interval / own) - 1

    def notes(self) -> list[str]:
        """What is missing, if the rest is even; nothing for a film of variable rate."""
        if not self._wide or self._wide * _EVEN > self._intervals:
            return []
        first = format_time(max(self._first, Fraction(0)))
        missing = f"about {self._missing} pictures are missing in the source (the first at {first})"
        return [f"{missing}: what is before them is held"]

"""Presentation times that only go forward, whatever the container says."""

from __future__ import annotations

from fractions import Fraction

import av

__all__ = ["Stamps"]

_LENGTH_WHEN_UNKNOWN = Fraction(1, 25)  # seconds


class Stamps:
    """Gives each decoded picture its pts: its own where that is usable, else the best that is."""

    def __init__(self, time_base: Fraction, rate: Fraction | None) -> None:
        length = 1 / rate if rate else _LENGTH_WHEN_UNKNOWN
        self.nominal = max(1, round(length / time_base))
        """How long a picture is shown by the film's rate, in units of the time base."""
        self._last: int | None = None
        self._expected = 0
        self.missing = self.disordered = 0

    def __call__(self, picture: av.VideoFrame) -> int:
        """The pts of `picture` in units of the time base, above all that came before.

        A missing one is where the picture before it ends. One that does not go forward is placed
        one unit after the picture before it.
        """
        if picture.pts is None:
            self.missing += 1
            pts = self._expected
        elif self._last is not None and picture.pts <= self._last:
            self.disordered += 1
            pts = self._last + 1
        else:
            pts = picture.pts
        self._last = pts
        self._expected = pts + self.duration(picture)
        return pts

    def duration(self, picture: av.VideoFrame) -> int:
        """How long `picture` is shown by its own word, else by the stream's rate; at least 1."""
        return picture.duration or self.nominal

    def notes(self) -> list[str]:
        """What had to be put right, for the report."""
        said = (
            (self.missing, "pictures had no time and were placed where the one before them ends"),
            (
                self.disordered,
                "pictures had a time that does not go forward and were moved just after",
            ),
        )
        return [f"{count} {text}" for count, text in said if count]

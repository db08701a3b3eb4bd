"""From a source's clock, which may jump, wrap or begin anew, to one that only goes forward.

The output's clock is 0 at the machine's `epoch` and runs at the machine's pace. A source is
anchored on it: its times plus `shift`. The anchor lies on the output's grid, so that pictures of a
source of the output's own rate fall on its instants.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

__all__ = ["Timeline"]

_JUMP = Fraction(1)
"""Seconds between when a picture should come and when it comes beyond which the clock jumped."""
_DRIFT = Fraction(1, 10)
"""Seconds by which pictures may come late, all of them, or one may come early, before the anchor is
moved."""
_WINDOW = Fraction(10)
"""Seconds over which that must be so."""


class Timeline:
    """Places the times of one stream; see the module. `fps` is the output's rate."""

    def __init__(self, fps: Fraction, epoch: Fraction) -> None:
        self._fps, self._epoch = fps, epoch
        self._last: Fraction | None = None
        self.shift: Fraction | None = None
        """Seconds from the source's clock to the output's; None while no source is anchored."""
        self.jumps = 0
        """How often the source's clock was not believed."""
        self._window: list[Fraction] = []
        self._window_begin = Fraction(0)

    def lost(self) -> None:
        """The source is gone: the next one has a clock of its own."""
        self.shift = None

    def place(self, time: Fraction, now: Fraction) -> Fraction | None:
        """When the picture of `time`, come at `now`, is due; None where it comes too late for that.

        Each result is above all before it, whatever `time` is.
        """
        arrival = now - self._epoch
        if self.shift is None:
            return self._anchored(time, arrival)
        due = time + self.shift
        if abs(due - arrival) > _JUMP:
            self.jumps += 1
            return self._anchored(time, arrival)
        if due - arrival > _DRIFT:
            return self._forward(self._anchored_back(time, arrival))
        self._watch(arrival - due, arrival)
        return self._forward(time + self.shift)

    def _anchored(self, time: Fraction, arrival: Fraction) -> Fraction:
        """The first instant of the grid at or after `arrival` and all that was placed before."""
        step = 1 / self._fps
        least = arrival if self._last is None else max(arrival, self._last + step)
        self._last = self._anchor(time, arrival, ceil(least * self._fps) * step)
        return self._last

    def _anchored_back(self, time: Fraction, arrival: Fraction) -> Fraction:
        """The first instant of the grid at or after `arrival`, also where that was shown.

        So it is when pictures come that had been stored on the way: the stream is ahead of them.
        Waiting until they are due would keep that latency for good.
        """
        return self._anchor(time, arrival, Fraction(ceil(arrival * self._fps)) / self._fps)

    def _anchor(self, time: Fraction, arrival: Fraction, due: Fraction) -> Fraction:
        self.shift = due - time
        self._window, self._window_begin = [], arrival
        return due

    def _forward(self, due: Fraction) -> Fraction | None:
        if self._last is not None and due <= self._last:
            return None
        self._last = due
        return due

    def _watch(self, late: Fraction, arrival: Fraction) -> None:
        """Move the anchor where all pictures of a while came late: clocks differ."""
        assert self.shift is not None
        self._window.append(late)
        if arrival - self._window_begin < _WINDOW:
            return
        if (least := min(self._window)) > _DRIFT:
            self.shift += ceil(least * self._fps) / self._fps
        self._window, self._window_begin = [], arrival

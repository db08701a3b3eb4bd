"""What is shown at each instant of the output, and whether it was there in time."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from fractions import Fraction
from math import ceil
from typing import Any

from numpy.typing import NDArray

from vidgen.frame import Frame

__all__ = ["Pacer", "Shown"]

_BEHIND = 3
"""Instants by which the sink may lag before some are skipped."""
_ALWAYS = Fraction(0)


class Shown(Enum):
    """What became of an instant."""

    NEW = "a picture made for it"
    AGAIN = "the picture before, since none is due"
    LATE = "the picture before, since its own was not there in time"


class Pacer:
    """Chooses pictures for the instants n / fps of the output's clock, n = 0, 1, 2...

    `peek` and `take` give the made frames in order; `end` is the time at which the stream is over,
    None while that is not known. All times are on that clock. A picture is shown at its own instant
    or not at all, so that what is shown never lies behind the sound.
    """

    def __init__(
        self,
        fps: Fraction,
        peek: Callable[[], Frame | None],
        take: Callable[[], Frame | None],
        end: Callable[[], Fraction | None] = lambda: None,
    ) -> None:
        self.fps, self._peek, self._take, self._end = fps, peek, take, end
        self.n = 0
        """The next instant."""
        self._frame: Frame | None = None
        self._missed: NDArray[Any] | None = None
        """Luma of a picture that came too late: when it is held, that is no time for it, either."""

    @property
    def due(self) -> Fraction:
        """When the next instant is."""
        return self.n / self.fps

    @property
    def over(self) -> bool:
        """Whether the last instant has been shown: the picture is not to outlast the sound."""
        end = self._end()
        return end is not None and self.due >= end

    def begin(self, now: Fraction) -> None:
        """The sink is there at `now`: instants before that are not shown."""
        self._go_to(ceil(now * self.fps))

    def behind(self, now: Fraction) -> int:
        """Skip instants where the sink lags by more than a few; how many were skipped."""
        lag, before = int((now - self.due) * self.fps), self.n
        if lag > _BEHIND:
            self._go_to(self.n + lag)
        return self.n - before

    def _go_to(self, n: int) -> None:
        """Forward to instant `n`, but not over the last one."""
        end = self._end()
        self.n = max(self.n, n if end is None else min(n, ceil(end * self.fps) - 1))

    def show(self, newest: Fraction, since: Fraction = _ALWAYS) -> tuple[Frame | None, Shown]:
        """The picture of the next instant, and go on to the one after it.

        From `since` to `newest` pictures of the source have come without a gap. None before the
        first picture.
        """
        n, fresh = self.n, False
        self.n += 1
        while (frame := self._peek()) is not None and round(frame.time * self.fps) <= n:
            self._take()
            if round(frame.time * self.fps) < n:
                self._missed = frame.y
            elif frame.y is not self._missed:
                self._frame, fresh = frame, True
        if fresh:
            return self._frame, Shown.NEW
        came = since * self.fps <= n < newest * self.fps
        return self._frame, Shown.LATE if came else Shown.AGAIN

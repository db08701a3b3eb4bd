"""Which network a stream can afford, decided as it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from fractions import Fraction

__all__ = ["Governor"]

log = logging.getLogger(__name__)

_LATE = 2
"""Late pictures, close together, after which a cheaper tier is taken."""
_TOGETHER = Fraction(2)
"""Seconds."""
_EASY = 0.6
"""Load below which there may be room for a dearer one."""
_EASY_SECONDS = Fraction(5)
_LONGEST_EASY_SECONDS = Fraction(320)
_LEAST = 1e-3
_FITS = 0.85
"""Load of a dearer tier, by what its work was against the present one's, at which it is tried."""
_SETTLING = Fraction(1)
"""Seconds after a change in which nothing is counted: what is late was made by the tier before."""


class Governor:
    """Holds the best of `tiers`, dearest first, that keeps up.

    Down after two late pictures within two seconds, or where there is more work than time; up after
    five seconds of a load below 0.6 while frames come. A tier that had to be left is tried again
    only after twice as long, each time it happens, and only when its work, so many times that of
    the present tier, would fit. `need` tells what share of the time until the next frame the last
    ones took; None while the tier has drawn none.
    """

    def __init__(
        self, tiers: Sequence[str], start: int = 0, need: Callable[[], float | None] = lambda: 0.0
    ) -> None:
        self._tiers, self.level, self.shifts, self._need = tiers, start, 0, need
        self._left_at = 0.0
        self._times_as_much = [0.0] * len(tiers)
        self._late: list[Fraction] = []
        self._easy_since: Fraction | None = None
        self._changed: Fraction | None = None
        self._patience = [_EASY_SECONDS] * len(tiers)

    @property
    def tier(self) -> str:
        """The word of the tier that is held."""
        return self._tiers[self.level]

    def late(self, now: Fraction) -> None:
        """A picture was not there when it was due."""
        self._easy_since = None
        if self._settling(now):
            return
        self._late = [time for time in self._late if now - time < _TOGETHER] + [now]
        if len(self._late) >= _LATE:
            self._give_up(now, "pictures came late")

    def load(self, share: float, now: Fraction) -> None:
        """How busy the busiest thread was since the last call, 1 for all the time."""
        need, dearer = self._need(), self.level - 1
        if need is None or self._settling(now):
            self._easy_since = None
            return
        if need >= 1:
            self._easy_since = None
            self._give_up(now, f"needs {need:.0%} of the time")
            return
        if self._left_at:
            self._times_as_much[dearer] = self._left_at / max(need, _LEAST)
            self._left_at = 0.0
        if not self.level or share >= _EASY or need * self._times_as_much[dearer] >= _FITS:
            self._easy_since = None
            return
        if self._easy_since is None:
            self._easy_since = now
        if now - self._easy_since >= self._patience[self.level - 1]:
            self._take(self.level - 1, now, f"load {share:.0%}")

    def nothing_came(self) -> None:
        """The source is away: that nobody is busy then is no room for a dearer tier."""
        self._easy_since = None

    def _give_up(self, now: Fraction, why: str) -> None:
        """Take the next cheaper tier, where there is one."""
        if self.level + 1 < len(self._tiers):
            self._patience[self.level] = min(2 * self._patience[self.level], _LONGEST_EASY_SECONDS)
            self._left_at = self._need() or 0.0
            self._take(self.level + 1, now, why)

    def _settling(self, now: Fraction) -> bool:
        return self._changed is not None and now - self._changed < _SETTLING

    def _take(self, level: int, now: Fraction, why: str) -> None:
        log.warning("tier %s instead of %s: %s", self._tiers[level], self.tier, why)
        self.level, self._changed, self._late, self._easy_since = level, now, [], None
        self.shifts += 1

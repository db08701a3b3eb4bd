"""The clock that a stream runs on: the machine's, or one that a test turns."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Protocol

__all__ = ["Clock", "MachineClock"]


class Clock(Protocol):
    """Seconds that only go forward, from an arbitrary zero."""

    def now(self) -> Fraction:
        """The time."""
        ...

    def sleep(self, seconds: Fraction) -> None:
        """Come back so much later."""
        ...


class MachineClock:
    """The machine's monotonic clock."""

    def now(self) -> Fraction:
        """See `Clock`."""
        return Fraction(time.monotonic_ns(), 1_000_000_000)

    def sleep(self, seconds: Fraction) -> None:
        """See `Clock`."""
        if seconds > 0:
            time.sleep(float(seconds))

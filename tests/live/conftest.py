"""A clock that tests turn, and sources that are lists."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from vidgen.errors import InputError
from vidgen.frame import Frame, VideoFormat

VIDEO = VideoFormat(width=32, height=16, fps=Fraction(30))


class Turned:
    """Goes on only when somebody sleeps, or by `pass_by`."""

    def __init__(self):
        self.time = Fraction(1000)

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += max(seconds, 0)


@pytest.fixture
def clock():
    return Turned()


def frame(n, rate=30, zero=Fraction(0)):
    """Frame n of a source whose clock begins at `zero`."""
    base = Fraction(1, 90000)
    pts = int((zero + Fraction(n, rate)) / base)
    y, uv = np.full((16, 32), n % 250, np.uint8), np.full((8, 16, 2), 128, np.uint8)
    return Frame(y, uv, pts, 90000 // rate, base)


class Connection:
    """What `LiveInput` is to `Source`: items come, each after a while, then it ends or is lost."""

    def __init__(self, clock, items, *, paced=False, lost=False, kinds=()):
        self.video, self.others, self.kinds, self.paced = VIDEO, [], list(kinds), paced
        self._clock, self._items, self._lost = clock, items, lost

    def open(self):
        pass

    def __iter__(self):
        for wait, item in self._items:
            self._clock.sleep(wait)
            yield item
        if self._lost:
            raise InputError("lost")

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass


@pytest.fixture
def connections(clock):
    """`connections(first, second, ...)`: each call of it gives the next; None cannot be opened."""

    def make(*given):
        left = list(given)

        def connect(url, **words):
            found = left.pop(0)
            if found is None:
                raise InputError("refused")
            return found

        return connect

    return make


@pytest.fixture
def live():
    """The names above."""
    return SimpleNamespace(frame=frame, Connection=Connection, VIDEO=VIDEO)

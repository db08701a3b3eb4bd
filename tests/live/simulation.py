"""Threads on simulated time: one runs at once, and time passes only while all of them wait."""

from __future__ import annotations

import threading
from collections import deque
from fractions import Fraction

_LONGEST = 600  # seconds of the machine's, for all between two waits of a thread


def _heard(turn):
    """Wait until it is set; whether it was. Second by second, since a process that is halted
    meanwhile loses no more than one of them."""
    return any(turn.wait(timeout=1) for _ in range(_LONGEST))


class Simulation:
    """A clock for any number of threads that it starts; exact, and the same every time."""

    def __init__(self):
        self.time = Fraction(1000)
        self._waiting = []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.until(max(seconds, 0))

    def until(self, seconds=None, ready=lambda: False):
        """Let others run until `ready()`, or for so long; None: however long that takes."""
        if ready():
            return
        turn = threading.Event()
        self._waiting.append((None if seconds is None else self.time + seconds, ready, turn))
        self._next(turn)

    def start(self, work):
        """`work` on a thread, from the next wait on."""
        turn = threading.Event()

        def run():
            assert _heard(turn), "its turn never came"
            work()
            self._next(None)

        self._waiting.append((self.time, lambda: True, turn))
        threading.Thread(target=run, daemon=True).start()

    def _next(self, own):
        """Hand over to whoever can go on, else to whoever wakes first; wait for the own turn."""
        chosen = next((each for each in self._waiting if each[1]()), None)
        if chosen is None:
            timed = [each for each in self._waiting if each[0] is not None]
            chosen = min(timed, key=lambda each: each[0], default=None)
            if chosen is None:
                assert own is None, "all wait for each other"
                return
            self.time = max(self.time, chosen[0])
        self._waiting.remove(chosen)
        if chosen[2] is not own:
            chosen[2].set()
            if own is not None:
                assert _heard(own), "some thread works on and on"


class SimulatedFeed:
    """`vidgen.stage.Feed` on a simulation."""

    def __init__(self, simulation, upstream, depth, name="feed", *, drops=False):
        self._simulation, self._depth, self._drops = simulation, depth, drops
        self._ready, self._over, self._left, self._error = deque(), False, False, None
        self.dropped = 0
        simulation.start(lambda: self._run(upstream))

    def __len__(self):
        return len(self._ready)

    @property
    def ended(self):
        if self._ready or not self._over:
            return False
        if self._error is not None:
            raise self._error
        return True

    def peek(self):
        return self._ready[0] if self._ready else None

    def take(self, seconds=0):
        self._simulation.until(seconds, lambda: self._ready or self._over)
        return self._ready.popleft() if self._ready else None

    def __iter__(self):
        while not self.ended and not self._left:
            item = self.take(None)
            if item is not None:
                yield item

    def close(self, seconds=5):
        self._left = True
        self._simulation.until(seconds, lambda: self._over)

    def _run(self, upstream):
        try:
            for item in upstream:
                if self._drops and len(self._ready) >= self._depth:
                    self._ready.popleft()
                    self.dropped += 1
                self._simulation.until(None, lambda: self._left or len(self._ready) < self._depth)
                if self._left:
                    return
                self._ready.append(item)
        except BaseException as error:  # noqa: BLE001 - raised where it is taken, as `Feed` does
            self._error = error
        finally:
            self._over = True

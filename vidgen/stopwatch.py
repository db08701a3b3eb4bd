"""Where the time of a run goes: a stopwatch at each step, thread by thread."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TypeVar

__all__ = ["Stopwatches"]

T = TypeVar("T")


class _Stopwatch:
    """Wall seconds of a step with all that it pulls from, and those its items were held after."""

    def __init__(self) -> None:
        self.spent = self.held = 0.0

    def on(self, items: Iterable[T]) -> Iterator[T]:
        """Pass `items` on."""
        iterator = iter(items)
        while True:
            start = time.perf_counter()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.spent += time.perf_counter() - start
            start = time.perf_counter()
            yield item
            self.held += time.perf_counter() - start


class Stopwatches:
    """Those of steps that pull from each other, on threads with queues between them."""

    def __init__(self) -> None:
        self._threads: dict[str, dict[str, _Stopwatch]] = {}

    def __call__(self, thread: str, step: str, items: Iterable[T]) -> Iterator[T]:
        """Pass `items` of `step` on, which pulls from the step of `thread` that was named last."""
        watch = self._threads.setdefault(thread, {})[step] = _Stopwatch()
        return watch.on(items)

    def seconds(self) -> dict[str, float]:
        """Wall seconds of each step alone; `THREAD full`: those for which its last one was held."""
        own: dict[str, float] = {}
        for thread, watches in self._threads.items():
            *_, last = watches.values()
            spent = pairwise([0.0, *(watch.spent for watch in watches.values())])
            own |= zip(watches, (after - before for before, after in spent), strict=True)
            own[f"{thread} full"] = last.held
        return own

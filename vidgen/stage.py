"""A stage is a generator over frames; a pipeline is stages in a row; threads are made only here."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol, TypeVar

from vidgen.frame import Frame, VideoFormat

__all__ = ["Clock", "Stage", "chain", "prefetch", "timed"]

T = TypeVar("T")

_POLL_SECONDS = 0.05  # how long a producer blocks before it looks whether its consumer has left


class Stage(Protocol):
    """One step of the pipeline: frames in, frames out; end of stream is the end of the loop."""

    def output(self, source: VideoFormat) -> VideoFormat:
        """The format this stage yields for `source`. Pure; raises UsageError before any frame."""
        ...

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield frames as `frames` comes in; whatever is held back is yielded after the loop."""
        ...


def chain(source: Iterable[Frame], *stages: Stage) -> Iterator[Frame]:
    """`source` through all `stages`, pulled by whoever iterates over the result."""
    return reduce(lambda frames, stage: stage(frames), stages, iter(source))


@dataclass(slots=True)
class Clock:
    """Wall seconds spent in a step and everything it pulls from, and how many items came out."""

    seconds: float = 0.0
    items: int = 0


def timed(items: Iterable[T], clock: Clock) -> Iterator[T]:
    """Pass `items` on and add to `clock` the wall seconds that each took."""
    iterator = iter(items)
    while True:
        start = time.perf_counter()
        try:
            item = next(iterator)
        except StopIteration:
            return
        finally:
            clock.seconds += time.perf_counter() - start
        clock.items += 1
        yield item


@dataclass(frozen=True, slots=True)
class _End:
    """Last entry of a queue: the upstream is exhausted, or failed with `error`."""

    error: BaseException | None = None


def prefetch(upstream: Iterable[T], depth: int = 4, name: str = "prefetch") -> Generator[T]:
    """Run `upstream` on a thread of its own, at most `depth` items (plus one in hand) ahead.

    Back-pressure is the full queue. An error of `upstream` is raised after the items before it.
    `close()` stops the thread, closes `upstream` and returns when both are done; memory held is
    `depth + 2` items.
    """
    entries: queue.Queue[Any] = queue.Queue(depth)
    left = threading.Event()
    thread = threading.Thread(target=_pump, args=(upstream, entries, left), name=name, daemon=True)
    thread.start()
    try:
        while not isinstance(entry := entries.get(), _End):
            yield entry
        if entry.error is not None:
            raise entry.error
    finally:
        left.set()
        thread.join()


def _pump(upstream: Iterable[T], entries: queue.Queue[Any], left: threading.Event) -> None:
    """Body of the thread: move items until the end, an error, or the consumer's leaving."""

    def put(entry: object) -> None:
        while not left.is_set():
            try:
                return entries.put(entry, timeout=_POLL_SECONDS)
            except queue.Full:
                continue

    source = iter(upstream)
    try:
        for item in source:
            put(item)
            if left.is_set():
                break
        put(_End())
    except BaseException as error:  # noqa: BLE001 - handed to the consumer's thread, which raises it
        put(_End(error))
    finally:
        if isinstance(source, Generator):
            source.close()

"""A stage is a generator over frames; a pipeline is stages in a row; threads are made only here."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, Protocol, TypeVar

from vidgen.frame import Frame, VideoFormat

__all__ = ["Feed", "Stage", "background", "chain", "future", "prefetch"]

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
    pump = _Pump(upstream, depth)
    try:
        background(pump.run, name)
        while not isinstance(entry := pump.entries.get(), _End):
            yield entry
        if entry.error is not None:
            raise entry.error
    finally:
        pump.stop()


class _Pump:
    """Moves items of `upstream` to `entries` until the end, an error, or the consumer's leaving."""

    def __init__(self, upstream: Iterable[Any], depth: int) -> None:
        self.entries: queue.Queue[Any] = queue.Queue(depth)
        self._upstream = upstream
        self._left, self._over = threading.Event(), threading.Event()
        self._claim = threading.Lock()  # of the one who is first: `run`, or `stop` before it

    def run(self) -> None:
        """Body of the thread."""
        if self._claim.acquire(blocking=False):
            try:
                self._move(iter(self._upstream))
            finally:
                self._over.set()

    def stop(self) -> None:
        """The consumer leaves. Afterwards nothing touches `upstream` any more.

        So it is also where Ctrl-C came before the thread was known to run, or comes while it is
        waited for (which `Thread.join` takes for the thread's end): FFmpeg would read a film that
        is already closed.
        """
        self._left.set()
        interrupts: list[KeyboardInterrupt] = []
        while not self._claim.acquire(blocking=False):
            try:
                self._over.wait()
                break
            except KeyboardInterrupt as error:
                interrupts.append(error)
        if interrupts:
            raise interrupts[0]

    def _move(self, source: Iterator[Any]) -> None:
        try:
            for item in source:
                self._put(item)
                if self._left.is_set():
                    break
            self._put(_End())
        except BaseException as error:  # noqa: BLE001 - handed to the consumer's thread, which raises it
            self._put(_End(error))
        finally:
            if isinstance(source, Generator):
                source.close()

    def _put(self, entry: object) -> None:
        while not self._left.is_set():
            try:
                return self.entries.put(entry, timeout=_POLL_SECONDS)
            except queue.Full:
                continue


class Feed(Generic[T]):
    """`upstream` run on a thread of its own, its items taken one by one, without waiting if wanted.

    At most `depth` items lie ready. With `drops`, what is new takes the place of the oldest then,
    which is counted; else `upstream` waits, and `depth` is its back-pressure.
    """

    def __init__(
        self, upstream: Iterable[T], depth: int, name: str = "feed", *, drops: bool = False
    ) -> None:
        self._ready: deque[T] = deque()
        self._depth, self._drops = depth, drops
        self._changed = threading.Condition()
        self._left = self._over = False
        self._error: BaseException | None = None
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, args=(upstream,), name=name, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._ready)

    @property
    def ended(self) -> bool:
        """Whether nothing is left and nothing will come; raises what ended `upstream`."""
        with self._changed:
            if self._ready or not self._over:
                return False
        if self._error is not None:
            raise self._error
        return True

    def peek(self) -> T | None:
        """The oldest item that lies ready."""
        with self._changed:
            return self._ready[0] if self._ready else None

    def take(self, seconds: float = 0.0) -> T | None:
        """The oldest item, waited for so long; None where none has come."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._over, seconds)
            item = self._ready.popleft() if self._ready else None
            self._changed.notify_all()
            return item

    def __iter__(self) -> Iterator[T]:
        while not self.ended and not self._left:
            item = self.take(_POLL_SECONDS)
            if item is not None:
                yield item

    def close(self, seconds: float = 5.0) -> None:
        """Ask the thread to end, and wait so long for it: it may be held up by a source."""
        with self._changed:
            self._left = True
            self._changed.notify_all()
        self._thread.join(seconds)

    def _run(self, upstream: Iterable[T]) -> None:
        source = iter(upstream)
        try:
            for item in source:
                if not self._put(item):
                    break
        except BaseException as error:  # noqa: BLE001 - handed to the consumer's thread, which raises it
            self._error = error
        finally:
            if isinstance(source, Generator):
                source.close()
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _put(self, item: T) -> bool:
        """Lay it ready; False where the consumer has left."""
        with self._changed:
            if self._drops and len(self._ready) >= self._depth:
                self._ready.popleft()
                self.dropped += 1
            self._changed.wait_for(lambda: self._left or len(self._ready) < self._depth)
            self._ready.append(item)
            self._changed.notify_all()
            return not self._left


def background(work: Callable[[], object], name: str) -> threading.Thread:
    """`work` on a thread that does not keep the program alive."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def future(work: Callable[[], T], name: str) -> Future[T]:
    """What `work` returns or raises, in `background`: whoever waits for that hears signals, also
    while `work` waits within a library, which hears none."""
    found: Future[T] = Future()

    def run() -> None:
        try:
            found.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            found.set_exception(error)

    background(run, name)
    return found

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

__all__ = ["Feed", "Pushed", "Stage", "background", "chain", "future", "prefetch"]

T = TypeVar("T")
U = TypeVar("U")

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


class _Cancelled(BaseException):
    """Raised where a `Pushed` asks for an item that will not come any more."""


class Pushed(Generic[T, U]):
    """Stages turned round: an item is pushed in, and what it completes comes back at once.

    `work` pulls its items, so it has a thread of its own, which begins with the first item; it and
    the caller take turns, never at the same time. An error of `work` is raised by the call in which
    it happens.
    """

    def __init__(self, work: Callable[[Iterator[T]], Iterable[U]], name: str = "pushed") -> None:
        self._work, self._name = work, name
        self._given: queue.SimpleQueue[T | _End | _Cancelled] = queue.SimpleQueue()
        self._turns: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._made: list[U] = []
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self.over = False
        """Whether `work` has ended; nothing may be sent then."""

    def send(self, item: T) -> list[U]:
        """What `work` makes until it asks for the item after this one."""
        self._begin()
        return self._answer(item)

    def end(self) -> list[U]:
        """What `work` still held back; nothing can be sent after it."""
        if self.over:
            return []
        self._begin()
        return self._answer(_End())

    def close(self) -> None:
        """End `work` where it stands, and wait for that; what it still held is lost."""
        if self._thread is not None and not self.over:
            self._given.put(_Cancelled())
            self._thread.join()
        self.over = True

    def _begin(self) -> None:
        if self.over:
            raise ValueError(f"{self._name} has ended: make another one")
        if self._thread is None:
            self._thread = background(self._run, self._name)
            self._turns.get()

    def _answer(self, entry: T | _End) -> list[U]:
        if not self.over:
            self._given.put(entry)
            self._turns.get()
        made, self._made = self._made, []
        if self._error is not None:
            raise self._error
        return made

    def _run(self) -> None:
        try:
            for item in self._work(self._items()):
                self._made.append(item)
        except _Cancelled:
            pass
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            self._error = error
        finally:
            self.over = True
            self._turns.put(None)

    def _items(self) -> Iterator[T]:
        while True:
            self._turns.put(None)
            entry = self._given.get()
            if isinstance(entry, _End):
                return
            if isinstance(entry, _Cancelled):
                raise entry
            yield entry


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

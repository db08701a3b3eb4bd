"""Stages turned round: what is pulled elsewhere is pushed here."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Generic, TypeVar

from vidgen.stage import future

__all__ = ["Pushed"]

T = TypeVar("T")
U = TypeVar("U")


class _End:
    """No item comes after it."""


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
        self._running: Future[None] | None = None
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
        if self._running is not None and not self.over:
            self._given.put(_Cancelled())
            self._running.result()
        self.over = True

    def _begin(self) -> None:
        if self.over:
            raise ValueError(f"{self._name} has ended: make another one")
        if self._running is None:
            self._running = future(self._run, self._name)
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

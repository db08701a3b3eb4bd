"""A stream run beside the thread that hears signals, and told of them in an orderly way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from typing import Protocol

from vidgen.stage import future

__all__ = ["attend"]

_AT_ONCE_SECONDS = 1
"""What is waited for who asks a second time for the end."""
_SLICE_SECONDS = 0.1
_ENDING = (signal.SIGINT, signal.SIGTERM)


class Stoppable(Protocol):
    """What can be attended."""

    def run(self) -> None:
        """Work until the end."""
        ...

    def stop(self) -> bool:
        """Ask for the end, from any thread; whether there is something to wait for."""
        ...


def attend(stream: Stoppable) -> None:
    """`stream.run`, which a signal asks to stop that would raise KeyboardInterrupt elsewhere.

    It is raised here, too, where `stop` has nothing to wait for, unless `run` ends in a second.
    """
    with _heard() as signals:
        running, told, waits = future(stream.run, "stream"), 0, True
        while waits and not wait([running], _SLICE_SECONDS).done:
            if len(signals) > told:
                told, waits = told + 1, stream.stop()
        if not wait([running], _AT_ONCE_SECONDS).done:
            raise KeyboardInterrupt
        running.result()


@contextmanager
def _heard() -> Iterator[list[int]]:
    """The signals that have come, instead of KeyboardInterrupts.

    Those might come anywhere, also where a file is being ended; and a handler that did more than
    remember might meet itself.
    """
    heard: list[int] = []
    raises = signal.default_int_handler
    numbers = [each for each in _ENDING if signal.getsignal(each) is raises]
    if threading.current_thread() is not threading.main_thread():
        numbers = []  # no other thread hears any
    for number in numbers:
        signal.signal(number, lambda number, frame: heard.append(number))
    try:
        yield heard
    finally:
        for number in numbers:
            signal.signal(number, raises)

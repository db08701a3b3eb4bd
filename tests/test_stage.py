"""Threads between stages: order, back-pressure, errors, leaving early."""

import signal
import threading
import time

import pytest

from vidgen.stage import chain, prefetch


def test_items_come_in_order_and_the_thread_ends():
    assert list(prefetch(range(100), depth=2, name="numbers")) == list(range(100))
    assert not _alive("numbers")


def test_an_error_comes_after_the_items_before_it():
    def broken():
        yield 1
        yield 2
        raise OSError("late")

    items = prefetch(broken())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(OSError, match="late"):
        next(items)


def test_the_producer_runs_at_most_the_depth_and_two_ahead():
    pulled = []

    def counted():
        for item in range(100):
            pulled.append(item)
            yield item

    items = prefetch(counted(), depth=3)
    assert next(items) == 0
    time.sleep(0.2)
    assert len(pulled) <= 1 + 3 + 1
    items.close()


def test_leaving_early_closes_the_upstream_and_ends_the_thread():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    items = prefetch(endless(), depth=1, name="endless")
    next(items)
    items.close()
    assert closed.is_set()
    assert not _alive("endless")


@pytest.mark.parametrize("begins", ["before the interrupt", "after it"])
def test_nothing_is_read_once_an_interrupted_start_is_over(monkeypatch, begins):
    start, made, touched = threading.Thread.start, [], []

    def interrupted(thread):
        made.append(thread)
        if begins == "before the interrupt":
            start(thread)
        raise KeyboardInterrupt

    def endless():
        while True:
            touched.append(time.monotonic())
            time.sleep(0.001)
            yield 0

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            next(prefetch(endless()))
    read = len(touched)
    if begins == "after it":
        start(made[0])
    made[0].join(10)
    assert not made[0].is_alive()
    assert len(touched) == read
    assert read or begins == "after it"


def test_impatience_does_not_outrun_the_upstream():
    closed = []

    def slow():
        try:
            while True:
                yield 0
        finally:
            for _ in range(3):
                time.sleep(0.1)
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.1)
            closed.append(True)

    items = prefetch(slow(), depth=1)
    next(items)
    with pytest.raises(KeyboardInterrupt):
        items.close()
    assert closed


def test_threads_nest():
    inner = prefetch(range(50), depth=1, name="inner")
    outer = prefetch((2 * item for item in inner), depth=1, name="outer")
    assert [next(outer) for _ in range(3)] == [0, 2, 4]
    outer.close()
    inner.close()
    assert not _alive("inner")
    assert not _alive("outer")


def test_chain_applies_stages_left_to_right():
    def double(frames):
        return (2 * frame for frame in frames)

    def drop_first(frames):
        frames = iter(frames)
        next(frames)
        yield from frames

    assert list(chain([1, 2, 3], drop_first, double)) == [4, 6]


def _alive(name):
    return any(thread.name == name for thread in threading.enumerate())

"""Stopwatches: each step's own time, and what waits for whom."""

import pytest

from vidgen.stopwatch import Stopwatches


@pytest.fixture
def now(monkeypatch):
    """The time, which only moves when a test moves it."""
    now = [0.0]
    monkeypatch.setattr("vidgen.stopwatch.time.perf_counter", lambda: now[0])
    return now


def test_a_step_is_told_from_those_it_pulls_from_and_from_being_held(now):
    def work(items, seconds):
        for item in items:
            now[0] += seconds
            yield item

    watches = Stopwatches()
    items = watches("compute", "compute wait", work(range(3), 2.0))
    items = watches("compute", "motion", work(items, 0.5))
    items = watches("compute", "generate", work(items, 4.0))
    for _ in items:
        now[0] += 5.0
    assert watches.seconds() == {
        "compute wait": 6.0,
        "motion": 1.5,
        "generate": 12.0,
        "compute full": 15.0,
    }


def test_threads_are_told_apart(now):
    def slow():
        for item in range(2):
            now[0] += 1.0
            yield item

    watches = Stopwatches()
    decoded = list(watches("decode", "decode", slow()))
    assert list(watches("compute", "compute wait", decoded)) == [0, 1]
    assert watches.seconds() == {
        "decode": 2.0,
        "decode full": 0.0,
        "compute wait": 0.0,
        "compute full": 0.0,
    }


def test_the_time_of_a_step_that_fails_counts(now):
    def broken():
        now[0] += 3.0
        raise OSError("gone")
        yield

    watches = Stopwatches()
    with pytest.raises(OSError, match="gone"):
        list(watches("decode", "decode", broken()))
    assert watches.seconds()["decode"] == 3.0

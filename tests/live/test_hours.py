"""Long times, simulated: whatever happens to a stream, its output goes on, in time."""

import gc
import logging
import random
from fractions import Fraction

import pytest

from tests.live.broadcast import RATE, Costly, watch

STEP = Fraction(1, 60)
BUDGET = Fraction(1, 5)
EVENTS = ("jump", "lost", "stall", "refuse")


def some_events(seconds, apart, seed=5):
    """By the number of the picture: something about every `apart` seconds."""
    rng, events, n = random.Random(seed), {}, 5 * RATE
    while n < (seconds - 10) * RATE:
        events[n] = rng.choice(EVENTS)
        n += rng.randrange(RATE * apart // 2, RATE * apart * 3 // 2)
    return events


def test_a_quiet_stream_is_all_there(monkeypatch):
    report, _, viewer = watch(monkeypatch, 20)
    assert (report.late, report.skipped, report.dropped, report.jumps) == (0, 0, 0, 0)
    assert report.frames_out == viewer.written == pytest.approx(60 * 20, abs=30)
    assert report.generated == pytest.approx(report.frames_out / 2, abs=40)
    assert viewer.longest_gap <= STEP + Fraction(1, 1000)
    assert viewer.longest_age <= BUDGET + 2 * STEP
    assert viewer.worst_offset <= Fraction(1, 100)
    assert viewer.sounds > 20 * RATE - 40


def check_eventful(report, sender, viewer, seconds):
    """The output never paused, drifted, or lost its sound, however often the source was lost."""
    happened = sender.happened
    assert viewer.written == report.frames_out == pytest.approx(60 * seconds, abs=90)
    assert (report.skipped, report.dropped) == (0, 0)
    assert viewer.longest_gap <= STEP + Fraction(1, 1000)
    assert viewer.worst_drift <= Fraction(1, 1000)
    assert viewer.longest_age <= BUDGET + Fraction(1, 10)
    assert viewer.worst_offset <= Fraction(1, 50)
    assert report.reconnects == happened["lost"] + happened["stall"] + happened["refuse"]
    assert happened["jump"] <= report.jumps <= happened["jump"] + 1 + seconds // 95443
    assert viewer.sounds > RATE * (seconds - 10 * sum(happened[each] for each in EVENTS))


def test_events(monkeypatch):
    result = watch(monkeypatch, 60, some_events(60, 6))
    assert len(result[1].happened) == 5
    check_eventful(*result, 60)


def test_a_sink_that_goes_is_called_again(monkeypatch):
    report, _, viewer = watch(monkeypatch, 20, breaks_at=[3, 6, 10])
    assert report.sink_reconnects == 3
    assert viewer.longest_gap < 1
    assert viewer.worst_drift <= Fraction(1, 1000)


@pytest.mark.parametrize(
    ("balanced", "realtime", "off", "expected"),
    [
        (8, 4, 1, "balanced"),
        (20, 9, 1, "realtime"),
        (40, 30, 1, "off"),
    ],
)
def test_the_best_tier_that_keeps_up_is_found(monkeypatch, balanced, realtime, off, expected):
    """From `realtime` on; costs in milliseconds a picture, of which one is due every 16.7."""
    costs = {"quality": 50, "balanced": balanced, "realtime": realtime, "off": off}
    monkeypatch.setattr(
        Costly, "costs", {tier: Fraction(cost, 1000) for tier, cost in costs.items()}, raising=False
    )
    report, _, viewer = watch(monkeypatch, 16, chain=Costly, tier="auto")
    assert report.tier == expected
    assert viewer.longest_gap <= STEP + Fraction(1, 1000)
    assert report.skipped == 0


def test_a_source_that_is_away_leaves_no_room_for_a_dearer_tier(monkeypatch):
    """`realtime` keeps 0.72 of the time busy while pictures come, and none while they do not."""
    costs = {"quality": 50, "balanced": 20, "realtime": 12, "off": 1}
    monkeypatch.setattr(
        Costly, "costs", {tier: Fraction(cost, 1000) for tier, cost in costs.items()}, raising=False
    )
    report, _, _ = watch(monkeypatch, 25, {5 * RATE: "away"}, chain=Costly, tier="auto")
    assert (report.reconnects, report.tier, report.shifts) == (1, "realtime", 0)


@pytest.mark.parametrize("said", [Fraction(1, 2), RATE])
def test_few_pictures_leave_room_for_a_dearer_tier(monkeypatch, said):
    """One in two seconds: whole seconds pass without one, and that is no source that is away.

    `quality` needs more than these two seconds, and is not held.
    """
    costs = {"quality": Fraction(5, 2), "balanced": Fraction(1, 3), "realtime": STEP, "off": STEP}
    monkeypatch.setattr(Costly, "costs", costs, raising=False)
    sends = {"rate": Fraction(1, 2), "said": said}
    words = {"fps": "30", "generate": "off", "latency": Fraction(1), "tier": "auto"}
    report, _, _ = watch(monkeypatch, 90, chain=Costly, sends=sends, **words)
    assert report.tier == "balanced"
    assert report.shifts <= 7


def test_what_cannot_be_kept_up_is_dropped_the_oldest_first(monkeypatch):
    """Nothing piles up: what is shown is shown in its time, beside its sound."""
    monkeypatch.setattr(Costly, "costs", {"off": Fraction(1, 20)}, raising=False)
    report, _, viewer = watch(monkeypatch, 20, chain=Costly, tier="off")
    assert report.dropped > 3 * RATE
    assert viewer.longest_gap <= STEP + Fraction(1, 1000)
    assert viewer.longest_age <= BUDGET + Fraction(1, 10)
    assert viewer.worst_offset <= Fraction(1, 50)
    assert viewer.sounds > 3 * RATE, report


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)  # of the wall's: it takes more than one of a core to itself
def test_two_hours(monkeypatch, caplog):
    """Two hours of events, three to the minute; nothing grows."""
    caplog.set_level(logging.CRITICAL, "vidgen")  # pytest keeps all that is logged
    seconds, objects = 7200, []

    def count(report):
        if len(objects) < 2 and report.frames_out >= (1 + 10 * len(objects)) * 60 * 600:
            gc.collect()
            objects.append(len(gc.get_objects()) + gc.get_freeze_count())  # the stream freezes some

    events = some_events(seconds, 20)
    result = watch(monkeypatch, seconds, events, told=count, generate="off")
    check_eventful(*result, seconds)
    assert objects[1] <= objects[0] * 1.02

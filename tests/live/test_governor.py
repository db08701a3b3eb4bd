"""Down at once, up with patience."""

import itertools
from fractions import Fraction

from vidgen.live.governor import Governor

TIERS = ("balanced", "realtime", "off")


def test_two_late_pictures_take_the_cheaper_tier():
    governor = Governor(TIERS, 0)
    governor.late(Fraction(10))
    assert governor.tier == "balanced"
    governor.late(Fraction(11))
    assert (governor.tier, governor.shifts) == ("realtime", 1)


def test_more_work_than_time_takes_the_cheaper_tier():
    """Before pictures come late; below the cheapest there is none."""
    governor = Governor(TIERS, 1, lambda: 1.1)
    for second in range(5):
        governor.load(0.9, Fraction(second))
    assert (governor.tier, governor.shifts) == ("off", 1)


def test_late_pictures_far_apart_are_chance():
    governor = Governor(TIERS, 0)
    for second in range(10, 100, 3):
        governor.late(Fraction(second))
    assert governor.tier == "balanced"


def test_what_is_late_right_after_a_change_is_the_old_tiers_fault():
    governor = Governor(TIERS, 0)
    for tenth in range(20):
        governor.late(10 + Fraction(tenth, 20))
    assert governor.tier == "realtime"


def test_nothing_is_below_the_cheapest():
    governor = Governor(TIERS, 2)
    for second in range(100):
        governor.late(Fraction(second))
    assert (governor.tier, governor.shifts) == ("off", 0)


def test_five_easy_seconds_take_the_dearer_tier():
    governor = Governor(TIERS, 2)
    for second in range(5):
        governor.load(0.59, Fraction(second))
    assert governor.tier == "off"
    governor.load(0.59, Fraction(5))
    assert governor.tier == "realtime"
    for second in range(20, 60):
        governor.load(0.6, Fraction(second))
    assert governor.tier == "realtime"


def test_a_tier_that_would_not_fit_is_not_tried():
    """It needed all the time, four times as much as the one below it."""
    need = [1.2]
    governor = Governor(TIERS, 1, lambda: need[0])
    governor.late(Fraction(0))
    governor.late(Fraction(1))
    for second in range(2, 100):
        need[0] = 0.3
        governor.load(0.3, Fraction(second))
    assert governor.tier == "off"
    for second in range(100, 112):
        need[0] = 0.2
        governor.load(0.2, Fraction(second))
    assert governor.tier == "realtime"


def test_a_busy_moment_begins_the_wait_anew():
    governor = Governor(TIERS, 1)
    for second in range(40):
        governor.load(0.9 if second % 5 == 4 else 0.1, Fraction(second))
    assert governor.tier == "realtime"


def test_a_tier_that_cannot_be_held_is_tried_less_and_less():
    governor = Governor(TIERS, 1)
    tries = []
    for second in range(600):
        if governor.tier == "balanced":
            tries.append(second)
            governor.late(Fraction(second) + Fraction(1))
            governor.late(Fraction(second) + Fraction(3, 2))
        else:
            governor.load(0.3, Fraction(second))
    apart = [b - a for a, b in itertools.pairwise(tries)]
    assert len(tries) > 3
    assert all(b > 1.5 * a for a, b in itertools.pairwise(apart))


def test_a_tier_that_has_drawn_nothing_yet_says_nothing():
    """Where pictures are rare: neither that a dearer one would fit, nor that none ever will."""
    need = [1.2]
    governor = Governor(TIERS, 1, lambda: need[0])
    governor.load(0.9, Fraction(0))
    need[0] = None
    for second in range(1, 20):
        governor.load(0.0, Fraction(second))
    assert governor.tier == "off"
    for second in range(20, 40):
        need[0] = 0.4 if second < 25 else 0.2
        governor.load(need[0], Fraction(second))
    assert governor.tier == "realtime"

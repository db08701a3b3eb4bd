"""An instant is never left without a picture, nor given one of another time."""

from collections import deque
from fractions import Fraction

import pytest

from vidgen.live.pacer import Pacer, Shown

FPS = Fraction(30)


@pytest.fixture
def made():
    return deque()


@pytest.fixture
def pacer(made):
    return Pacer(FPS, lambda: made[0] if made else None, lambda: made.popleft() if made else None)


def test_pictures_that_are_there_are_shown(pacer, made, live):
    made.extend(live.frame(n) for n in range(5))
    shown = [pacer.show(Fraction(1)) for _ in range(5)]
    assert [picture.y[0, 0] for picture, _ in shown] == [0, 1, 2, 3, 4]
    assert {what for _, what in shown} == {Shown.NEW}


def test_a_late_one_is_stood_in_for_and_then_thrown_away(pacer, made, live):
    made.append(live.frame(0))
    assert pacer.show(Fraction(1))[1] is Shown.NEW
    picture, what = pacer.show(Fraction(1))
    assert (picture.y[0, 0], what) == (0, Shown.LATE)
    made.extend([live.frame(1), live.frame(2)])
    picture, what = pacer.show(Fraction(1))
    assert (picture.y[0, 0], what) == (2, Shown.NEW)


def test_a_late_one_is_never_shown_at_another_time(pacer, made, live):
    made.append(live.frame(0))
    pacer.show(Fraction(1))
    pacer.show(Fraction(1))
    made.append(live.frame(1))
    picture, what = pacer.show(Fraction(1))
    assert (picture.y[0, 0], what) == (0, Shown.LATE)
    assert not made


def test_what_came_too_late_does_not_come_as_a_held_picture(pacer, made, live):
    made.append(live.frame(0))
    pacer.show(Fraction(1))
    pacer.show(Fraction(1))
    late, once_more = live.frame(1), live.frame(2)
    made.extend([late, once_more.with_planes(late.planes), live.frame(3)])
    assert [pacer.show(Fraction(1))[0].y[0, 0] for _ in range(2)] == [0, 3]


def test_a_source_that_sends_nothing_makes_nothing_late(pacer, made, live):
    made.append(live.frame(0))
    pacer.show(Fraction(0))
    assert pacer.show(Fraction(0))[1] is Shown.AGAIN


def test_what_is_due_later_waits(pacer, made, live):
    made.extend([live.frame(0), live.frame(3)])
    assert [pacer.show(Fraction(1))[0].y[0, 0] for _ in range(4)] == [0, 0, 0, 3]


def test_before_the_first_picture_there_is_none(pacer):
    assert pacer.show(Fraction(0)) == (None, Shown.AGAIN)


def test_a_sink_that_lags_much_is_spared_some(pacer):
    assert pacer.behind(Fraction(3, 30)) == 0
    assert pacer.behind(Fraction(1)) == 30
    assert pacer.due == 1


def test_the_last_instant_is_shown_and_none_after_it(made, live):
    """However long the sink has lagged."""
    end = []
    pacer = Pacer(
        FPS, lambda: made[0] if made else None, made.popleft, lambda: end[0] if end else None
    )
    made.extend(live.frame(n) for n in range(5))
    assert (pacer.show(Fraction(1))[1], pacer.over) == (Shown.NEW, False)
    end.append(Fraction(5, 30))
    assert pacer.behind(Fraction(9)) == 3
    picture, what = pacer.show(Fraction(4, 30))
    assert (picture.y[0, 0], what, pacer.over) == (4, Shown.NEW, True)
    assert pacer.behind(Fraction(20)) == 0

"""Whatever a source's clock does, the output's goes forward at the machine's pace."""

import random
from fractions import Fraction

import pytest

from vidgen.live.timeline import Timeline

FPS = Fraction(30)
STEP = 1 / FPS


def test_a_steady_source_falls_on_the_grid():
    timeline = Timeline(FPS, Fraction(0))
    placed = [timeline.place(7 + n * STEP, Fraction(1, 100) + n * STEP) for n in range(100)]
    assert placed == [(n + 1) * STEP for n in range(100)]
    assert timeline.shift == placed[0] - 7
    assert timeline.jumps == 0


@pytest.mark.parametrize("there", [Fraction(-5000), Fraction(3), Fraction(1 << 33, 90000)])
def test_a_jump_moves_the_anchor_and_nothing_else(there):
    timeline = Timeline(FPS, Fraction(0))
    before = [timeline.place(n * STEP, n * STEP) for n in range(30)]
    after = [timeline.place(there + 1 + n * STEP, (30 + n) * STEP) for n in range(30)]
    assert before + after == [n * STEP for n in range(60)]
    assert timeline.jumps == 1


def test_a_new_source_begins_where_it_comes():
    timeline = Timeline(FPS, Fraction(0))
    timeline.place(Fraction(5), Fraction(0))
    timeline.lost()
    assert timeline.place(Fraction(900), Fraction(4)) == 4
    assert timeline.jumps == 0


def test_a_source_that_comes_early_is_not_made_to_wait():
    """Half a second less on the way: the latency is kept, the stream does not get ahead of it."""
    timeline = Timeline(FPS, Fraction(0))
    for n in range(30):
        assert timeline.place(n * STEP, n * STEP) == n * STEP
    placed = [(timeline.place((n + 15) * STEP, n * STEP), n * STEP) for n in range(30, 90)]
    assert all(due is None or due == now for due, now in placed)
    assert sum(due is None for due, _ in placed) <= 1


def test_a_picture_before_one_that_was_placed_is_left_out():
    timeline = Timeline(FPS, Fraction(0))
    assert timeline.place(Fraction(5), Fraction(0)) == 0
    assert timeline.place(Fraction(5), Fraction(1, 30)) is None
    assert timeline.place(Fraction(49, 10), Fraction(2, 30)) is None


@pytest.mark.parametrize("ppm", [-400, 400])
def test_clocks_that_differ_do_not_drift_apart(ppm):
    """Two hours of 30 pictures a second from a crystal that is wrong by twice what is usual."""
    timeline = Timeline(FPS, Fraction(0))
    pace = 1 + Fraction(ppm, 1_000_000)
    off = []
    for n in range(0, 2 * 3600 * 30, 15):
        now = n * STEP / pace
        due = timeline.place(n * STEP, now)
        off.append(0 if due is None else due - now)
    assert max(map(abs, off)) < Fraction(1, 4)
    assert timeline.jumps == 0


def test_two_hours_of_jumps_wraps_and_losses():
    """The output's clock: strictly forward, never a second from the machine's."""
    rng = random.Random(3)
    timeline = Timeline(FPS, Fraction(0))
    zero, wrap, last = Fraction(95000), Fraction(1 << 33, 90000), Fraction(-1)
    events = 0
    for n in range(0, 2 * 3600 * 30, 15):  # every fifteenth picture, to save time
        if rng.random() < 1 / 600:
            events += 1
            if rng.random() < 0.3:
                timeline.lost()
            zero = Fraction(rng.randrange(100_000))
        now = n * STEP + Fraction(rng.randrange(30), 1000)
        due = timeline.place((zero + n * STEP) % wrap, now)
        if due is not None:
            assert due > last
            assert abs(due - now) < 1
            last = due
    assert events > 10
    assert timeline.jumps <= events + 2 * 3600 / 95443 + 1

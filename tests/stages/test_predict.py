"""Predict: which picture is shown when, from the past alone, and what is told of it."""

from __future__ import annotations

from contextlib import nullcontext
from fractions import Fraction

import numpy as np
import pytest

from vidgen.errors import UsageError
from vidgen.frame import Frame
from vidgen.stages import EstimateMotion
from vidgen.stages.predict import Predict, predict

MILLISECOND = Fraction(1, 1000)
RATES = [("24000/1001", "60"), ("25", "50"), ("24", "24"), ("60", "24"), ("30", "120000/1001")]


def steady(fps, count) -> list[Fraction]:
    return [n / Fraction(fps) for n in range(count + 1)]


class Watched:
    """A film shown by Predict: what was made of what, and how much was taken in until then."""

    def __init__(self, film, fps, **options):
        self.film, self.made, self.kept = film, {}, []
        stage = Predict(Fraction(fps), lambda: nullcontext(self.synthesizer), **options)
        self.taken = 0
        self.shown: list[tuple[int, Frame]] = [
            (self.taken, frame) for frame in stage(self.counted(film.frames))
        ]

    def counted(self, frames):
        for frame in frames:
            self.taken += 1
            yield frame

    def synthesizer(self, ahead, time):
        planes = np.zeros((2, 2), np.uint8), np.zeros((1, 1, 2), np.uint8)
        self.kept.append(planes)
        number = self.film.index(ahead.last[0])
        assert self.film.frames[number - 1].planes == ahead.previous
        self.made[id(planes[0])] = number, time
        return planes

    def number(self, frame):
        return self.made[id(frame.y)][0] if frame.generated else self.film.index(frame.y)


@pytest.mark.parametrize(("source", "target"), RATES)
def test_the_grid_is_exact_and_nothing_is_waited_for(film_of, source, target):
    film = film_of(steady(source, 60), time_base=Fraction(1, 24000 * 30 * 7))
    watched = Watched(film, target, source_fps=Fraction(source))
    film.check_grid([frame for _, frame in watched.shown], target)
    for taken, frame in watched.shown:
        number = watched.number(frame)
        late = frame.time - film.times[number]
        assert taken <= number + 1 or frame.time >= film.times[taken - 1] - MILLISECOND
        assert -MILLISECOND <= late < film.times[number + 1] - film.times[number]
        if frame.generated:
            interval = film.times[number] - film.times[number - 1]
            assert watched.made[id(frame.y)][1] == pytest.approx(float(late / interval))
    faster = Fraction(target) > Fraction(source)
    assert any(frame.generated for _, frame in watched.shown) is faster


def test_real_frames_pass_at_their_own_instants(film_of):
    film = film_of(steady(25, 10))
    shown = [frame for _, frame in Watched(film, 50).shown]
    assert [film.index(frame.y) for frame in shown[::2]] == list(range(10))
    assert [frame.generated for frame in shown[1::2]] == [False] + [True] * 9
    assert shown[1].held == "cut"  # the first frame has no past


def test_a_cut_is_on_time_and_begins_without_a_past(film_of):
    film = film_of(steady(25, 9), cuts=(0, 4))
    shown = [frame for _, frame in Watched(film, 50).shown]
    assert [n for n, frame in enumerate(shown) if frame.cut] == [0, 8]
    assert [n for n, frame in enumerate(shown) if frame.held == "cut"] == [1, 9]
    assert shown[7].generated  # nobody knew


def test_repeats_and_slides_are_held(film_of):
    times = [*steady(25, 6), Fraction(20, 25), Fraction(21, 25), Fraction(22, 25)]
    film = film_of(times, duplicates=(3,))
    shown = [frame for _, frame in Watched(film, 50).shown]
    film.check_grid(shown, 50)
    assert shown[7].held == "repeat"
    held = [frame for frame in shown if frame.held == "gap"]
    assert {film.index(frame.y) for frame in held} == {6, 7}  # one is long, one comes late


def test_where_the_next_frame_is_late_the_movement_goes_on_a_while_and_stops(film_of):
    times = [*steady(25, 4), Fraction(8, 25), Fraction(9, 25)]
    film = film_of(times)
    frames = list(film.frames)
    late = frames[4]
    frames[4] = Frame(*late.planes, late.pts, film.frames[0].duration, late.time_base,
                      motion=late.motion)  # fmt: skip
    film.frames = frames
    watched = Watched(film, 50)
    steps = [watched.made[id(frame.y)][1] for _, frame in watched.shown
             if frame.generated and watched.number(frame) == 4]  # fmt: skip
    assert steps[:4] == pytest.approx([0.5, 1.0, 1.5, 2.0])
    assert set(steps[4:]) == {2.0}


def test_off_repeats_every_frame_until_the_next(film_of):
    film = film_of(steady("24", 10))
    watched = Watched(film, 60, makes=False)
    shown = [frame for _, frame in watched.shown]
    film.check_grid(shown, 60)
    assert not watched.made
    for frame in shown:
        number = film.index(frame.y)
        assert film.times[number] - MILLISECOND <= frame.time < film.times[number + 1]
        assert frame.held == ("off" if frame.time > film.times[number] + MILLISECOND else "")


def test_made_frames_lead_back_to_the_last_real_one(moving):
    """A texture that moves by (6, -2) pixels a frame: where it is, and where it came from."""
    planes, truth = moving
    frames = [Frame(*planes(n), n, 1, Fraction(1, 25)) for n in range(6)]
    shown = list(Predict(Fraction(50))(EstimateMotion()(frames)))
    made = shown[9]
    assert made.generated
    inner = slice(24, -24), slice(24, -24)
    repeated = np.abs(planes(4)[0].astype(float) - truth(4.5))[inner].mean()
    assert np.abs(made.y.astype(float) - truth(4.5))[inner].mean() < 0.3 * repeated
    flow = made.motion().flow[12:-12, 12:-12]
    assert np.abs(flow - (-3, 1)).mean() < 0.3


@pytest.fixture
def moving():
    rng = np.random.default_rng(3)
    waves = [(rng.uniform(0, np.pi), rng.uniform(9, 60), rng.uniform(0, 6)) for _ in range(20)]
    y, x = np.mgrid[0:128, 0:192].astype(float)

    def truth(time):
        across, down = x - 6 * time, y + 2 * time
        total = sum(
            np.sin(2 * np.pi * (across * np.cos(a) + down * np.sin(a)) / length + phase)
            for a, length, phase in waves
        )
        return np.clip(128 + 14 * total, 0, 255)

    def planes(time):
        return np.rint(truth(time)).astype(np.uint8), np.full((64, 96, 2), 128, np.uint8)

    return planes, truth


def test_the_library_tells_the_next_pictures(moving):
    planes, truth = moving
    told = predict([planes(n) for n in range(4)], 2)
    inner = slice(32, -32), slice(32, -32)
    for number, (y, uv) in enumerate(told, 1):
        assert uv.shape == (64, 96, 2)
        wrong = np.abs(y.astype(float) - truth(3 + number))[inner].mean()
        assert wrong < 0.4 * np.abs(planes(3)[0] - truth(3 + number))[inner].mean()


def test_one_picture_is_repeated_and_none_is_refused(moving):
    planes, _ = moving
    (alone,) = predict([planes(0)], 1)
    np.testing.assert_array_equal(alone[0], planes(0)[0])
    with pytest.raises(UsageError, match="one picture or more"):
        predict([], 1)


def test_what_stands_still_is_told_exactly(moving):
    planes, _ = moving
    for y, uv in predict([planes(0)] * 3, 3):
        np.testing.assert_array_equal(y, planes(0)[0])
        np.testing.assert_array_equal(uv, planes(0)[1])

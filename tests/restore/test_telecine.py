"""Film hidden in fields comes out bit for bit, once, in order and at its own even pace."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from tests.restore.conftest import NTSC, film_of, in_frames, numbers, pulled_down, watched
from vidgen.stages import Restore

FILM = Fraction(24000, 1001)


@pytest.mark.parametrize("top_first", [True, False])
@pytest.mark.parametrize("cycle", [(2, 3), (3, 2), (2, 3, 3, 2)])
def test_pulldown_is_undone_exactly(pictures, cycle, top_first):
    fields = pulled_down(40, cycle)
    film = film_of(in_frames([pictures[n] for n in fields], top_first))
    scan = watched(film)
    assert [run.kind for run in scan.runs] == ["film"]
    shown = list(Restore(scan)(film))
    whole = [n for n in range(40) if fields.count(n) > 1]
    assert numbers(shown, pictures) == whole
    assert [frame.time for frame in shown] == [n / FILM for n in range(len(whole))]
    assert shown[-1].end == film[-1].end


@pytest.mark.parametrize("time_base", [Fraction(1, 1000), Fraction(1, 90000)])
def test_times_are_even_whatever_the_clock(pictures, time_base):
    film = film_of(in_frames([pictures[n] for n in pulled_down(40, (2, 3))]), time_base)
    shown = list(Restore(watched(film))(film))
    assert {b.time - a.time for a, b in pairwise(shown)} == {1 / FILM}


@pytest.mark.parametrize("seed", range(6))
def test_edits_after_pulldown(pictures, seed):
    check_edits(pictures, seed)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_edits_after_pulldown(pictures):
    for seed in range(6, 300):
        check_edits(pictures, seed)


def check_edits(pictures, seed):
    """Frames are cut out anywhere: every picture that keeps two fields comes out, once."""
    rng = np.random.default_rng(seed)
    cycle, top_first = ((2, 3), (3, 2), (2, 3, 3, 2))[seed % 3], bool(seed % 2)
    fields = pulled_down(90, cycle)
    frames = in_frames([pictures[n] for n in fields], top_first)
    keep = np.ones(len(frames), bool)
    for begin in (rng.integers(12, 40), rng.integers(60, len(frames) - 25)):
        keep[begin : begin + rng.integers(1, 9)] = False
    kept = np.flatnonzero(keep)
    parts = np.split(kept, np.flatnonzero(np.diff(kept) > 1) + 1)
    assert len(parts) == 3
    expected = []
    for part in parts:
        there = [fields[2 * n + late] for n in part for late in (0, 1)]
        expected += [n for n in sorted(set(there)) if there.count(n) > 1]
    film = film_of([frames[n] for n in kept])
    shown = list(Restore(watched(film))(film))
    assert numbers(shown, pictures) == expected
    assert all(a.end == b.time for a, b in pairwise(shown))
    assert (shown[0].time, shown[-1].end) == (film[0].time, film[-1].end)


def test_any_part_is_restored_as_in_the_whole(pictures):
    film = film_of(in_frames([pictures[n] for n in pulled_down(60, (2, 3))]))
    scan = watched(film)
    whole = {frame.time: frame for frame in Restore(scan)(film)}
    for begin in range(20, 30):
        inner = [
            frame
            for frame in Restore(scan)(film[begin : begin + 20])
            if film[begin + 3].time <= frame.time < film[begin + 16].time
        ]
        assert len(inner) >= 10
        for frame in inner:
            assert np.array_equal(frame.y, whole[frame.time].y)
            assert frame.pts == whole[frame.time].pts


def test_whole_frames_shown_twice(pictures):
    """24 pictures in 30 frames, every fourth one twice."""
    film = film_of([pictures[n] for n in range(60) for _ in range(1 + (n % 4 == 2))])
    scan = watched(film)
    assert [run.cycle for run in scan.runs] == [(2, 2, 2, 4)]
    shown = list(Restore(scan)(film))
    assert numbers(shown, pictures) == list(range(60))
    assert {b.time - a.time for a, b in pairwise(shown)} == {1 / FILM}


def test_animation_on_twos_keeps_its_times(pictures):
    film = film_of([pictures[n // 2] for n in range(60)])
    assert watched(film).progressive


def test_soft_telecine_is_made_even(pictures):
    """Whole frames whose times alternate between three fields and two."""
    field, times = Fraction(1001, 60000), [0]
    for n in range(48):
        times.append(times[-1] + (3 if n % 2 == 0 else 2))
    frames = film_of(pictures[:48])
    film = [
        type(frame)(
            frame.y,
            frame.uv,
            int(times[n] * field * 60000),
            int((times[n + 1] - times[n]) * field * 60000),
            Fraction(1, 60000),
        )
        for n, frame in enumerate(frames)
    ]
    scan = watched(film)
    assert [run.kind for run in scan.runs] == ["paced"]
    assert scan.rate == NTSC
    shown = list(Restore(scan)(film))
    assert numbers(shown, pictures) == list(range(48))
    assert [frame.time for frame in shown] == [n / FILM for n in range(48)]


def test_film_then_video(pictures):
    """Each part of a mixed film is treated as what it is, and no time is lost between them."""
    telecined = in_frames([pictures[n] for n in pulled_down(32, (2, 3))])
    film = film_of(telecined + in_frames(pictures[30:90]), flag=True)
    scan = watched(film)
    assert [run.kind for run in scan.runs] == ["film", "interlaced"]
    assert abs(scan.runs[0].frames - len(telecined)) <= 1
    shown = list(Restore(scan)(film))
    found = numbers(shown, pictures)
    assert [n for n in found if n is not None][:31] == list(range(31))
    assert all(a.end == b.time for a, b in pairwise(shown))
    assert {b.time - a.time for a, b in zip(shown[-50:], shown[-49:], strict=False)} == {
        1 / NTSC / 2
    }

"""Generate: which picture is shown when. Nothing is drawn: the synthesis only notes its calls."""

from __future__ import annotations

from bisect import bisect_right
from contextlib import nullcontext
from fractions import Fraction
from itertools import accumulate, pairwise

import pytest

from vidgen.frame import Frame, VideoFormat
from vidgen.stages.generate import Generate

MILLISECOND = Fraction(1, 1000)
RATES = [
    ("24000/1001", "60"),
    ("25", "50"),
    ("30000/1001", "120000/1001"),
    ("24", "24"),
    ("60", "24"),
    ("24000/1001", "60000/1001"),
    ("25", "37"),
    ("30000/1001", "75"),
]
rates = pytest.mark.parametrize(("source", "target"), RATES)


def steady(fps, count, origin=Fraction(0)) -> list[Fraction]:
    return [origin + n / Fraction(fps) for n in range(count + 1)]


def rounded(times, unit=MILLISECOND) -> list[Fraction]:
    """As Matroska keeps them: to the nearest millisecond."""
    return [round(time / unit) * unit for time in times]


@rates
@pytest.mark.parametrize("origin", [Fraction(0), Fraction(7, 24000), Fraction(-5, 24000)])
def test_exact_stamps_give_an_exact_grid(film_of, source, target, origin):
    film = film_of(steady(source, 100, origin))
    shown = film.shown_at(target)
    film.check_grid(shown, target)
    film.check_pictures(shown)
    film.check_motion(shown)
    assert [frame.cut for frame in shown] == [True] + [False] * (len(shown) - 1)


@rates
@pytest.mark.parametrize("origin", [Fraction(0), Fraction(83, 1000)])
def test_stamps_rounded_to_a_millisecond_give_the_same_grid(film_of, source, target, origin):
    film = film_of(rounded(steady(source, 100, origin)), time_base=MILLISECOND)
    shown = film.shown_at(target)
    film.check_grid(shown, target)
    film.check_pictures(shown)
    film.check_motion(shown)
    exact = film_of(steady(source, 100)).shown_at(target)
    kinds = [(frame.generated, same.generated) for frame, same in zip(shown, exact, strict=False)]
    assert sum(kind != other for kind, other in kinds) <= len(kinds) // 50  # about the 1 ms itself


@pytest.mark.parametrize("rounding", [Fraction(1, 24000), MILLISECOND])
def test_the_same_rate_passes_every_frame_once(film_of, rounding):
    for rate in ("24000/1001", "24", "25", "30", "50", "60"):
        times = steady(rate, 200)
        film = film_of(rounded(times, rounding), time_base=rounding)
        shown = film.shown_at(rate)
        assert [film.index(frame.y) for frame in shown] == list(range(200))
        assert not film.made
        assert [frame.motion is None for frame in shown] == [True] + [False] * 199


@pytest.mark.parametrize(("source", "target"), [("25", "50"), ("30000/1001", "120000/1001")])
def test_whole_factors_show_every_frame_untouched_at_its_own_time(film_of, source, target):
    film = film_of(steady(source, 20))
    factor = int(Fraction(target) / Fraction(source))
    shown = film.shown_at(target)
    assert len(shown) == 20 * factor
    for number, frame in enumerate(film.frames):
        same = shown[number * factor]
        assert same.y is frame.y
        assert same.uv is frame.uv
        assert same.time == frame.time
        assert same.motion is frame.motion
    phases = [n / factor for n in range(1, factor)]
    assert [phase for _, _, phase in film.made.values()] == phases * 19
    assert all(frame.y is film.frames[-1].y for frame in shown[-factor:])


def test_a_lower_rate_shows_the_nearest_frames_and_makes_none(film_of):
    film = film_of(steady(60, 60))
    shown = film.shown_at(24)
    assert [film.index(frame.y) for frame in shown[:7]] == [0, 2, 5, 7, 10, 12, 15]
    assert not film.made


@pytest.mark.parametrize(("source", "target"), [("60000/1001", "60"), ("30000/1001", "30")])
def test_a_rate_a_thousandth_higher_repeats_a_frame_and_makes_none(film_of, source, target):
    film = film_of(steady(source, 600))
    shown = film.shown_at(target)
    film.check_grid(shown, target)
    film.check_pictures(shown)
    film.check_motion(shown)
    assert not film.made
    assert len({id(frame.y) for frame in shown}) == 600


@pytest.mark.parametrize(("source", "target"), [("60000/1001", "60"), ("30000/1001", "30")])
def test_a_known_rate_keeps_rounded_stamps_from_flickering(film_of, source, target):
    film = film_of(rounded(steady(source, 600)), time_base=MILLISECOND)
    shown = film.shown_at(target, source_fps=Fraction(source))
    film.check_grid(shown, target)
    assert not film.made


def test_where_the_rate_varies_frames_are_made_in_its_slow_part_only(film_of):
    slow, fast = steady(10, 10), [1 + Fraction(n, 120) for n in range(1, 121)]
    film = film_of(slow + fast)
    shown = film.shown_at(60, source_fps=Fraction(130, 2))
    assert not film.made
    shown = film.shown_at(60, source_fps=Fraction(40))
    assert [frame.generated for frame in shown[:6]] == [False] + [True] * 5
    assert not any(frame.generated for frame in shown[60:])


def test_cuts_at_a_lower_rate_are_carried_by_the_nearest_instants(film_of):
    film = film_of(steady(60, 60), cuts=(0, 11, 13, 14, 30))
    cuts = [n for n, frame in enumerate(film.shown_at(24)) if frame.cut]
    assert cuts == [0, 4, 5, 6, 12]  # 11/60 is nearer to 4/24 than to 5/24; 15 stands for 14


def test_a_new_shot_begins_at_the_instant_nearest_to_it(film_of):
    film = film_of(steady(25, 10), cuts=(0, 3, 7))
    shown = film.shown_at(60)
    film.check_grid(shown, 60)
    film.check_motion(shown)
    assert [n for n, frame in enumerate(shown) if frame.cut] == [0, 7, 17]  # 7.2 and 16.8
    assert film.index(shown[7].y) == 3  # early by a fifth of a step
    assert [film.index(shown[n].y) for n in (5, 6)] == [2, 2]


@pytest.mark.parametrize("rounding", [Fraction(1, 24000), MILLISECOND])
def test_at_a_cut_the_old_shot_is_held_and_the_new_one_starts_on_time(film_of, rounding):
    film = film_of(
        rounded(steady("24000/1001", 40), rounding), cuts=(0, 7, 8, 20), time_base=rounding
    )
    shown = film.shown_at(60)
    film.check_grid(shown, 60)
    film.check_pictures(shown)
    film.check_motion(shown)
    assert {after for _, after, _ in film.made.values()}.isdisjoint(film.cuts)
    for cut in film.cuts:
        carriers = [frame for frame in shown if frame.cut and film.index(frame.y) == cut]
        assert len(carriers) == 1
        assert abs(carriers[0].time - film.times[cut]) <= Fraction(1, 120) + MILLISECOND
    assert sum(frame.cut for frame in shown) == len(film.cuts)


def test_a_still_is_held_and_marked(film_of):
    film = film_of(steady(24, 8), duplicates=(2, 3, 4))
    shown = film.shown_at(48)
    assert [before for before, _, _ in film.made.values()] == [0, 4, 5, 6]
    pictures = ["made" if frame.generated else film.index(frame.y) for frame in shown]
    expected = [0, "made", 1, 1, 2, 2, 3, 3, 4, "made", 5, "made", 6, "made", 7, 7]
    assert pictures == expected
    assert [n for n, frame in enumerate(shown) if frame.duplicate] == [3, 4, 5, 6, 7, 8, 15]
    assert [n for n, frame in enumerate(shown) if frame.held == "repeat"] == [3, 5, 7]


@pytest.mark.parametrize("repeats", [1, 2])
def test_what_is_drawn_on_twos_or_threes_moves_at_every_instant(film_of, repeats):
    """Every picture is shown `repeats` times more; the first one in its shot says nothing yet."""
    every = repeats + 1
    film = film_of(steady(24, 6 * every), duplicates=[n for n in range(6 * every) if n % every])
    shown = film.shown_at(48)
    film.check_grid(shown, 48)
    film.check_pictures(shown)
    film.check_motion(shown)
    steps = {(before, after) for before, after, _ in film.made.values()}
    assert {(n, n + every) for n in range(every, 5 * every, every)} <= steps
    between = shown[2 * every : 2 * every * 5]
    assert [frame.generated for frame in between] == ([False] + [True] * (2 * every - 1)) * 4


def test_a_still_picture_is_shown_while_it_stands(film_of):
    """Else a live stream would stop there, and a film be held in memory for as long."""
    film, read = film_of(steady(24, 100), duplicates=range(4, 100)), []
    stage = Generate(Fraction(48), synthesis=film.opened, origin=Fraction(0))
    for shown in stage(read.append(frame) or frame for frame in film.frames):
        assert len(read) - shown.time * 24 <= 4


def test_at_the_rate_of_the_film_repeats_stay(film_of):
    film = film_of(steady(24, 12), duplicates=range(1, 12, 2))
    assert not [frame for frame in film.shown_at(24, source_fps=Fraction(24)) if frame.generated]


def test_a_repeated_picture_carries_no_motion(film_of):
    shown = film_of(steady(24, 5), cuts=(0, 3)).shown_at(72)
    for before, frame in pairwise(shown):
        if frame.y is before.y:
            assert frame.duplicate
            assert frame.motion is None


def test_variable_rate_with_long_gaps(film_of):
    steps = [40, 41, 17, 16, 33, 250, 251, 3000, 5, 40, 1, 120, 33, 33, 34, 700]
    times = list(accumulate((n * MILLISECOND for n in steps), initial=Fraction(12, 1000)))
    film = film_of(times, time_base=MILLISECOND)
    shown = film.shown_at(60)
    film.check_grid(shown, 60)
    film.check_pictures(shown)
    film.check_motion(shown)
    gaps = {before: times[before + 1] - times[before] for before, _, _ in film.made.values()}
    assert max(gaps.values()) == Fraction(1, 4)
    held = [frame for frame in shown if film.times[7] <= frame.time < film.times[8] - MILLISECOND]
    assert len(held) >= 179
    assert all(frame.y is film.frames[7].y for frame in held)
    assert all(frame.duplicate for frame in held[1:])


@pytest.mark.parametrize(("fps", "count"), [("60", 3), ("24", 1), ("5", 1), ("1000", 42)])
def test_a_single_frame_is_held_for_its_duration(film_of, fps, count):
    film = film_of(steady(24, 1, origin=Fraction(1, 2)))
    shown = film.shown_at(fps)
    assert len(shown) == count
    film.check_grid(shown, fps)
    assert all(frame.y is film.frames[0].y for frame in shown)
    assert [frame.cut for frame in shown] == [True] + [False] * (count - 1)


def test_the_last_frame_is_held_for_its_duration(film_of):
    film = film_of([*steady(25, 5)[:-1], Fraction(3)])
    shown = film.shown_at(50)
    film.check_grid(shown, 50)
    assert len(shown) == 150
    assert all(frame.y is film.frames[-1].y for frame in shown[8:])


def test_no_frame_gives_none():
    assert list(Generate(Fraction(60))([])) == []


def test_frames_come_out_with_one_frame_of_look_ahead(film_of):
    taken = []
    film = film_of(steady(25, 5))
    source = (taken.append(frame) or frame for frame in film.frames)
    out = Generate(Fraction(50), film.opened)(source)
    next(out)
    assert len(taken) == 2


def test_frames_without_motion_are_refused(film_of):
    film = film_of(steady(25, 3), cuts=(0, 1))
    bare = [
        Frame(*frame.planes, frame.pts, frame.duration, frame.time_base) for frame in film.frames
    ]
    with pytest.raises(ValueError, match="EstimateMotion"):
        list(Generate(Fraction(50), film.opened)(bare))


def test_the_format_has_the_new_rate():
    source = VideoFormat(720, 480, fps=Fraction(24000, 1001), bit_depth=10)
    made = Generate(Fraction(60)).output(source)
    assert (made.fps, made.width, made.height, made.bit_depth) == (60, 720, 480, 10)


def test_hours_do_not_drift(film_of):
    """The eleventh hour in milliseconds, at rates that never meet: low ones, to be quick."""
    rate, fps, start = Fraction(5000, 1001), Fraction(6), 10 * 3600
    stamps = [round((start + n / rate) / MILLISECOND) for n in range(int(3600 * rate) + 1)]
    planes, motion = zip(
        *((each.planes, each.motion) for each in film_of(steady(1, 3)).frames), strict=True
    )
    film = (
        Frame(*planes[n % 2], begin, end - begin, MILLISECOND, motion=motion[1])
        for n, (begin, end) in enumerate(pairwise(stamps))
    )
    phases = []

    def synthesis(pair, phase):
        phases.append(phase)
        return planes[2]

    total = 0
    for frame in Generate(fps, lambda: nullcontext(synthesis))(film):
        assert frame.time_base == Fraction(1, 6)
        assert (frame.pts, frame.duration) == (6 * start + total, 1)
        if frame.generated:
            number = bisect_right(stamps, frame.pts * 1000 // 6) - 1
            begin, end = stamps[number : number + 2]
            assert phases[-1] == (frame.pts * 1000 - 6 * begin) / (6 * (end - begin))
        total += 1
    assert abs(start + total / fps - stamps[-1] * MILLISECOND) < 1 / fps
    assert len(phases) > 0.9 * total


@pytest.mark.parametrize(
    ("name", "source", "target", "unit"),
    [
        ("film_23976_to_60", "24000/1001", "60", None),
        ("mkv_2997_to_11988", "30000/1001", "120000/1001", 1),
    ],
)
def test_golden(film_of, golden, name, source, target, unit):
    times = steady(source, 12, origin=Fraction(1, 25))
    cuts, duplicates = (0, 5), (8, 9)
    if unit is None:
        film = film_of(times, cuts, duplicates)
    else:
        film = film_of(rounded(times), cuts, duplicates, MILLISECOND)
    golden(name, film.text_of(film.shown_at(target)))

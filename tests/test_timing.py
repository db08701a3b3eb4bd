"""Rational time: grids without gap, double or drift; the words of rates and times."""

from fractions import Fraction
from itertools import pairwise

import pytest

from vidgen.errors import UsageError
from vidgen.timing import common_time_base, format_time, grid, parse_rate, parse_time, snap_rate

RATES = [
    ("24000/1001", "60"),
    ("25", "50"),
    ("30000/1001", "120000/1001"),
    ("24", "24"),
    ("60", "24"),
    ("24000/1001", "60000/1001"),
    ("12", "1000"),
]


@pytest.mark.parametrize(("source", "target"), RATES)
@pytest.mark.parametrize("origin", [Fraction(0), Fraction(7, 90000), Fraction(-1, 3)])
def test_grids_of_neighbouring_frames_join_without_gap_or_double(source, target, origin):
    rate, fps = Fraction(source), Fraction(target)
    frames = 3 * 3600 * 24  # three hours of film
    step = 7919
    indices = []
    for first in range(0, frames, step):
        last = min(first + step, frames)
        indices.append(grid(origin + first / rate, origin + last / rate, fps, origin))
    assert indices[0].start == 0
    assert all(a.stop == b.start for a, b in pairwise(indices))
    shown = Fraction(indices[-1].stop) / fps
    assert 0 <= shown - frames / rate < 1 / fps


def test_grid_of_a_gap_holds_every_instant_of_it():
    assert grid(Fraction(0), Fraction(10), Fraction(60), Fraction(0)) == range(600)
    assert grid(Fraction(1, 2), Fraction(1, 2), Fraction(60), Fraction(0)) == range(30, 30)


def test_common_time_base_divides_every_time():
    base = common_time_base(Fraction(8, 100), Fraction(1001, 60000), Fraction(3))
    for time in (Fraction(8, 100), Fraction(1001, 60000), Fraction(3)):
        assert (time / base).denominator == 1
    assert common_time_base(Fraction(0), Fraction(1, 60)) == Fraction(1, 60)
    assert common_time_base(Fraction(1, 30), Fraction(1, 60)) == Fraction(1, 60)


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        ("23976/1000", "24000/1001"),
        ("2997/100", "30000/1001"),
        ("19001/317", "60000/1001"),
        ("25", "25"),
        ("5994/100", "60000/1001"),
        ("37/2", "37/2"),
        ("1/10", "1/10"),
    ],
)
def test_rates_snap_to_the_usual_ones_only(given, rate):
    assert snap_rate(Fraction(given)) == Fraction(rate)


def test_words_for_rates():
    assert parse_rate("60") == 60
    assert parse_rate("60000/1001") == Fraction(60000, 1001)
    assert parse_rate("23.976") == Fraction(24000, 1001)
    assert parse_rate("x2", Fraction(24000, 1001)) == Fraction(48000, 1001)
    assert parse_rate("x2.5", Fraction(24)) == 60


@pytest.mark.parametrize(
    "text", ["", "fast", "0", "-5", "60/0", "x", "xx2", "1e9", "x1e99999999", "nan", "2000"]
)
def test_wrong_rates_name_what_is_accepted(text):
    with pytest.raises(UsageError, match="--fps"):
        parse_rate(text, Fraction(24))


def test_a_factor_needs_a_rate():
    with pytest.raises(UsageError, match="states no rate"):
        parse_rate("x2", None)


def test_words_for_times():
    assert parse_time("90.5") == Fraction(181, 2)
    assert parse_time("1:30") == 90
    assert parse_time("1:02:03.25") == 3600 + 123 + Fraction(1, 4)
    for wrong in ("", "a", "1:2:3:4", "-1", "1:-2", "1/0", "1e99999999"):
        with pytest.raises(UsageError, match=r"^--end.*not a time"):
            parse_time(wrong, "--end")


def test_time_for_a_person():
    assert format_time(Fraction(3723)) == "1:02:03"
    assert format_time(59.9) == "0:00:59"

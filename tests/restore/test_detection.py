"""What the first pass says of films that are one thing, flagged as another, or both."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from tests.restore.conftest import NTSC, drawn, film_of, in_frames, watched
from vidgen.restore import detect
from vidgen.scan import Run, Scan
from vidgen.stages import Restore


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("top_first", [True, False])
def test_interlaced_whatever_the_flag_says(pictures, top_first, flag):
    scan = watched(film_of(in_frames(pictures[:60], top_first), flag=flag))
    assert [(run.kind, run.top_first) for run in scan.runs] == [("interlaced", top_first)]


@pytest.mark.parametrize("flag", [True, False])
def test_progressive_whatever_the_flag_says(pictures, flag):
    assert watched(film_of(pictures[:40], flag=flag)).progressive


def test_ten_bits(pictures):
    scan = watched(film_of(in_frames(drawn(40, depth=10))))
    assert [run.kind for run in scan.runs] == ["interlaced"]


def test_rows_that_alternate_are_no_comb(rng):
    """Fine horizontal stripes that move sideways: vertical detail as strong as a comb."""
    stripes = np.where(np.arange(144)[:, None] % 2, 60, 180) + np.zeros((1, 400), int)
    stripes = np.where((np.arange(400) // 25 % 2)[None], stripes, 120).astype(np.uint8)
    uv = np.full((72, 96, 2), 128, np.uint8)
    frames = [(np.ascontiguousarray(stripes[:, 2 * n : 2 * n + 192]), uv) for n in range(40)]
    assert watched(film_of(frames)).progressive


def test_noise_is_no_comb(rng):
    uv = np.full((72, 96, 2), 128, np.uint8)
    frames = [(rng.normal(120, 9, (144, 192)).clip(0, 255).astype(np.uint8), uv) for _ in range(30)]
    assert watched(film_of(frames)).progressive


def test_what_has_the_rows_of_one_field_holds_no_two(pictures):
    """Made small, stripes that move slowly look woven; repeated frames are found there as well."""
    for flag in (False, True):
        found = watched(film_of(in_frames(pictures[:60]), flag=flag), rows=144)
        assert found.progressive is not flag
    repeated = [pictures[n] for n in range(60) for _ in range(1 + (n % 4 == 2))]
    assert [run.cycle for run in watched(film_of(repeated), rows=144).runs] == [(2, 2, 2, 4)]


def test_a_still_film_that_is_flagged_stays_interlaced(pictures):
    still = film_of([pictures[0]] * 30, flag=True)
    assert {run.kind for run in watched(still).runs} == {"interlaced"}
    assert watched(film_of([pictures[0]] * 30)).progressive


def test_shifted_fields_are_put_together(pictures):
    """The second field of each picture stands in the next frame: 2:2, out of step."""
    fields = [n for n in range(41) for _ in (0, 1)][1:-1]
    film = film_of(
        in_frames([pictures[n] for n in fields]), rate=Fraction(25), time_base=Fraction(1, 25)
    )
    scan = watched(film, Fraction(25))
    assert [(run.kind, run.cycle) for run in scan.runs] == [("film", (2,))]
    shown = list(Restore(scan)(film))
    assert [np.array_equal(a.y, pictures[n][0]) for n, a in enumerate(shown, 1)] == [True] * 39
    assert {b.time - a.time for a, b in pairwise(shown[1:])} == {Fraction(1, 25)}


def test_forced(pictures):
    scan = watched(film_of(pictures[:20]), forced=True)
    assert {run.kind for run in scan.runs} == {"interlaced"}


def test_a_scan_travels_as_text():
    runs = (
        Run(0, 12, "progressive"),
        Run(12012, 40, "film", False, (3, 2), 3),
        Run(52052, 8, "interlaced", True),
    )
    scan = Scan(runs, Fraction(1, 30000), NTSC, (0, 30030), 60)
    assert Scan.from_json(scan.to_json()) == scan
    assert scan.pictures_per_frame() == Fraction(12 + 32 + 16, 60)
    assert scan.pictures_per_frame(fields=False) == Fraction(12 + 32 + 8, 60)
    assert scan.share("film") == Fraction(2, 3)
    assert not scan.progressive


def test_a_few_frames_that_look_woven_do_not_make_an_unflagged_film_interlaced():
    """Coded films show such frames by chance; a film in which most are woven is another matter."""
    watcher = detect.Watcher(None)
    watcher._seen = [detect.Seen(pts, 1) for pts in range(100)]
    watcher._flags = [False] * 100
    few, most = (
        (Run(0, count, "interlaced"), Run(count, 100 - count, "progressive")) for count in (9, 60)
    )
    assert watcher._is_doubtful(few)
    assert not watcher._is_doubtful(most)
    watcher._flags[3] = True
    assert not watcher._is_doubtful(few)

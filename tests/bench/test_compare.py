"""Which frames are compared, and with what arithmetic, apart from the command line."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from vidgen.bench.compare import compare, pair, sheet
from vidgen.bench.metrics import PSNR_LIMIT
from vidgen.errors import InputError, UsageError
from vidgen.frame import Frame

Y, UV = np.zeros((16, 16), np.uint8), np.zeros((8, 8, 2), np.uint8)


def frames(fps, count, time_base=None, first=0):
    """`count` frames at `fps`, stamps rounded to `time_base` where a clock is coarse."""
    step = 1 / Fraction(fps)
    time_base = time_base or step
    stamps = [round((first + n * step) / time_base) for n in range(count + 1)]
    return [Frame(Y, UV, stamp, after - stamp, time_base) for stamp, after in pairwise(stamps)]


def shown(reference, output):
    """Index of the reference frame that each output frame is compared with; None after its end."""
    return [
        None if ours is None else reference.index(ours) for _, ours, _ in pair(reference, output)
    ]


def test_equal_rates_go_side_by_side():
    assert shown(frames(25, 4), frames(25, 4)) == [0, 1, 2, 3]


def test_more_frames_see_each_reference_longer():
    assert shown(frames(25, 3), frames(50, 6)) == [0, 0, 1, 1, 2, 2]
    assert shown(frames(24, 4), frames(60, 10)) == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]


def test_fewer_frames_skip():
    assert shown(frames(50, 6), frames(25, 3)) == [0, 2, 4]


@pytest.mark.parametrize("coarse", ["reference", "output"])
def test_a_coarse_clock_loses_no_frame(coarse):
    fps, millisecond = Fraction(24000, 1001), Fraction(1, 1000)
    exact, rounded = frames(fps, 200), frames(fps, 200, millisecond)
    films = (rounded, exact) if coarse == "reference" else (exact, rounded)
    assert shown(*films) == list(range(200))


def test_each_film_counts_from_its_own_beginning():
    assert shown(frames(25, 3, first=10), frames(25, 3)) == [0, 1, 2]
    times = [time for time, _, _ in pair(frames(25, 3), frames(25, 3, first=7))]
    assert times == [0, Fraction(1, 25), Fraction(2, 25)]


def test_after_the_end_nothing_is_compared():
    assert shown(frames(25, 2), frames(25, 4)) == [0, 1, None, None]
    assert shown([], frames(25, 2)) == [None, None]


def test_depths_meet_at_the_deeper_one(clip):
    low = clip("low.mkv", codec="ffv1", frames=2)
    high = clip("high.mkv", codec="ffv1", pix_fmt="yuv420p10le", frames=2)
    result = compare(low, high)
    assert result.bit_depth == 10
    assert 45 < result.means["psnr_y"] < PSNR_LIMIT  # they differ by less than one 8-bit level
    assert compare(low, low).bit_depth == 8


def test_the_worst_pairs_are_kept_apart(clip):
    good = clip("good.mkv", codec="ffv1", frames=60)
    result = compare(good, clip("bad.mkv", frames=60, options={"crf": "40"}))
    scores = [score.measures["psnr_y"] for score in result.scores]
    worst = [pair.score for pair in result.worst]
    assert worst[0].measures["psnr_y"] == min(scores)
    assert worst[0] == result.worst_of("psnr_y")
    assert 1 < len(worst) <= 3
    times = sorted(score.time for score in worst)
    assert all(late - early >= 1 for early, late in pairwise(times))
    assert result.middle.score.time == Fraction(6, 5)
    picture = sheet(result)
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3


def test_flows_are_taken_at_about_so_many_moments(clip):
    film = clip(frames=30)
    for moments, every in ((5, 6), (0, 1), (1000, 1)):
        result = compare(film, film, moments=moments)
        having = [index for index, score in enumerate(result.scores) if "tof" in score.measures]
        assert having == list(range(every, 30, every))
        assert result.every == every
    assert set(result.means) == {"psnr_y", "ssim_y", "psnr_uv", "tof", "warp_error", "flicker"}
    assert result.means["tof"] == 0
    assert (
        result.means["flicker"] < 1
    )  # that of the reference itself, which is not still to the bit


def test_what_lies_between_the_frames_of_the_reference_is_not_measured(clip):
    slow, fast = clip("slow.mkv", frames=6), clip("fast.mkv", frames=15, fps=60)
    result = compare(slow, fast, moments=3)
    assert [score.time * 60 for score in result.scores] == [0, pytest.approx(12, abs=0.1)]
    assert (result.between, result.unmatched) == (13, 0)
    assert compare(slow, slow).between == compare(fast, slow).between == 0


def test_twice_the_rate_is_measured_at_the_frames_of_the_reference(clip):
    slow, fast = clip("slow.mkv", frames=6), clip("fast.mkv", frames=12, fps=50)
    result = compare(slow, fast, moments=3)
    assert [score.time for score in result.scores] == [Fraction(n, 25) for n in range(6)]
    assert (result.between, result.every) == (6, 2)


def test_progress_counts_frames(clip):
    seen, film = [], clip(frames=3)
    compare(film, film, progress=seen.append)
    assert seen == [1, 2, 3]


def test_sizes_that_differ(clip):
    films = clip("small.mkv", size=(64, 48)), clip("wide.mkv", size=(96, 48))
    with pytest.raises(UsageError, match=r"64x48 .* 96x48"):
        compare(*films)
    assert compare(*films, resize=True).output.width == 96


def test_a_film_that_is_missing(clip, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        compare(clip(), tmp_path / "none.mkv")

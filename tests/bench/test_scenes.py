"""The drawn scene is what it says: exact in time and size, cut where told, the ball where told."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from vidgen.bench.metrics import psnr
from vidgen.bench.scenes import Scene
from vidgen.frame import Frame
from vidgen.stages import EstimateMotion

TIMES = [Fraction(1, 3), Fraction(3)]


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("time", TIMES)
def test_planes_are_a_limited_range_picture(depth, time):
    y, uv = Scene(width=96, height=54, bit_depth=depth).planes(time)
    assert y.shape == (54, 96)
    assert uv.shape == (27, 48, 2)
    assert y.dtype == uv.dtype == (np.uint8 if depth == 8 else np.uint16)
    scale = 2 ** (depth - 8)
    assert y.min() >= 4 * scale
    assert y.max() <= 250 * scale
    assert y.std() > 20 * scale
    assert uv.std() > 5 * scale


def test_equal_scenes_are_equal():
    first, second = (Scene(width=96, height=54).planes(Fraction(7, 3)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("time", TIMES)
def test_half_the_size_is_the_area_average(time):
    size = 384, 216
    small = Scene(*size).planes(time)[0]
    large = Scene(width=768, height=432).planes(time)[0]
    halved, moved = (
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        for picture in (large, np.roll(large, 1, axis=1))
    )
    assert psnr(halved, small) > 44
    assert psnr(moved, small) < 35  # half a sample is seen


def test_chroma_is_sited_left():
    """A column of chroma shows what is centred on an even luma column, not between two."""
    fine = Scene(width=768, height=432).planes(TIMES[1])[1][..., 0]
    coarse = Scene(width=192, height=108).planes(TIMES[1])[1][..., 0]

    def shifted(samples):
        moved = np.roll(fine, samples, axis=1)
        return psnr(cv2.resize(moved, (96, 54), interpolation=cv2.INTER_AREA), coarse)

    # sited left, the middle of four fine samples lies 3/4 of one to the right of the coarse one
    assert shifted(1) > shifted(0) + 1
    assert shifted(1) > shifted(-1) + 3


def test_the_ball_is_where_it_says():
    scene = Scene(width=384, height=216, cut=Fraction(9))
    for time in (Fraction(0), Fraction(2, 5), Fraction(1)):
        x, y, radius = scene.ball(time)
        red = scene.planes(time)[1][..., 1] > 170
        rows, columns = np.nonzero(red)
        distance = np.hypot(2 * columns + 0.5 - x, 2 * rows + 1 - y)
        assert len(rows) > 100
        assert distance.max() < radius + 2


def test_the_cut_is_hard_and_on_time():
    scene = Scene(width=96, height=54, cut=Fraction(1))
    before, at = (scene.planes(Fraction(1) - step)[0] for step in (Fraction(1, 1000), 0))
    assert psnr(before, at) < 15
    assert psnr(before, scene.planes(Fraction(998, 1000))[0]) > 35


@pytest.mark.parametrize("cut", [12, 32, 48])
@pytest.mark.parametrize("size", [(96, 54), (320, 180)])
def test_the_cut_is_found_and_no_other(size, cut):
    fps = Fraction(24)
    scene = Scene(*size, cut=cut / fps)
    drawn = (Frame(*scene.planes(n / fps), n, 1, 1 / fps) for n in range(cut - 3, cut + 4))
    assert [frame.pts for frame in EstimateMotion()(drawn) if frame.cut] == [cut - 3, cut]


def test_frames_cover_the_duration():
    scene, fps = Scene(width=32, height=18), Fraction(24000, 1001)
    frames = list(scene.frames(fps, Fraction(1)))
    assert len(frames) == 24
    assert [frame.time for frame in frames] == [number / fps for number in range(24)]
    assert frames[3].end == frames[4].time
    assert np.array_equal(frames[5].y, scene.planes(5 / fps)[0])
    assert scene.format(fps).fps == fps

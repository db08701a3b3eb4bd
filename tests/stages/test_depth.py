"""Depth: 10 bits hold 8 exactly; 8 bits hold 10 in the mean, without false contours."""

from fractions import Fraction

import numpy as np
import pytest

from vidgen.frame import Frame, VideoFormat
from vidgen.stages.depth import Depth, deepened, dithered


def test_every_level_of_eight_bits_comes_back():
    levels = np.arange(256, dtype=np.uint8)[:, None].repeat(4, 1)
    for full in (False, True):
        deep = deepened(levels, full=full)
        assert deep.dtype == np.uint16
        np.testing.assert_array_equal(dithered(deep, full=full), levels)


def test_black_and_white_are_those_of_the_range():
    ends = np.array([[0, 255, 16, 235]], np.uint8)
    assert deepened(ends, full=True).tolist() == [[0, 1023, 64, 943]]
    assert deepened(ends, full=False).tolist() == [[0, 1020, 64, 940]]
    deep = np.array([[0, 1023], [0, 1023]], np.uint16)
    assert dithered(deep, full=True).tolist() == [[0, 255], [0, 255]]
    assert dithered(np.full((2, 2), 1023, np.uint16), full=False).max() == 255


@pytest.mark.parametrize("channels", [(), (2,)])
def test_every_level_of_ten_bits_is_there_in_the_mean(channels):
    for level in range(1021):
        plane = np.full((4, 6, *channels), level, np.uint16)
        assert dithered(plane, full=False).mean() * 4 == level


def ramp(width=1920, height=16, span=24):
    """A dark sky: `span` steps of 10 bits over a whole line."""
    return np.tile(np.rint(np.linspace(80, 80 + span, width)).astype(np.uint16), (height, 1))


def worst_contour(plane, truth, window=16):
    """The largest error of the mean over `window` pixels across and 4 down, in 10-bit steps."""
    error = plane.astype(float) * 4 - truth
    means = np.lib.stride_tricks.sliding_window_view(error, (4, window))[::2].mean(axis=(2, 3))
    return np.abs(means).max()


def test_a_smooth_ramp_has_no_false_contours():
    """What the eye averages is the ramp itself; cut off, a band is off by up to three steps."""
    truth = ramp()
    assert worst_contour((truth >> 2).astype(np.uint8), truth) == 3
    assert worst_contour(dithered(truth, full=False), truth) < 0.1
    line = dithered(truth, full=False)[:2].astype(int).sum(axis=0)
    runs = np.diff(np.flatnonzero(np.diff(line)), prepend=0)
    assert runs.max() < 2 * 1920 / 24  # no band is wider than a step of the ramp itself


def test_frames_share_what_is_held():
    planes = np.full((4, 6), 99, np.uint16), np.full((2, 3, 2), 99, np.uint16)
    frames = [Frame(*planes, n, 1, Fraction(1, 24)) for n in range(3)]
    out = list(Depth(8)(frames))
    assert out[0].y is out[1].y is out[2].y
    assert [frame.pts for frame in out] == [0, 1, 2]
    assert Depth(8).output(VideoFormat(6, 4, bit_depth=10)).bit_depth == 8

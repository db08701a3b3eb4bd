"""Exact resampling: sizes, flats, range, centre alignment."""

from fractions import Fraction

import numpy as np
import pytest

from vidgen.frame import Frame, VideoFormat, dtype_of
from vidgen.stages.fit import Fit, resample

SIZES = [(64, 36), (192, 108), (130, 74), (96, 54)]


def flat(level, depth, width=96, height=54):
    y = np.full((height, width), level, dtype_of(depth))
    return y, np.full((height // 2, width // 2, 2), level, dtype_of(depth))


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("size", SIZES)
def test_flat_colours_stay_exact(size, depth):
    for level in range(0, 1 << depth, 5):
        for plane in resample(flat(level, depth), *size, depth):
            assert (plane == level).all()


@pytest.mark.parametrize("depth", [8, 10])
def test_overshoot_stays_in_range(depth):
    y, uv = flat(0, depth)
    top = (1 << depth) - 1
    y[:, 48:] = top
    uv[:, 24:] = top
    for plane in resample((y, uv), 192, 108, depth):
        assert plane.dtype == dtype_of(depth)
        assert plane.max() == top
        assert plane.min() == 0


@pytest.mark.parametrize("size", SIZES)
def test_a_ramp_stays_in_place(size):
    columns = np.arange(96) * 2 + 20
    y = np.tile(columns.astype(np.uint8), (54, 1))
    uv = np.tile(columns[::2, None].astype(np.uint8), (27, 1, 2))
    out, _ = resample((y, uv), *size, 8)
    centres = (np.arange(size[0]) + 0.5) * 96 / size[0] - 0.5
    inner = (centres > 5) & (centres < 90)
    assert np.abs(out[size[1] // 2] - (centres * 2 + 20))[inner].max() <= 1


def test_frames_keep_their_time_and_held_pictures_are_resampled_once():
    planes = flat(50, 8)
    frames = [Frame(*planes, pts, 1, Fraction(1, 24)) for pts in range(3)]
    target = VideoFormat(192, 108, sample_aspect_ratio=Fraction(3, 4))
    fit = Fit(target)
    out = list(fit(frames))
    assert [frame.pts for frame in out] == [0, 1, 2]
    assert out[0].y is out[1].y is out[2].y
    made = fit.output(VideoFormat(96, 54, Fraction(24)))
    assert (made.width, made.height, made.sample_aspect_ratio) == (192, 108, Fraction(3, 4))
    assert made.fps == 24

"""The plain kernels that models are measured beside, against their formulas."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from vidgen.bench.methods import Resize, bicubic, lanczos
from vidgen.frame import Frame, VideoFormat


def keys(x):
    """R. Keys 1981 with a = -0.5."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def matrix(length, scale):
    """All weights of one side, mirrored at the borders, as MATLAB's imresize has them."""
    weights = np.zeros((length * scale, length))
    for out in range(length * scale):
        place = (out + 0.5) / scale - 0.5
        for sample in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
            inside = -1 - sample if sample < 0 else sample
            inside = 2 * length - 1 - inside if inside >= length else inside
            weights[out, inside] += keys(place - sample)
    return weights


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("depth", [8, 10])
def test_bicubic_is_the_formula(rng, scale, depth):
    plane = rng.integers(0, 2**depth, (9, 12)).astype(np.uint8 if depth == 8 else np.uint16)
    exact = matrix(9, scale) @ plane @ matrix(12, scale).T
    made = bicubic(plane, scale, depth)
    assert made.dtype == plane.dtype
    assert np.abs(made - exact.clip(0, 2**depth - 1)).max() <= 0.501


@pytest.mark.parametrize("kernel", [bicubic, lanczos])
@pytest.mark.parametrize("scale", [2, 4])
def test_a_ramp_keeps_its_place(kernel, scale):
    """Centre-aligned: between the borders, a ramp goes on as it was."""
    plane = np.tile(np.arange(0, 240, 8, dtype=np.uint8), (16, 1))
    row = kernel(plane, scale)[8 * scale].astype(float)
    places = (np.arange(len(row)) + 0.5) / scale - 0.5
    inner = slice(5 * scale, -5 * scale)
    assert np.abs(row - 8 * places)[inner].max() <= 0.51


def test_lanczos_is_that_of_opencv(rng):
    plane = rng.integers(0, 256, (10, 14, 2)).astype(np.uint8)
    expected = cv2.resize(plane, (28, 20), interpolation=cv2.INTER_LANCZOS4)
    np.testing.assert_array_equal(lanczos(plane, 2), expected)


def test_as_a_stage(rng):
    y, uv = (rng.integers(0, 1024, shape).astype(np.uint16) for shape in ((8, 12), (4, 6, 2)))
    stage = Resize(bicubic, 2, 10)
    (made,) = stage([Frame(y, uv, 3, 1, Fraction(1, 25))])
    assert (made.y.shape, made.uv.shape, made.pts) == ((16, 24), (8, 12, 2), 3)
    assert made.y.dtype == np.uint16
    assert stage.output(VideoFormat(12, 8)) == VideoFormat(24, 16)

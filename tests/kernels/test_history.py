"""history.cu against the fast way on the CPU."""

import cv2
import numpy as np
import pytest

from vidgen.kernels import over_pixels
from vidgen.motion.history import align

formats = pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 1023)])
scales = pytest.mark.parametrize("scale", [2, 4])


@pytest.fixture
def history(launch):
    """`history(previous, y, flow, scale)` by the kernel."""

    def run(previous, y, flow, scale):
        out = np.empty((scale**2, *y.shape), y.dtype)
        kernel, peak = {1: ("history_u8", 255), 2: ("history_u16", 1023)}[y.itemsize]
        grid, block = over_pixels(*y.shape)
        numbers = *y.shape, *flow.shape[:2], scale, peak
        trust, confidence = np.zeros(flow.shape[:2], np.uint8), np.empty(y.shape, np.uint8)
        given = previous, y, flow, trust, out, confidence
        launch("history", kernel, grid, block, (*given, *numbers))
        return out

    return run


def pictures(rng, height, width, dtype, peak, scale):
    """The previous output, anything; and an input of gentle slopes, so that clamps differ."""
    previous = rng.integers(0, peak + 1, (scale * height, scale * width), dtype)
    base = rng.integers(0, peak + 1, (-(-height // 6), -(-width // 6)))
    wide = np.kron(base, np.ones((6, 6), int))[:height, :width]
    noisy = wide + rng.integers(-peak // 20, peak // 20 + 1, wide.shape)
    return previous, np.clip(noisy, 0, peak).astype(dtype)


@formats
@scales
def test_whole_pixels_equal_the_fast_way_on_the_cpu(history, rng, dtype, peak, scale):
    previous, y = pictures(rng, 24, 40, dtype, peak, scale)
    for displacement in [(0, 0), (3, -2), (-50, 7)]:
        flow = np.empty((12, 20, 2), np.float32)
        flow[...] = displacement
        made = history(previous, y, flow, scale)
        np.testing.assert_array_equal(made, align(previous, y, flow, scale))


@formats
@scales
def test_between_pixels_the_fast_way_rounds_alike(history, rng, dtype, peak, scale):
    """OpenCV 4 puts positions on 1/32 pixel: 1/64 of the range at most, along each axis."""
    previous, y = pictures(rng, 24, 40, dtype, peak, scale)
    flow = rng.uniform(-3, 3, (12, 20, 2)).astype(np.float32)
    made = history(previous, y, flow, scale).astype(int)
    apart = np.abs(made - align(previous, y, flow, scale)).max()
    assert apart <= 1 + (2 * peak // 64 if cv2.__version__.startswith("4.") else 0)

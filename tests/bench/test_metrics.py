"""PSNR and SSIM against their formulas written out, and against FFmpeg's own filter."""

from fractions import Fraction

import av
import numpy as np
import pytest

from vidgen.bench.metrics import PSNR_LIMIT, psnr, similarities, ssim
from vidgen.errors import UsageError


@pytest.fixture
def plane(rng):
    return rng.integers(16, 236, (40, 56)).astype(np.uint8)


def slow_ssim(a, b, peak):
    """Wang et al. 2004, window by window: SSIM and its contrast-structure term."""
    taps = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(taps, taps)
    window /= window.sum()
    a, b = a.astype(np.float64), b.astype(np.float64)
    values, contrasts = [], []
    for top in range(a.shape[0] - 10):
        for left in range(a.shape[1] - 10):
            x, y = (plane[top : top + 11, left : left + 11] for plane in (a, b))
            mean_x, mean_y = (window * x).sum(), (window * y).sum()
            var_x, var_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
            covariance = (window * (x - mean_x) * (y - mean_y)).sum()
            c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
            contrasts.append((2 * covariance + c2) / (var_x + var_y + c2))
            luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
            values.append(luminance * contrasts[-1])
    return np.mean(values), np.mean(contrasts)


def slow_ms_ssim(a, b, peak):
    """Wang et al. 2003, five scales."""
    result = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        whole, contrast = slow_ssim(a, b, peak)
        result *= (whole if scale == 4 else contrast) ** weight
        height, width = (side // 2 * 2 for side in a.shape)
        a, b = (
            plane[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3))
            for plane in (a.astype(np.float64), b.astype(np.float64))
        )
    return result


def test_equal_planes(plane):
    assert psnr(plane, plane.copy()) == PSNR_LIMIT
    assert ssim(plane, plane.copy()) == pytest.approx(1)


@pytest.mark.parametrize(("depth", "dtype"), [(8, np.uint8), (10, np.uint16)])
def test_psnr_of_a_constant_difference(depth, dtype):
    low, high = np.full((20, 30), 100, dtype), np.full((20, 30), 105, dtype)
    expected = 20 * np.log10((2**depth - 1) / 5)
    assert psnr(low, high, depth) == pytest.approx(expected)
    assert psnr(high, low, depth) == pytest.approx(expected)


@pytest.mark.parametrize("depth", [8, 10])
def test_psnr_does_not_overflow(depth):
    dtype = np.uint8 if depth == 8 else np.uint16
    black = np.zeros((2000, 3000), dtype)
    white = np.full_like(black, 2**depth - 1)
    assert psnr(black, white, depth) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("depth", [8, 10])
def test_ssim_is_the_formula(plane, rng, depth):
    scale = 2 ** (depth - 8)
    reference = plane.astype(np.uint16 if depth == 10 else np.uint8) * scale
    noise = rng.integers(-20, 20, plane.shape) * scale
    other = np.clip(reference.astype(int) + noise, 0, 2**depth - 1).astype(reference.dtype)
    expected, _ = slow_ssim(reference, other, 2**depth - 1)
    assert 0.5 < expected < 0.99
    assert ssim(reference, other, depth) == pytest.approx(expected, abs=2e-5)


def test_unlike_planes_are_refused(plane):
    for metric in (psnr, ssim):
        with pytest.raises(UsageError, match="alike"):
            metric(plane, plane[:-1])
        with pytest.raises(UsageError, match="alike"):
            metric(plane, plane.astype(np.uint16))


def test_ssim_says_what_is_too_small(plane):
    with pytest.raises(UsageError, match="at least 11x11 samples, not 8x40"):
        ssim(plane[:, :8], plane[:, :8])


@pytest.mark.parametrize("depth", [8, 10])
def test_ms_ssim_is_the_formula(rng, depth):
    top, dtype = 2**depth - 1, np.uint8 if depth == 8 else np.uint16
    reference = rng.integers(0, top + 1, (177, 180))
    reference = ((reference + np.roll(reference, 1, 1)) // 2).astype(dtype)
    noise = rng.integers(-top // 6, top // 6, reference.shape)
    other = np.clip(reference.astype(int) + noise, 0, top).astype(dtype)
    whole, scales = similarities(reference, other, depth)
    assert whole == ssim(reference, other, depth)
    expected = slow_ms_ssim(reference, other, top)
    assert 0.5 < expected < 0.995
    assert scales == pytest.approx(expected, abs=2e-5)


def test_ms_ssim_needs_five_scales(rng):
    plane = rng.integers(0, 256, (175, 400)).astype(np.uint8)
    assert similarities(plane, plane)[1] is None
    plane = rng.integers(0, 256, (176, 176)).astype(np.uint8)
    assert similarities(plane, plane) == (pytest.approx(1), pytest.approx(1))
    assert similarities(plane, 255 - plane)[1] == 0  # opposite structure


def test_psnr_is_that_of_ffmpeg(rng):
    """The psnr filter's own words for each frame's luma."""
    planes = [rng.integers(0, 256, (48, 64)).astype(np.uint8) for _ in range(2)]
    frames = [av.VideoFrame.from_ndarray(plane, format="gray") for plane in planes]
    graph = av.filter.Graph()
    buffers = [
        graph.add_buffer(width=64, height=48, format=frame.format, time_base=Fraction(1, 25))
        for frame in frames
    ]
    filtered, sink = graph.add("psnr"), graph.add("buffersink")
    for pad, buffer in enumerate(buffers):
        buffer.link_to(filtered, 0, pad)
    filtered.link_to(sink)
    graph.configure()
    for buffer, frame in zip(buffers, frames, strict=True):
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        buffer.push(frame)
        buffer.push(None)
    said = sink.pull().metadata["lavfi.psnr.psnr_avg"]
    assert psnr(*planes) == pytest.approx(float(said), abs=0.006)  # FFmpeg writes two digits

"""PSNR, SSIM and exact resampling of 1080p planes. Run by `make bench`."""

from fractions import Fraction

import pytest

from vidgen.bench.metrics import psnr, ssim
from vidgen.bench.scenes import Scene
from vidgen.stages.fit import resample

WIDTH, HEIGHT = 1920, 1080


@pytest.fixture(scope="module", params=[8, 10])
def pair(request):
    """Depth and luma of two neighbouring pictures."""
    scene = Scene(WIDTH, HEIGHT, bit_depth=request.param)
    first, second = (scene.planes(Fraction(n, 24))[0] for n in (24, 25))
    return request.param, first, second


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_metric(benchmark, pair, metric):
    depth, first, second = pair
    assert 0 < benchmark(metric, first, second, depth) < 60


@pytest.mark.parametrize("size", [(3840, 2160), (1280, 720)])
def test_resample(benchmark, size):
    planes = Scene(WIDTH, HEIGHT).planes(Fraction(1))
    y, _ = benchmark(resample, planes, *size, 8)
    assert y.shape == size[::-1]

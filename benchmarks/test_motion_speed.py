"""The hot paths of motion and frame generation at 960x540: `pytest benchmarks --benchmark-only`."""

from fractions import Fraction

import numpy as np
import pytest

from vidgen.bench.scenes import Scene
from vidgen.motion import Between, ChangeDetector, FlowEstimator, half_luma
from vidgen.motion.warp import warp

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def ends():
    """Two neighbours of a drawn scene at 24 frames a second."""
    scene = Scene(960, 540)
    return scene.planes(Fraction(0)), scene.planes(Fraction(1, 24))


@pytest.fixture(scope="module")
def halves(ends):
    return [half_luma(y) for y, _ in ends]


def test_half_luma(benchmark, ends):
    benchmark(half_luma, ends[0][0])


def test_cut_and_duplicate(benchmark, halves):
    detector, turn = ChangeDetector(), iter(range(1 << 30))
    benchmark(lambda: detector(halves[next(turn) % 2]))


def test_flow_of_a_pair(benchmark, halves):
    benchmark(FlowEstimator(), *halves)


@pytest.mark.parametrize("bit_depth", [8, 10])
def test_picture_between(benchmark, ends, halves, bit_depth):
    motion = FlowEstimator()(*halves)
    if bit_depth == 10:
        ends = [tuple(plane.astype(np.uint16) * 4 for plane in planes) for planes in ends]
    y, _ = benchmark(lambda: Between(*ends, motion).picture(0.4))
    assert y.shape == (540, 960)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_warp(benchmark, ends, dtype):
    plane = ends[0][0].astype(dtype)
    flow = np.full((540, 960, 2), 3.3, np.float32)
    assert benchmark(warp, plane, flow).dtype == dtype

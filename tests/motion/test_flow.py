"""Flow and its confidence, against motion that is known."""

import numpy as np
import pytest

from vidgen.motion import FlowEstimator, half_luma
from vidgen.motion.warp import warp


@pytest.fixture(scope="module")
def pan(texture):
    """`pan(dx, dy)`: two 8-bit lumas, the content of the second moved by (dx, dy) pixels."""
    y, x = np.mgrid[0:288, 0:512].astype(np.float64)

    def pair(dx, dy):
        return tuple(
            np.clip(30 + 190 * texture(x - s * dx, y - s * dy), 0, 255).astype(np.uint8)
            for s in (0, 1)
        )

    return pair


@pytest.mark.parametrize("move", [(0, 0), (0.5, -0.25), (3, 2), (-11, 6), (24, 0)], ids=str)
def test_a_pan_is_found_to_a_quarter_pixel(pan, move):
    previous, current = (half_luma(y) for y in pan(*move))
    motion = FlowEstimator()(previous, current)
    inner = slice(32, -32), slice(32, -32)  # full-resolution pixels: 64, further than any move
    for flow, sign in ((motion.flow, -1), (motion.reverse, 1)):
        assert flow.shape == (144, 256, 2)
        assert flow.dtype == np.float32
        error = np.hypot(*np.moveaxis(flow[inner] - sign * np.array(move), -1, 0))
        assert error.mean() < 0.25
        assert np.percentile(error, 99) < 1
    assert motion.confidence[inner].mean() > 0.95


def test_flow_shows_where_the_content_lay_before(pan):
    previous, current = pan(9, -5)
    motion = FlowEstimator()(half_luma(previous), half_luma(current))
    full = motion.flow.repeat(2, 0).repeat(2, 1)
    inner = slice(32, -32), slice(32, -32)
    restored = warp(previous, full)[inner].astype(int)
    assert (
        np.abs(restored - current[inner]).mean()
        < 0.1 * np.abs(previous[inner].astype(int) - current[inner]).mean()
    )


def test_what_is_uncovered_is_not_trusted(circle_scene):
    previous, current = (half_luma(circle_scene(t)[0]) for t in (0, 1))
    motion = FlowEstimator()(previous, current)
    y, x = 2 * np.mgrid[0:96, 0:160] + 0.5
    before = np.hypot(x - 130 + 4, y - 90 - 1) < 44  # what it covered has moved, too
    after = np.hypot(x - 142, y - 95) < 46
    uncovered, disc = before & ~after, np.hypot(x - 142, y - 95) < 36
    assert motion.confidence[uncovered].mean() < 0.5 * motion.confidence[disc].mean()
    assert motion.confidence.min() >= 0
    assert motion.confidence.max() <= 1


def test_ten_bits_give_the_flow_of_eight(circle_scene):
    eight = [half_luma(circle_scene(t)[0]) for t in (0, 1)]
    ten = [half_luma(circle_scene(t, 10)[0]) for t in (0, 1)]
    assert all(half.dtype == np.uint8 for half in ten)
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(eight, ten, strict=True)) <= 1
    assert half_luma(np.full((4, 4), 1023, np.uint16)).max() == 255


@pytest.mark.parametrize("size", [(2, 2), (16, 18), (90, 30), (34, 1000)], ids=str)
def test_small_pictures_have_flow_too(rng, size):
    half = rng.integers(0, 256, size).astype(np.uint8)
    motion = FlowEstimator()(half, half)
    assert motion.flow.shape == motion.reverse.shape == (*size, 2)
    assert motion.confidence.shape == motion.reverse_confidence.shape == size
    assert np.abs(motion.flow).max() < 1


@pytest.mark.parametrize("fine", [False, True], ids=["realtime", "fine"])
def test_a_ball_that_flies_further_than_it_is_large_is_found(texture, fine):
    y, x = np.mgrid[0:288, 0:512].astype(np.float64)
    ground = 90 + 40 * texture(x, y)

    def thrown(left, top):
        ball = 170 + 80 * np.sin((x - left) / 9 + 1) * np.cos((y - top) / 7)
        inside = np.hypot(x - left, y - top) < 20
        return np.where(inside, ball, ground).clip(0, 255).astype(np.uint8), inside

    (previous, _), (current, inside) = thrown(200, 100), thrown(284, 148)
    motion = FlowEstimator(fine)(half_luma(previous), half_luma(current))
    middle = np.zeros_like(inside)
    middle[136:160, 272:296] = True
    flow = motion.flow[middle[::2, ::2] & inside[::2, ::2]]
    assert np.abs(np.median(flow, 0) - (-84, -48)).max() < 6  # of a coarser picture
    away = motion.flow[10:40, 10:60]  # the ground stands
    assert np.abs(away).max() < 0.5

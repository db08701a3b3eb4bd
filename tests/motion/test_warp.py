"""Backward warp: the fast way against the formula."""

import numpy as np
import pytest

from vidgen.motion.warp import pixel_grid, sample, sample_sharp, warp
from vidgen.reference.sampling import warp_reference

SIZES = [(2, 2), (5, 7), (33, 64), (101, 37)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 1023)])
@pytest.mark.parametrize("channels", [(), (2,)], ids=["plane", "pair"])
def test_the_fast_way_follows_the_formula(rng, size, dtype, top, channels):
    plane = rng.integers(0, top + 1, (*size, *channels)).astype(dtype)
    flow = rng.uniform(-9, 9, (*size, 2)).astype(np.float32)
    fast, exact = warp(plane, flow), warp_reference(plane, flow)
    assert fast.dtype == exact.dtype == dtype
    assert fast.shape == exact.shape == plane.shape
    # positions rounded to 1/32 pixel, between neighbours that differ by up to `top`
    assert np.abs(fast.astype(int) - exact).max() <= 2 * top / 32


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("go", [warp, warp_reference])
def test_whole_steps_move_pixels_and_edges_are_replicated(rng, dtype, go):
    plane = rng.integers(0, 256, (12, 16)).astype(dtype)
    flow = np.zeros((12, 16, 2), np.float32)
    np.testing.assert_array_equal(go(plane, flow), plane)
    flow[:] = (3, -2)
    y, x = np.clip(np.arange(12) - 2, 0, 11), np.clip(np.arange(16) + 3, 0, 15)
    np.testing.assert_array_equal(go(plane, flow), plane[y][:, x])
    flow[:] = (1000, 1000)
    np.testing.assert_array_equal(go(plane, flow), np.full_like(plane, plane[-1, -1]))


@pytest.mark.parametrize("value", [0, 1, 127, 255])
@pytest.mark.parametrize("go", [warp, warp_reference])
def test_flat_planes_stay_exact(rng, value, go):
    flow = rng.uniform(-30, 30, (40, 50, 2)).astype(np.float32)
    assert (go(np.full((40, 50), value, np.uint8), flow) == value).all()
    assert (go(np.full((40, 50), 4 * value + 3, np.uint16), flow) == 4 * value + 3).all()


def test_half_way_is_the_mean_rounded_half_up():
    plane = np.array([[10, 13], [10, 13]], np.uint8)
    flow = np.full((2, 2, 2), (0.5, 0), np.float32)
    assert warp_reference(plane, flow)[0, 0] == 12


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 1023)])
def test_sharp_samples_stay_in_range_and_exact_where_flat(rng, dtype, top):
    positions = pixel_grid(40, 60) + rng.uniform(-3, 3, (40, 60, 2)).astype(np.float32)
    edges = np.where(rng.random((40, 60)) < 0.5, 0, top).astype(dtype)
    sharp = sample_sharp(edges, positions)
    assert sharp.dtype == dtype
    assert sharp.max() <= top
    for value in (0, 1, top // 2, top):
        assert (sample_sharp(np.full((40, 60), value, dtype), positions) == value).all()


def test_sharp_samples_are_sharper(texture):
    y, x = np.mgrid[0:64, 0:96].astype(np.float64)
    positions = pixel_grid(64, 96) + np.float32(0.5)
    fine = [np.rint(40 + 180 * texture(3 * (x + d), 3 * (y + d))) for d in (0, 0.5)]
    source, truth = np.clip(fine[0], 0, 255).astype(np.uint8), np.clip(fine[1], 0, 255)
    error = [
        np.abs(go(source, positions) - truth)[4:-4, 4:-4].mean() for go in (sample_sharp, sample)
    ]
    assert error[0] < 0.7 * error[1]


def test_the_pixel_grid_is_shared_and_cannot_be_spoilt():
    assert pixel_grid(3, 4) is pixel_grid(3, 4)
    with pytest.raises(ValueError, match="read-only"):
        pixel_grid(3, 4)[0, 0] = 1

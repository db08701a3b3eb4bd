"""warp.cu against truths that need no reference."""

import numpy as np
import pytest

from vidgen.kernels import over_pixels

FORMATS = [(np.uint8, 255, 1), (np.uint8, 255, 2), (np.uint16, 1023, 1), (np.uint16, 1023, 2)]
formats = pytest.mark.parametrize(
    ("dtype", "peak", "channels"), FORMATS, ids=lambda value: getattr(value, "__name__", str(value))
)


@pytest.fixture
def warp(launch):
    """`warp(plane, flow)` by the kernel."""

    def run(plane, flow):
        height, width = plane.shape[:2]
        out = np.empty_like(plane)
        kernel = {1: "warp_u8", 2: "warp_u16"}[plane.itemsize]
        channels = plane.size // (height * width)
        grid, block = over_pixels(height, width)
        launch("warp", kernel, grid, block, (plane, flow, out, height, width, channels))
        return out

    return run


def noise(rng, height, width, dtype, peak, channels):
    shape = (height, width) if channels == 1 else (height, width, channels)
    return rng.integers(0, peak + 1, shape, dtype)


@formats
def test_flat_colours_stay_exact(warp, rng, dtype, peak, channels):
    flow = rng.uniform(-9, 9, (20, 30, 2)).astype(np.float32)
    for value in {0, 1, 16, 128, 235, 254, 255, 64, 940, 1022, 1023}:
        if value <= peak:
            flat = np.full_like(noise(rng, 20, 30, dtype, peak, channels), value)
            np.testing.assert_array_equal(warp(flat, flow), flat)


@formats
def test_whole_pixels_are_a_shift_with_edges_replicated(warp, rng, dtype, peak, channels):
    plane = noise(rng, 12, 40, dtype, peak, channels)
    flow = np.empty((12, 40, 2), np.float32)
    flow[...] = (3, -2)  # to the right, and up
    padding = ((2, 0), (0, 3)) + ((0, 0),) * (channels - 1)
    shifted = np.pad(plane, padding, "edge")[:12, 3:]
    np.testing.assert_array_equal(warp(plane, flow), shifted)


@formats
def test_a_ramp_moves_by_what_the_flow_says(warp, dtype, peak, channels):
    ramp = np.tile(np.arange(0, 4 * 40, 4, dtype=dtype), (6, 1))
    plane = ramp if channels == 1 else np.ascontiguousarray(np.dstack([ramp, ramp[:, ::-1]]))
    flow = np.zeros((6, 40, 2), np.float32)
    flow[..., 0] = 0.25  # one code on this ramp
    made = warp(plane, flow).reshape(6, 40, channels)
    np.testing.assert_array_equal(made[:, :-1, 0], ramp[:, :-1] + 1)
    if channels == 2:
        np.testing.assert_array_equal(made[:, :-1, 1], ramp[:, ::-1][:, :-1] - 1)


def test_halves_are_rounded_up(warp):
    plane = np.array([[10, 11, 10]], np.uint8)
    flow = np.zeros((1, 3, 2), np.float32)
    flow[..., 0] = 0.5
    assert warp(plane, flow).tolist() == [[11, 11, 10]]


def test_a_displacement_that_is_no_number_reads_the_plane(warp):
    plane = np.arange(12, dtype=np.uint8).reshape(3, 4)
    flow = np.full((3, 4, 2), np.nan, np.float32)
    assert (warp(plane, flow) == plane[0, 0]).all()


@formats
def test_one_vector_for_every_block_is_a_shift(launch, rng, dtype, peak, channels):
    plane = noise(rng, 32, 48, dtype, peak, channels)
    vectors = np.empty((2, 3, 2), np.int16)
    vectors[...] = (3 * 4, -2 * 4)  # quarter pixels: to the right, and up
    padding = ((2, 0), (0, 3)) + ((0, 0),) * (channels - 1)
    shifted = np.pad(plane, padding, "edge")[:32, 3:]
    out, kernel = np.empty_like(plane), f"warp_blocks_u{8 * plane.itemsize}"
    numbers = *plane.shape[:2], channels, 2, 3, 4, 2
    launch("warp", kernel, *over_pixels(32, 48), (plane, vectors, out, *numbers))
    np.testing.assert_array_equal(out, shifted)

"""Pictures in between, against the true ones of a scene drawn by code."""

import numpy as np
import pytest

from vidgen.motion import Between, FlowEstimator, half_luma


def between(before, after, phase):
    motion = FlowEstimator()(half_luma(before[0]), half_luma(after[0]))
    return Between(before, after, motion).picture(phase)


@pytest.fixture(scope="module")
def made(circle_scene):
    """`made(phase)`: the picture between the scene at 0 and at 1."""
    ends = circle_scene(0), circle_scene(1)
    return lambda phase: between(*ends, phase)


@pytest.mark.parametrize("phase", [0.2, 0.4, 0.5, 0.75])
def test_it_is_the_true_picture_far_more_than_a_blend_is(circle_scene, made, psnr, phase):
    first, last, truth = circle_scene(0), circle_scene(1), circle_scene(phase)
    gains = []
    for start, end, true, picture in zip(first, last, truth, made(phase), strict=True):
        assert picture.dtype == np.uint8
        gains.append(psnr(picture, true) - psnr((1 - phase) * start + phase * end, true))
    assert gains[0] > 8
    assert gains[1] > 3.5  # chroma is flat but for the edge of the disc
    assert psnr(made(phase)[0], truth[0]) > 31


def test_what_is_uncovered_is_nearer_the_truth_than_a_blend(circle_scene, made):
    truth = circle_scene(0.5)[0].astype(int)
    ends = [circle_scene(t)[0].astype(int) for t in (0, 1)]
    y, x = np.mgrid[0:192, 0:320]
    behind = (np.hypot(x - 130, y - 90) < 44) & (np.hypot(x - 136, y - 92.5) > 47)
    error = np.abs(made(0.5)[0].astype(int) - truth)[behind].mean()
    blend = np.abs((ends[0] + ends[1]) / 2 - truth)[behind].mean()
    assert error < 0.8 * blend


def test_a_title_over_a_moving_picture_stands(circle_scene, made):
    title = circle_scene(0)[0] == 235
    assert title[20:60, 20:28].all()
    inside = np.zeros_like(title)
    inside[22:58, 22:26] = True  # away from its edges
    assert np.abs(made(0.5)[0].astype(int)[inside] - 235).mean() < 2


def test_ten_bits_show_the_picture_of_eight(circle_scene):
    eight = between(circle_scene(0), circle_scene(1), 0.4)
    ten = between(circle_scene(0, 10), circle_scene(1, 10), 0.4)
    for coarse, fine in zip(eight, ten, strict=True):
        assert fine.dtype == np.uint16
        assert fine.max() <= 1023
        assert np.abs(fine / 4 - coarse).mean() < 0.5


@pytest.mark.parametrize(
    ("dtype", "values"), [(np.uint8, (0, 16, 255)), (np.uint16, (1, 64, 1023))]
)
def test_flat_colours_stay_exact(dtype, values):
    for value in values:
        planes = np.full((64, 96), value, dtype), np.full((32, 48, 2), value, dtype)
        for phase in (0.01, 0.4, 0.5, 0.99):
            y, uv = between(planes, planes, phase)
            assert (y == value).all()
            assert (uv == value).all()


@pytest.mark.parametrize("bit_depth", [8, 10])
def test_between_equal_pictures_lies_the_same_one(circle_scene, bit_depth):
    planes = circle_scene(0.3, bit_depth)
    for made, plane in zip(between(planes, planes, 0.5), planes, strict=True):
        np.testing.assert_array_equal(made, plane)


def test_a_fade_is_half_way_in_the_middle(circle_scene):
    y, uv = circle_scene(0)
    darker = np.uint8(16) + (y - np.uint8(16)) // 5 * 4, uv
    middle = between((y, uv), darker, 0.5)[0].astype(float)
    assert np.abs(middle - (y.astype(float) + darker[0]) / 2).mean() < 1.5


def test_both_ends_are_left_as_they_are(circle_scene):
    ends = circle_scene(0), circle_scene(1)
    copies = [tuple(plane.copy() for plane in planes) for planes in ends]
    made = between(*ends, 0.5)
    for planes, copy in zip(ends, copies, strict=True):
        for plane, kept, result in zip(planes, copy, made, strict=True):
            np.testing.assert_array_equal(plane, kept)
            assert not np.shares_memory(plane, result)


@pytest.mark.parametrize("size", [(2, 2), (16, 30), (90, 854), (270, 18)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_any_even_size(rng, size, dtype):
    height, width = size
    ends = [
        (
            rng.integers(0, 256, (height, width)).astype(dtype),
            rng.integers(0, 256, (height // 2, width // 2, 2)).astype(dtype),
        )
        for _ in range(2)
    ]
    y, uv = between(*ends, 0.5)
    assert (y.shape, y.dtype) == (size, dtype)
    assert (uv.shape, uv.dtype) == ((height // 2, width // 2, 2), dtype)
    assert y.flags.c_contiguous
    assert uv.flags.c_contiguous

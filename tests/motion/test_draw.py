"""Two pictures sampled in blocks and mixed, against the same done pixel by pixel."""

import numpy as np
import pytest

from vidgen.motion.draw import Guess, candidates, draw
from vidgen.motion.warp import pixel_grid, sample
from vidgen.reference.sampling import warp_reference

INNER = slice(16, -16), slice(16, -16)


@pytest.fixture
def planes(rng):
    """`planes(dtype, top)`: two pictures of 64x90: an odd number of chroma pairs in a row."""

    def make(dtype, top):
        return [
            (
                rng.integers(0, top + 1, (64, 90)).astype(dtype),
                rng.integers(0, top + 1, (32, 45, 2)).astype(dtype),
            )
            for _ in range(2)
        ]

    return make


def halfway(value, weight, shape=(16, 22)):
    """A velocity, in quarter-resolution pixels, half way between the pictures."""
    steps = np.full((*shape, 2), value, np.float32) * 2
    return Guess((-steps, steps), np.full(shape, weight, np.float32), np.zeros(shape, np.float32))


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 1023)])
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_whole_steps_move_pixels_unchanged(planes, dtype, top, weight):
    ends = planes(dtype, top)
    y, uv = draw(*ends, halfway((2, -1), weight))  # 8 and -4 pixels of luma over the interval
    share = 0.5 if weight else -0.5
    for made, plane, scale in ((y, ends[int(weight)][0], 4), (uv, ends[int(weight)][1], 2)):
        assert (made.dtype, made.shape) == (dtype, plane.shape)
        moved = np.roll(plane, (int(scale * share), int(-2 * scale * share)), (0, 1))
        np.testing.assert_array_equal(made[8:-8, 8:-8], moved[8:-8, 8:-8])


def test_blocks_give_what_single_pixels_do(planes):
    """Chroma, which nothing is added to, at a fraction of a pixel."""
    before, after = planes(np.uint8, 255)
    _, uv = draw(before, after, halfway((0.6, 0.3), 0))
    exact = warp_reference(before[1], np.full((32, 45, 2), (-0.6, -0.3), np.float32))
    assert np.abs(uv.astype(int) - exact)[4:-4, 4:-4].max() <= 1


def test_the_mixture_follows_the_weight(planes):
    ends = planes(np.uint8, 255)
    y, uv = draw(*ends, halfway(0, 0.25))
    for made, first, last in zip((y, uv), *ends, strict=True):
        assert np.abs(made - (0.75 * first + 0.25 * last)).max() <= 1


def test_half_a_pixel_is_no_softer_than_the_picture(texture):
    y, x = np.mgrid[0:128, 0:160].astype(np.float64)
    true = 40 + 180 * texture(3 * x + 1.5, 3 * y)
    plane = np.clip(40 + 180 * texture(3 * x, 3 * y), 0, 255).astype(np.uint8)
    ends = [(plane, np.zeros((64, 80, 2), np.uint8))] * 2
    made, _ = draw(*ends, halfway((-0.25, 0), 0, (32, 40)))  # half a pixel of luma
    plain = sample(plane, pixel_grid(128, 160) + np.float32((0.5, 0)))
    errors = [np.abs(each[INNER] - np.clip(true, 0, 255)[INNER]).mean() for each in (made, plain)]
    assert errors[0] < 0.8 * errors[1]


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 1023)])
def test_candidates_are_the_pictures_in_blocks_with_nothing_to_add_at_rest(planes, dtype, top):
    ends = planes(dtype, top)
    given = candidates(*ends, halfway(0, 0.25))
    for (blocks, uv), (y, whole) in zip((given.first, given.last), ends, strict=True):
        assert blocks.dtype == dtype
        np.testing.assert_array_equal(
            blocks.reshape(32, 45, 2, 2).swapaxes(1, 2).reshape(64, 90), y
        )
        np.testing.assert_array_equal(uv, whole)
    assert [tuple(np.unique(given.guide[..., n])) for n in range(4)] == [(64,), (0,), (0,), (0,)]


def test_a_network_may_add_where_sampling_takes_detail_or_the_pictures_differ(planes):
    assert candidates(*planes(np.uint8, 255), halfway((0.25, 0), 0.5)).guide[..., 3].min() > 99
    apart = Guess(halfway(0, 0.5).steps, np.full((16, 22), 0.5), np.full((16, 22), 60.0))
    assert candidates(*planes(np.uint8, 255), apart).guide[..., 3].min() == 255

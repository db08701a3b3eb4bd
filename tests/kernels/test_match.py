"""match.cu against truths that need no reference."""

import cv2
import numpy as np
import pytest

from vidgen.reference.match import UNIT

HEIGHT, WIDTH, BLOCK = 64, 96, 16
ROWS, COLUMNS = HEIGHT // BLOCK, WIDTH // BLOCK


@pytest.fixture
def match(launch):
    """`match(current, previous, given, reach)`: vectors in sixteenths of a pixel, and costs."""

    def run(current, previous, given, reach=4):
        found, costs = np.empty((ROWS, COLUMNS, 2), np.int16), np.empty((ROWS, COLUMNS), np.int32)
        numbers = HEIGHT, WIDTH, BLOCK, 0, reach, int(len(given) < ROWS)
        kernel = f"match_u{8 * current.itemsize}"
        arguments = current, previous, given, found, costs, *numbers
        launch("match", kernel, (COLUMNS, ROWS), (128,), arguments)
        return found, costs

    return run


def texture(rng, peak):
    """Larger than the picture by 16 pixels on every side; detail of about four pixels."""
    grain = rng.uniform(0, 1, (HEIGHT + 32, WIDTH + 32)).astype(np.float32)
    smooth = cv2.GaussianBlur(grain, (0, 0), 1.5)
    return cv2.normalize(smooth, None, 0, peak, cv2.NORM_MINMAX)


def cropped(picture, x, y, dtype):
    """The picture seen from (x, y) pixels further on."""
    move = np.float32([[1, 0, -16 - x], [0, 1, -16 - y]])
    moved = cv2.warpAffine(picture, move, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)
    return np.ascontiguousarray(np.rint(moved).clip(0, picture.max()).astype(dtype))


@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 1023)])
@pytest.mark.parametrize("move", [(0, 0), (3, -2), (-4, 4), (9, -6)])
def test_whole_pixels_are_found_from_nearby(match, rng, dtype, peak, move):
    whole = texture(rng, peak)
    previous, current = cropped(whole, 0, 0, dtype), cropped(whole, *move, dtype)
    given = np.empty((ROWS, COLUMNS, 2), np.int16)
    given[...] = [UNIT * (side - np.sign(side) * 3) for side in move]  # three pixels short
    found, costs = match(current, previous, given)
    inside = np.s_[1:-1, 1:-1]
    assert not costs[inside].any()
    near = np.abs(found[inside] - UNIT * np.array(move))
    assert (near <= UNIT / 4).all()  # the costs around the place are not the same on all sides


def test_a_block_starts_where_half_the_size_led_it(match, rng):
    whole = texture(rng, 255)
    previous, current = cropped(whole, 0, 0, np.uint8), cropped(whole, 12, -10, np.uint8)
    given = np.zeros((ROWS // 2, COLUMNS // 2, 2), np.int16)
    given[...] = (6 * UNIT, -5 * UNIT)
    given[:, 0] = -30 * UNIT
    found, costs = match(current, previous, given, reach=1)
    assert not costs[1:, 2:-1].any()
    assert (np.abs(found[1:, 2:-1] - UNIT * np.array((12, -10))) <= UNIT / 4).all()
    assert costs[:, :2].all()


def test_parts_of_a_pixel_are_found(match, rng):
    whole = texture(rng, 255)
    previous, current = cropped(whole, 0, 0, np.uint8), cropped(whole, 1.25, -0.5, np.uint8)
    found, _ = match(current, previous, np.zeros((ROWS, COLUMNS, 2), np.int16))
    inside = found[1:-1, 1:-1].reshape(-1, 2)
    assert np.abs(inside - (20, -8)).max() <= 3
    assert (np.abs(np.median(inside, 0) - (20, -8)) <= 1).all()


def test_where_all_is_alike_the_given_vector_stays(match):
    flat = np.full((HEIGHT, WIDTH), 77, np.uint8)
    given = np.zeros((ROWS, COLUMNS, 2), np.int16)
    given[...] = (UNIT, -2 * UNIT)
    found, costs = match(flat, flat, given)
    np.testing.assert_array_equal(found, given)
    assert not costs.any()


@pytest.mark.parametrize(("before", "behind", "parts"), [(15, 16, 0), (16, 15, 1), (16, 16, 0)])
def test_halves_of_a_part_are_rounded_up(match, before, behind, parts):
    """A dark block between two lines: the costs to its left and right are known."""
    current = np.zeros((HEIGHT, WIDTH), np.uint8)
    previous = current.copy()
    previous[:, 2 * BLOCK - 1], previous[:, 3 * BLOCK] = before, behind
    found, costs = match(current, previous, np.zeros((ROWS, COLUMNS, 2), np.int16), reach=1)
    assert found[1, 2].tolist() == [parts, 0]
    assert costs[1, 2] == 0

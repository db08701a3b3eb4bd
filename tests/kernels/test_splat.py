"""splat.cu against truths that need no reference."""

import numpy as np
import pytest

from vidgen.kernels import over_pixels

HEIGHT, WIDTH = 12, 40


@pytest.fixture
def splat(launch):
    """`splat(values, steps, whole)`: the values carried on, and where any are."""

    def run(values, steps, whole=(0, 0)):
        size = values.shape[:2]
        claims, out = np.zeros(size, np.uint64), np.empty_like(values)
        seen, whole = np.empty(size, np.uint8), np.array(whole, np.float32)
        launch("splat", "splat_claim", *over_pixels(*size), (steps, whole, claims, *size))
        taken = claims, values, out, seen, *size, values.shape[2]
        launch("splat", "splat_take", *over_pixels(*size), taken)
        return out, seen == 255

    return run


def test_whole_pixels_are_a_shift_and_leave_a_gap(splat, rng):
    values = rng.random((HEIGHT, WIDTH, 2), np.float32)
    steps = np.empty((HEIGHT, WIDTH, 2), np.float32)
    steps[...] = (3, -2)
    out, seen = splat(values, steps)
    np.testing.assert_array_equal(out[:-2, 3:], values[2:, :-3])
    assert not seen[:, :3].any()
    assert not out[:, :3].any()
    assert seen[:-1, 3:].all()  # the last row's lower pixels are the last ones claimed
    assert not seen[-1].any()


def test_what_moves_otherwise_than_the_whole_is_in_front(splat):
    values = np.zeros((HEIGHT, WIDTH, 1), np.float32)
    steps = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    values[4:8, 10:14], steps[4:8, 10:14, 0] = 1, 6  # a square over a ground at rest
    out, seen = splat(values, steps)
    assert (out[4:8, 16:20] == 1).all()
    assert not seen[5:8, 11:14].any()  # what it has left; its border is claimed from around
    out, _ = splat(values, steps, whole=(6, 0))  # now the ground is what moves otherwise
    assert (out[4:8, 16:20] == 0).all()


def test_what_leads_out_of_the_picture_is_gone(splat, rng):
    values = rng.random((HEIGHT, WIDTH, 3), np.float32)
    for far in (1e9, np.inf, np.nan, -50):
        out, seen = splat(values, np.full((HEIGHT, WIDTH, 2), far, np.float32))
        assert not seen.any()
        assert not out.any()

"""densify.cu against truths that need no reference."""

import numpy as np
import pytest

from vidgen.kernels import over_pixels

BLOCK, UNIT = 8, 4


@pytest.fixture
def densify(launch):
    """`densify(vectors, trust)` for whole blocks."""

    def run(vectors, trust):
        rows, columns = trust.shape
        size = rows * BLOCK, columns * BLOCK
        flow = np.empty((*size, 2), np.float32)
        numbers = *size, rows, columns, 3, 2  # 8 and 4 are these powers of two
        launch("densify", "densify", *over_pixels(*size), (vectors, trust, flow, *numbers))
        return flow

    return run


def test_one_motion_of_all_stays_exact(densify, rng):
    vectors = np.empty((5, 6, 2), np.int16)
    vectors[...] = (13, -2047)
    flow = densify(vectors, rng.integers(0, 256, (5, 6), np.uint8))
    assert (flow == np.float32((13 / UNIT, -2047 / UNIT))).all()


def test_a_zoom_is_a_zoom_between_the_centres(densify):
    vectors = np.zeros((4, 6, 2), np.int16)
    vectors[..., 0] = 16 * np.arange(6)  # 4 pixels more with every block of 8
    flow = densify(vectors, np.full((4, 6), 255, np.uint8))
    inside = slice(BLOCK // 2, -BLOCK // 2)
    wanted = (np.arange(6 * BLOCK) + 0.5 - BLOCK / 2) / 2
    np.testing.assert_allclose(flow[5, inside, 0], wanted[inside], rtol=0, atol=1e-5)
    assert not flow[..., 1].any()


def test_what_is_not_trusted_gives_way(densify):
    vectors = np.zeros((1, 3, 2), np.int16)
    vectors[0, 1] = 400
    trust = np.array([[255, 0, 255]], np.uint8)
    flow = densify(vectors, trust)
    assert np.abs(flow[:, BLOCK : BLOCK + 2]).max() < 1  # of 100 pixels that it says
    assert densify(vectors, np.zeros((1, 3), np.uint8))[4, 12, 0] > 90  # it is all there is

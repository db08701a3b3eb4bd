"""The fast ways of vidgen.motion.history against vidgen.reference.history."""

import cv2
import numpy as np
import pytest

from vidgen.motion.history import trusted
from vidgen.reference.history import trusted_reference


@pytest.mark.skipif(cv2.__version__.startswith("4."), reason="OpenCV 4 rounds positions")
@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (2, 2), (36, 50)])
def test_trust_and_rest_are_those_of_the_reference(rng, size):
    previous = rng.integers(0, 256, size, np.uint8)
    current = np.clip(previous + rng.integers(-9, 10, size), 0, 255).astype(np.uint8)
    flow = rng.uniform(-3, 3, (*size, 2)).astype(np.float32)
    made, expected = trusted(previous, current, flow), trusted_reference(previous, current, flow)
    np.testing.assert_array_equal(made[0], expected[0])
    assert np.abs(made[1].astype(int) - expected[1]).max() <= 1

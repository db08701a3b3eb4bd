"""vidgen.motion.history: its fast ways against vidgen.reference.history, and what it keeps."""

from functools import partial

import cv2
import numpy as np
import pytest

from vidgen.motion.history import HostMemory, settled, trusted
from vidgen.reference.history import settled_reference, trusted_reference


@pytest.mark.skipif(cv2.__version__.startswith("4."), reason="OpenCV 4 rounds positions")
@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (2, 2), (36, 50)])
def test_trust_and_rest_are_those_of_the_reference(rng, size):
    previous = rng.integers(0, 256, size, np.uint8)
    current = np.clip(previous + rng.integers(-9, 10, size), 0, 255).astype(np.uint8)
    flow = rng.uniform(-3, 3, (*size, 2)).astype(np.float32)
    made, expected = trusted(previous, current, flow), trusted_reference(previous, current, flow)
    np.testing.assert_array_equal(made[0], expected[0])
    assert np.abs(made[1].astype(int) - expected[1]).max() <= 1


@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.uint16, 1023)])
@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (36, 50)])
@pytest.mark.parametrize("share", [0, 0.02, 1])
def test_what_stays_is_that_of_the_reference(rng, dtype, peak, size, share):
    before = rng.integers(0, peak + 1, size, dtype)
    now = before ^ (rng.random(size) < share).astype(dtype)
    output, made = rng.integers(0, peak + 1, (2, 2 * size[0], 2 * size[1]), dtype)
    expected = settled_reference(before, now, output, made)
    np.testing.assert_array_equal(settled(before, now, output, made.copy()), expected)


class Restless:
    """A network that never draws the same picture alike."""

    inputs = {"y": ((8, 16), np.uint8), "uv": ((4, 8, 2), np.uint8)}  # noqa: RUF012

    def __init__(self, first):
        self.runs = first

    def __call__(self, y, uv):
        self.runs += 1
        return np.full((16, 32), self.runs, np.uint8), uv


def test_what_does_not_change_is_not_drawn_anew():
    """But in the pixels around a change, after a cut, and by another network."""
    memory, network, other = HostMemory(1), Restless(0), Restless(100)
    uv, flow = np.zeros((4, 8, 2), np.uint8), partial(np.zeros, (4, 8, 2), np.float32)
    y = np.full((8, 16), 60, np.uint8)
    there = y.copy()
    there[4, 8] = 90

    def drawn(picture, flow=flow, engine=network, keep=True):
        return memory.draw(engine, (picture, uv), flow, keep=keep)[0].copy()

    assert (drawn(y, None) == 1).all()
    assert (drawn(y) == 1).all()
    changed = drawn(there)
    around = np.zeros(changed.shape, bool)
    around[4:14, 12:22] = True
    assert (changed[around] == 3).all()
    assert (changed[~around] == 1).all()
    assert (drawn(there, keep=False) == changed).all()
    assert (drawn(there, None) == 5).all()
    assert (drawn(there, engine=other) == 101).all()
    memory.forget()
    assert (drawn(there, engine=other) == 102).all()


def test_what_is_kept_is_nobody_elses():
    """A caller draws a logo into what came out, and fills the picture that went in anew."""
    memory, network = HostMemory(1), Restless(0)
    uv, flow = np.zeros((4, 8, 2), np.uint8), partial(np.zeros, (4, 8, 2), np.float32)
    y = np.full((8, 16), 60, np.uint8)
    memory.draw(network, (y, uv), None, keep=True)[0][:] = 255
    assert (memory.draw(network, (y, uv), flow, keep=True)[0] == 1).all()
    y[:] = 90
    assert (memory.draw(network, (y, uv), flow, keep=True)[0] == 3).all()

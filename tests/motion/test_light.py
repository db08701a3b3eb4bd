"""Fades, flashes and dissolves over a moving picture, against the true one."""

import numpy as np
import pytest

from vidgen.motion import Between, FlowEstimator, half_luma
from vidgen.motion.light import Light, change_of_light

INNER = slice(16, -16), slice(16, -16)


def lit(planes, gain, offset):
    y, uv = (plane.astype(float) for plane in planes)
    parts = gain * y + offset, 128 + gain * (uv - 128)
    return tuple(np.clip(np.rint(part), 0, 255).astype(np.uint8) for part in parts)


def between(before, after):
    return Between(before, after, FlowEstimator()(half_luma(before[0]), half_luma(after[0])))


@pytest.mark.parametrize(
    ("gain", "offset"), [(0.55, 7.2), (1.6, -9.6), (0.9, 40)], ids=["fade out", "fade in", "flash"]
)
def test_a_moving_picture_changes_its_light_evenly(circle_scene, psnr, gain, offset):
    before, after = circle_scene(0), lit(circle_scene(1), gain, offset)
    pair = between(before, after)
    assert pair.light.gain == pytest.approx(gain, abs=0.1)
    part = 0.4
    truth = lit(circle_scene(part), 1 + part * (gain - 1), part * offset)
    planes = zip(pair.picture(part), truth, before, after, (3, 1.5), strict=True)
    for made, true, first, last, gained in planes:
        blend = (1 - part) * first + part * last.astype(float)
        assert psnr(made[INNER], true[INNER]) > psnr(blend[INNER], true[INNER]) + gained


def test_both_ways_meet():
    light = Light(0.6, 12.0)
    y = np.arange(40, 200, dtype=np.uint8).reshape(8, 20)
    planes = y, np.full((4, 10, 2), 128, np.uint8)
    ahead = light.until(0.3).on(planes)[0].astype(int)
    back = light.since(0.3).on(light.until(1).on(planes))[0]
    assert np.abs(ahead - back).max() <= 1
    ten = tuple(plane.astype(np.uint16) * 4 for plane in planes)
    assert np.abs(light.until(0.3).on(ten)[0] / 4 - ahead).max() <= 1


def test_motion_and_cuts_are_no_change_of_light(circle_scene, rng):
    assert between(circle_scene(0), circle_scene(1)).light is None
    assert between(circle_scene(0), circle_scene(0)).light is None
    noise = [rng.integers(low, 255, (60, 80)).astype(np.uint8) for low in (0, 60)]
    assert change_of_light(*noise) is None


def test_a_dissolve_is_mixed_and_not_patched(circle_scene, psnr):
    """From one picture to its mirror image, a sixth of the way a frame."""
    start = [plane.astype(float) for plane in circle_scene(0)]
    end = [np.flip(plane, (0, 1)) for plane in start]

    def at(share):
        mixed = [(1 - share) * a + share * b for a, b in zip(start, end, strict=True)]
        return tuple(np.rint(plane).astype(np.uint8) for plane in mixed)

    made = between(at(2 / 6), at(3 / 6)).picture(0.5)
    assert psnr(made[0][INNER], at(2.5 / 6)[0][INNER]) > 33

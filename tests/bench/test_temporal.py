"""Temporal figures against motion and noise whose truth is known."""

import cv2
import numpy as np
import pytest

from vidgen.bench.temporal import Flicker, Step, tof, warp_error

SIZE = 96, 160


@pytest.fixture
def texture(rng):
    """A smooth random plane, larger than any crop of it."""
    noise = rng.normal(0, 1, (SIZE[0] + 40, SIZE[1] + 40))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.clip(128 + 120 * smooth / np.abs(smooth).max(), 0, 255).astype(np.uint8)


def at(texture, right, down=0):
    """The window that lies so many pixels to the right and below: content moves the other way."""
    return np.ascontiguousarray(texture[20 + down :, 20 + right :][: SIZE[0], : SIZE[1]])


def deepened(*planes):
    return (plane.astype(np.uint16) << 2 for plane in planes)


def test_equal_motion_has_no_distance(texture):
    before, now = at(texture, 0), at(texture, 3)
    assert tof(Step(before, now), before, now) == 0


@pytest.mark.parametrize(("right", "down"), [(1, 0), (3, 4), (0, -2)])
def test_tof_is_the_length_of_the_missing_motion(texture, right, down):
    """The reference moves, the output stands still: the distance is the motion itself."""
    still, moved = at(texture, 0), at(texture, right, down)
    distance = tof(Step(still, moved), still, still)
    assert distance == pytest.approx(np.hypot(right, down), rel=0.1)
    assert tof(Step(*deepened(still, moved), 10), *deepened(still, still)) == pytest.approx(
        distance
    )


def test_tof_is_that_of_the_published_measurement(texture, rng):
    """TecoGAN's own lines: flow of both pairs, root of summed squares, mean."""
    first, second = at(texture, 0), at(texture, 2)
    noisy = [np.clip(p + rng.normal(0, 9, SIZE), 0, 255).astype(np.uint8) for p in (first, second)]
    flows = [
        cv2.calcOpticalFlowFarneback(*pair, None, 0.5, 3, 15, 3, 5, 1.2, 0)
        for pair in ((first, second), noisy)
    ]
    expected = np.sqrt(np.sum((flows[0] - flows[1]) ** 2, axis=-1)).mean()
    assert expected > 0.05
    assert tof(Step(first, second), *noisy) == pytest.approx(expected, rel=1e-5)


def test_what_follows_the_motion_has_little_warp_error(texture):
    before, now = at(texture, 0), at(texture, 3)
    step = Step(before, now)
    assert warp_error(step, before, now) < 4
    frozen = warp_error(step, before, before)  # an output that does not move with its reference
    truth = np.square(before[:, :-3].astype(float) - before[:, 3:]).mean()
    assert frozen == pytest.approx(truth, rel=0.15)


@pytest.mark.parametrize("depth", [8, 10])
def test_a_step_in_brightness_is_its_square(texture, depth):
    """On a still reference, an output that jumps by 6 codes has an error of 36 exactly."""
    still = at(texture, 0).clip(0, 240)
    planes = still, still, still + np.uint8(6)
    before, now, jumped = planes if depth == 8 else deepened(*planes)
    assert warp_error(Step(before, now, depth), before, jumped) == pytest.approx(36, rel=1e-3)


def test_what_comes_into_view_is_not_followed(texture):
    before, now = at(texture, 0), at(texture, 12)
    _, trusted = Step(before, now).path
    assert not trusted[:, -10:].any()  # those columns were outside the frame before
    assert trusted[20:-20, 20:-40].mean() > 0.9


def test_a_picture_too_small_to_follow():
    tiny = np.zeros((16, 16), np.uint8)
    assert warp_error(Step(tiny, tiny), tiny, tiny) is None


def run(flicker, references, outputs, cuts=(), depth=8):
    return [
        flicker(*pair, cut=index in cuts, bit_depth=depth)
        for index, pair in enumerate(zip(references, outputs, strict=True))
    ]


@pytest.mark.parametrize("depth", [8, 10])
def test_flicker_is_the_deviation_of_the_output(rng, depth):
    length = Flicker.LENGTH
    flat = np.full(SIZE, 100 << (depth - 8), np.uint8 if depth == 8 else np.uint16)
    outputs = [
        flat + rng.integers(0, 9 << (depth - 8), SIZE).astype(flat.dtype) for _ in range(length)
    ]
    found = run(Flicker(), [flat] * length, outputs, depth=depth)
    expected = np.std([each / 2 ** (depth - 8) for each in outputs], axis=0).mean()
    assert found[:-1] == [None] * (length - 1)
    assert found[-1] == pytest.approx(expected, rel=1e-4)


def test_flicker_looks_only_where_the_reference_is_still(texture):
    """Left half still in both films, right half moving in both: only the left counts."""
    length = Flicker.LENGTH
    frames = [
        np.hstack([at(texture, 0)[:, :80], at(texture, 2 * n)[:, 80:]]) for n in range(length)
    ]
    assert run(Flicker(), frames, frames)[-1] < 0.2
    moving = [at(texture, 2 * n) for n in range(length)]
    assert run(Flicker(), moving, moving)[-1] is None


def test_a_cut_begins_a_new_run():
    length, flat = Flicker.LENGTH, np.full(SIZE, 50, np.uint8)
    found = run(Flicker(), [flat] * (length + 4), [flat] * (length + 4), cuts=(0, 3))
    assert [each is not None for each in found] == [False] * (length + 3) + [True]


def test_the_first_frame_of_a_shot_is_in_no_run(rng):
    """What has a memory draws it otherwise; that step is not flicker."""
    length, flat = Flicker.LENGTH, np.full(SIZE, 50, np.uint8)
    outputs = [flat + np.uint8(9), *[flat] * length]
    assert run(Flicker(), [flat] * (length + 1), outputs, cuts=(0,))[-1] == 0

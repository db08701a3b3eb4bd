"""Motion that a GPU finds by itself, on the stand-in: the flow of the reference, nothing asked for.

What the reference finds is held to truths that need none.
"""

import sys
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from tests.engines.conftest import on_the_cpu
from tests.engines.test_memory import OnDevice, OnPlan, engines, pictures
from vidgen import zoo
from vidgen.bench.metrics import psnr
from vidgen.bench.scenes import Scene
from vidgen.engines.search import BlockSearch
from vidgen.engines.workspace import Workspace
from vidgen.reference.history import (
    align_reference,
    halve_reference,
    trusted_reference,
    widened_reference,
)
from vidgen.reference.search import search_reference
from vidgen.stages import EstimateMotion, Upscale


@pytest.fixture(scope="module")
def cuda():
    yield from on_the_cpu()


def texture(rng, size):
    grain = rng.random(size).astype(np.float32)
    smooth = cv2.GaussianBlur(grain, (0, 0), 1.5) + cv2.GaussianBlur(grain, (0, 0), 6)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX)


def moved(whole, size, x, y):
    """The middle of `whole`, seen from (x, y) pixels further on."""
    height, width = size
    left, top = (whole.shape[1] - width) / 2 + x, (whole.shape[0] - height) / 2 + y
    move = np.float32([[1, 0, -left], [0, 1, -top]])
    return np.rint(cv2.warpAffine(whole, move, (width, height))).astype(np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 8), (33, 70), (64, 96), (90, 121)])
def test_the_flow_is_that_of_the_reference(cuda, rng, size):
    engine, search = engines(cuda)[0], BlockSearch(Workspace(cuda._card))
    for _ in range(2):  # what is there from the first one is written over
        previous = np.rint(texture(rng, size)).astype(np.uint8)
        current = np.roll(previous, (2, -5), (0, 1)) // 2 + rng.integers(0, 20, size, np.uint8)
        made = search(engine, *(sys.modules["cupy"].asarray(each) for each in (previous, current)))
        expected = search_reference(previous, current)
        assert made.dtype == expected.dtype
        np.testing.assert_array_equal(made.array, expected)


@pytest.mark.parametrize("move", [(0, 0), (1.5, -0.75), (-6, 3), (24, 12), (36, -20)])
def test_motion_is_found(rng, move):
    """In pixels of the half resolution, from parts of one to several blocks."""
    size = 160, 240
    whole = texture(rng, (400, 600))
    flow = search_reference(moved(whole, size, 0, 0), moved(whole, size, *move)) / 2
    seen = np.s_[48:-48, 80:-80]  # what was in the picture before
    off = np.hypot(*np.moveaxis(flow[seen] - move, -1, 0))
    assert np.median(off) < 0.1
    assert np.percentile(off, 95) < 0.5


def test_things_that_move_apart_are_told_apart(rng):
    whole, thing = texture(rng, (200, 300)), texture(rng, (80, 80))
    before, now = (moved(whole, (128, 192), x, 0) for x in (0, 3))
    before[20:100, 50:130] = now[20:100, 60:140] = thing
    flow = search_reference(before, now) / 2
    assert np.median(np.hypot(*np.moveaxis(flow[32:88, 72:128] - (-10, 0), -1, 0))) < 0.2
    assert np.hypot(*np.moveaxis(flow[112:120, 30:150] - (3, 0), -1, 0)).max() < 0.2


def never():
    raise AssertionError("the flow of the host was asked for")


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize(("depth", "kind"), [(8, OnDevice), (10, OnDevice), (10, OnPlan)])
def test_the_past_comes_along_motion_that_nobody_was_asked_for(cuda, factor, depth, kind):
    """Also for a picture that is not kept; only the picture itself goes up."""
    cupy, size = sys.modules["cupy"], (48, 36)
    engine, _ = engines(cuda, depth, kind=kind, size=size)
    memory = cuda.memory(factor, finds_motion=True)
    last = None
    for number, planes in enumerate(pictures(depth, 5, size)):
        keep, up = number != 2, cupy.bytes_up
        drawn = memory.draw(engine, planes, never if number else None, keep=keep)[0]
        assert cupy.bytes_up - up == sum(plane.nbytes for plane in planes)
        if last is not None:
            halves = halve_reference(last[0]), halve_reference(planes[0])
            rested, trust = trusted_reference(*halves, search_reference(*halves))
            history, confidence = engine.seen
            expected = align_reference(last[1], planes[0], rested, 2)
            np.testing.assert_array_equal(history, expected)
            np.testing.assert_array_equal(confidence, widened_reference(trust, planes[0].shape))
            assert np.median(confidence) > 150
            assert (rested != 0).any()
        last = (planes[0], drawn.copy()) if keep else last


@pytest.mark.parametrize(("depth", "kind"), [(8, OnDevice), (10, OnDevice), (10, OnPlan)])
def test_pictures_may_lie_on_the_gpu_and_stay_there(cuda, depth, kind):
    """With their past; what was given back is not written over by the next run."""
    cupy, size = sys.modules["cupy"], (48, 36)
    engine, other = (engines(cuda, depth, kind=kind, size=size)[0] for _ in range(2))
    memory = cuda.memory(1, finds_motion=True)
    there = cuda.memory(1, finds_motion=True, stays=True)
    drawn = []
    for number, planes in enumerate(pictures(depth, 4, size)):
        flow = never if number else None
        expected = memory.draw(engine, planes, flow, keep=True)
        given = tuple(cupy.asarray(plane) for plane in planes)
        crossed = cupy.bytes_up, cupy.bytes_down
        drawn.append((there.draw(other, given, flow, keep=True), expected))
        assert (cupy.bytes_up, cupy.bytes_down) == crossed
    for made, expected in drawn:
        for ours, theirs in zip(made, expected, strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours.get(), theirs)


def test_a_film_comes_out_the_same_each_time_and_as_good_as_along_the_flow_of_the_host(cuda):
    """With a cut and a size that is padded."""
    scene = Scene(34, 34, cut=None)
    frames = list(EstimateMotion()(scene.frames(Fraction(24), Fraction(4, 24))))
    frames[2] = replace(frames[2], cut=True)
    model = replace(zoo.load("x2-realtime"), multiple_of=4)
    drawn = []
    for asked, finds in ((frames, False), *[([deaf(each) for each in frames], True)] * 2):
        stage = Upscale(cuda, model, scene.format(Fraction(24)), finds_motion=finds)
        drawn.append([frame.y.copy() for frame in stage(asked)])
    by_host, once, again = drawn
    for number, (ours, theirs, same) in enumerate(zip(once, by_host, again, strict=True)):
        np.testing.assert_array_equal(ours, same)
        if frames[number].cut:
            np.testing.assert_array_equal(ours, theirs)
        else:
            assert psnr(theirs, ours) > 40


def deaf(frame):
    """`frame`, of which nobody may ask the motion."""
    return replace(frame, motion=frame.motion and never)

"""The motion that frames carry out of Generate, to the real one shown last: pictures that move."""

from __future__ import annotations

import gc
import weakref
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from vidgen.frame import Frame
from vidgen.motion.warp import warp
from vidgen.stages import EstimateMotion, Generate

HEIGHT, WIDTH = 128, 256
INNER = slice(24, -24), slice(24, -24)  # of the half-resolution flow


@pytest.fixture(scope="module")
def wide() -> np.ndarray:
    """Smooth detail, wider than the film."""
    grain = np.random.default_rng(3).uniform(20, 235, (HEIGHT // 8, 80))
    blocks = np.kron(grain, np.ones((8, 8)))
    kernel = np.hanning(13) / np.hanning(13).sum()
    for axis in (0, 1):
        blocks = np.apply_along_axis(np.convolve, axis, blocks, kernel, "same")
    return blocks.astype(np.uint8)


def pan(wide, rate, count, speed=3, cut=None):
    """Frames at `rate`; the content goes `speed` pixels a frame to the right."""
    for n in range(count):
        left = 200 - speed * n
        y = np.ascontiguousarray(wide[:, left : left + WIDTH])
        if cut is not None and n >= cut:
            y = np.ascontiguousarray(255 - y[::-1] // 2)
        uv = np.full((HEIGHT // 2, WIDTH // 2, 2), 128, np.uint8)
        yield Frame(y, uv, n, 1, 1 / Fraction(rate))


def shown_at(fps, frames):
    return Generate(Fraction(fps))(EstimateMotion()(frames))


@pytest.mark.parametrize(("source", "target"), [(24, 48), (24, 60), (24, 36), (60, 24), (50, 30)])
def test_it_leads_to_the_real_frame_shown_last(wide, source, target):
    speed = 3 if source == 24 else 2
    last, checked = None, 0
    for frame in shown_at(target, pan(wide, source, 16, speed)):
        if frame.motion is not None:
            motion = frame.motion()
            assert motion is frame.motion()
            assert motion.flow.shape == motion.reverse.shape == (HEIGHT // 2, WIDTH // 2, 2)
            assert motion.confidence.shape == motion.reverse_confidence.shape
            place = frame.time * source if frame.generated else number_of(wide, frame.y, speed)
            moved = float(speed * (place - last))
            for flow, sign in ((motion.flow, 1), (motion.reverse, -1)):
                assert flow.dtype == np.float32
                found = np.median(flow[INNER], (0, 1))
                np.testing.assert_allclose(found, (-sign * moved, 0), atol=0.2)
            for confidence in (motion.confidence, motion.reverse_confidence):
                assert confidence.dtype == np.float32
                assert 0.9 < np.median(confidence[INNER]) <= 1
            checked += 1
        if not frame.generated:
            last = number_of(wide, frame.y, speed)
    assert checked > 5


def number_of(wide, y, speed):
    return next(n for n in range(20) if (wide[:, 200 - speed * n :][:, :WIDTH] == y).all())


def test_the_real_frame_seen_through_it_is_the_made_one(wide):
    shown = list(shown_at(60, pan(wide, 24, 8)))
    for n in (1, 3, 4):  # made between frames 0 and 1, and 1 and 2; frame 1 is not shown
        assert shown[n].generated
        flow = shown[n].motion().flow.repeat(2, 0).repeat(2, 1)
        seen = warp(shown[0].y, flow)
        error, still = (
            np.abs(y[24:-24, 48:-48].astype(int) - shown[n].y[24:-24, 48:-48]).mean()
            for y in (seen, shown[0].y)
        )
        assert error < 0.25 * still


def test_none_reaches_over_a_cut(wide):
    shown = list(shown_at(60, pan(wide, 24, 8, cut=3)))  # frame 3 is not on the grid
    carrier = next(n for n, frame in enumerate(shown) if frame.cut and n)
    real = next(n for n, frame in enumerate(shown) if n >= carrier and not frame.generated)
    assert all(frame.motion is None for frame in shown[carrier : real + 1])
    assert all(frame.motion is not None for frame in shown[real + 1 : real + 5])


def test_a_frame_keeps_no_film_alive(wide):
    kept = []

    def noted(frames):
        for frame in frames:
            kept.append(weakref.ref(frame.y))
            yield frame

    for frame in islice(shown_at(60, noted(pan(wide, 24, 30))), 60):
        last = frame
    gc.collect()
    assert last.motion is not None
    assert sum(reference() is not None for reference in kept) <= 3

"""Whole scenes through motion and both generators, where frames are hard to make."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from vidgen.frame import Frame
from vidgen.stages import EstimateMotion, Generate, Predict

HEIGHT, WIDTH = 96, 160
FPS = Fraction(24)
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)


def texture(seed, shift):
    """Smooth detail, moved right by `shift` pixels."""
    rng = np.random.default_rng(seed)
    total = np.zeros((HEIGHT, WIDTH))
    for _ in range(16):
        angle, length, phase = rng.uniform(0, np.pi), rng.uniform(9, 60), rng.uniform(0, 6)
        along = (X - shift) * np.cos(angle) + Y * np.sin(angle)
        total += np.sin(2 * np.pi * along / length + phase)
    return 120 + 16 * total


def film(luma, count):
    """Frames of `luma(n)`, as they come from the decoder."""
    uv = np.full((HEIGHT // 2, WIDTH // 2, 2), 128, np.uint8)
    pictures = (np.clip(np.rint(luma(n)), 0, 255).astype(np.uint8) for n in range(count))
    return [Frame(y, uv, n, 1, 1 / FPS) for n, y in enumerate(pictures)]


@pytest.fixture(params=[Generate, Predict])
def shown(request):
    """`shown(luma, count)`: the film at twice its rate, made in either way."""
    return lambda luma, count: list(request.param(2 * FPS)(EstimateMotion()(film(luma, count))))


def error(picture, truth):
    return np.abs(picture.y[8:-8, 8:-8] - truth[8:-8, 8:-8]).mean()


def test_a_cut_every_few_frames_is_never_mixed(shown):
    """Every picture is of one scene alone: it is alike some instant of that, and of no other."""
    instants = [
        [texture(scene, 2 * time) for time in np.arange(0, 12.5, 0.5)] for scene in range(3)
    ]
    for frame in shown(lambda n: texture(n // 4, 2 * n), 12):
        scene = min(int(frame.time * FPS), 11) // 4
        alike = [max(likeness(frame, true) for true in each) for each in instants]
        assert alike[scene] > 0.95
        assert max(alike[:scene] + alike[scene + 1 :]) < 0.6


def likeness(frame, truth):
    inner = slice(8, -8), slice(24, -24)
    return np.corrcoef(frame.y[inner].ravel(), truth[inner].ravel())[0, 1]


def test_subtitles_stand_still_over_a_moving_picture(shown):
    """White letters with a dark edge, as players draw them."""
    edge, fill = (np.zeros((HEIGHT, WIDTH), np.uint8) for _ in range(2))
    for canvas, width in ((edge, 5), (fill, 2)):
        cv2.putText(canvas, "Subtitle", (14, 78), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, width)

    def luma(n):
        return np.where(fill > 0, 235, np.where(edge > 0, 16, texture(3, 4 * n)))

    for frame in shown(luma, 6)[3:]:
        letters = np.abs(frame.y.astype(int) - luma(0))[edge > 0]
        assert (letters > 24).mean() < 0.15


def test_a_still_is_exactly_itself(shown):
    noise = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH))
    for frame in shown(lambda n: noise, 5):
        np.testing.assert_array_equal(frame.y, noise)


def test_a_flash_does_not_tear_the_picture(shown):
    """One frame far brighter: made pictures lie between dark and bright, and are not patchwork."""

    def luma(n):
        return texture(5, 2 * n) * 0.6 + (60 if n == 3 else 0)

    for frame in shown(luma, 7):
        time = float(frame.time * FPS)
        structure = texture(5, 2 * time) * 0.6
        apart = frame.y[8:-8, 8:-8] - structure[8:-8, 8:-8]
        assert -3 < np.median(apart) < 63
        assert np.abs(apart - np.median(apart)).mean() < 7, time


def test_a_fade_goes_on_between_frames():
    def luma(n):
        return 16 + (texture(7, 3 * n) - 16) * (1 - n / 8)

    frames = list(Generate(2 * FPS)(EstimateMotion()(film(luma, 7))))
    for frame in frames[1:-1:2]:
        assert frame.generated
        assert error(frame, luma(float(frame.time * FPS))) < 3


def test_what_has_nothing_in_common_is_not_mixed():
    frames = film(lambda n: texture(10 + n, 0), 4)
    made = list(Generate(2 * FPS)(EstimateMotion()(frames)))
    assert not any(frame.generated for frame in made)
    assert {frame.held for frame in made[1:-1:2]} <= {"cut", "doubt"}

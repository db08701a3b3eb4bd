"""What the shipped networks make of their own past: better pictures, no trails, no drift."""

from fractions import Fraction
from itertools import islice

import cv2
import numpy as np
import pytest

from vidgen import zoo
from vidgen.bench.metrics import psnr
from vidgen.engines import choose_backend
from vidgen.frame import Frame, VideoFormat
from vidgen.stage import chain
from vidgen.stages import EstimateMotion, Upscale

RECALLING = [name for name in zoo.names(task="upscale") if zoo.load(name).history]
WIDTH, HEIGHT = 96, 64  # of the small picture

pytestmark = pytest.mark.parametrize("name", RECALLING)


def texture(width, height, seed):
    """(height, width) float32 in about [40, 210]: detail of several sizes."""
    rng = np.random.default_rng(seed)
    picture = sum(
        cv2.resize(
            rng.normal(0, 1, (height // n, width // n)).astype(np.float32), (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
        * n**0.5
        for n in (2, 4, 8, 16)
    )  # fmt: skip
    return 125 + 85 * picture / np.abs(picture).max()


def drift(scale, noise=2.0, step=0.7, seed=3):
    """Endless (truth luma, frame): a texture that goes round by `step` small pixels a frame."""
    rng = np.random.default_rng(seed)
    width, height = WIDTH * scale, HEIGHT * scale
    around = np.tile(texture(2 * width, height, seed), (1, 2))
    uv = np.full((HEIGHT // 2, WIDTH // 2, 2), 128, np.uint8)
    pts = 0
    while True:
        shift = (pts * step * scale) % (2 * width)
        move = np.float32([[1, 0, -shift], [0, 1, 0]])
        truth = cv2.warpAffine(around, move, (width, height), flags=cv2.INTER_LINEAR)
        small = cv2.resize(truth, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        y = np.clip(np.rint(small + rng.normal(0, noise, small.shape)), 0, 255).astype(np.uint8)
        yield np.rint(truth).astype(np.uint8), Frame(y, uv, pts, 1, Fraction(1, 24))
        pts += 1


def enlarged(name, frames, history=True):
    video = VideoFormat(WIDTH, HEIGHT, Fraction(24))
    stage = Upscale(choose_backend(), zoo.load(name), video, history=history)
    return chain(frames, EstimateMotion(), stage)


def scores(name, count, history=True):
    """PSNR of luma, frame by frame, away from the border."""
    truths = []

    def frames():
        for truth, frame in islice(drift(zoo.load(name).scale), count):
            truths.append(truth[8:-8, 8:-8].copy())
            yield frame

    return np.array([
        psnr(truths.pop(0), frame.y[8:-8, 8:-8].copy())
        for frame in enlarged(name, frames(), history)
    ])  # fmt: skip


def test_the_past_pays(name):
    assert scores(name, 16)[6:].mean() > scores(name, 16, history=False)[6:].mean() + 0.1


def run_long(name, count):
    gains = scores(name, count) - scores(name, count, history=False)
    early, late = gains[20 : count // 4], gains[-count // 4 :]
    assert late.mean() > early.mean() - 0.15
    assert late.min() > -0.3


def test_nothing_builds_up(name):
    run_long(name, 240)


@pytest.mark.soak
def test_nothing_builds_up_in_2000_frames(name):
    run_long(name, 2000)


def test_a_still_picture_is_drawn_once(name):
    """Seen with its own output over and over, a network would drift."""
    _, frame = next(drift(zoo.load(name).scale))
    still = (Frame(frame.y.copy(), frame.uv, pts, 1, Fraction(1, 24)) for pts in range(4))
    first, *rest = enlarged(name, still)
    for late in rest:
        np.testing.assert_array_equal(late.y, first.y)


def uncovered(name, history):
    """Mean error where a bright square has just left, and elsewhere, over some frames."""
    scale = zoo.load(name).scale
    ground = texture(WIDTH * scale, HEIGHT * scale, 8)
    uv = np.full((HEIGHT // 2, WIDTH // 2, 2), 128, np.uint8)
    truths, frames = [], []
    for pts in range(14):
        truth = ground.copy()
        left = (8 + 4 * pts) * scale
        truth[20 * scale : 44 * scale, left : left + 20 * scale] = 235
        small = cv2.resize(truth, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        y = np.rint(small).astype(np.uint8)
        frames.append(Frame(y, uv, pts, 1, Fraction(1, 24)))
        truths.append((truth, left))
    bands, rest = [], []
    for (truth, left), frame in islice(
        zip(truths, enlarged(name, frames, history), strict=True), 3, None
    ):
        error = np.abs(frame.y - truth)[20 * scale : 44 * scale]
        bands.append(error[:, left - 4 * scale : left - scale].mean())
        rest.append(error[:, : left - 8 * scale].mean())
    return np.mean(bands), np.mean(rest)


def test_what_has_left_leaves_no_trail(name):
    with_past, without = uncovered(name, True)[0], uncovered(name, False)[0]
    assert with_past < without + 1.0


def test_a_still_title_over_a_moving_picture_stays_sharp(name):
    """Letters do not take part in the motion around them: no smear, and sharper than Lanczos."""
    scale = zoo.load(name).scale
    title = np.zeros((HEIGHT * scale, WIDTH * scale), np.uint8)
    cv2.putText(title, "TITLE", (10 * scale, 40 * scale), 2, 0.8 * scale, 255, scale, cv2.LINE_AA)
    letters = cv2.dilate(title, np.ones((3, 3))) > 128
    truths, frames = [], []
    for truth, frame in islice(drift(scale, noise=0), 12):
        truths.append(np.maximum(truth, title))
        small = cv2.resize(truths[-1], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        frames.append(frame.with_planes((small, frame.uv)))
    size = title.shape[::-1]
    lanczos = [cv2.resize(f.y, size, interpolation=cv2.INTER_LANCZOS4) for f in frames]
    ways = [[f.y for f in enlarged(name, frames, history)] for history in (True, False)]
    with_past, without, plain = (
        np.mean([
            np.abs(a.astype(int) - b)[letters].mean()
            for a, b in zip(made[4:], truths[4:], strict=True)
        ])
        for made in (*ways, lanczos)
    )  # fmt: skip
    assert with_past < plain
    assert with_past < 1.2 * without

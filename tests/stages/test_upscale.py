"""Upscale: sizes, passes, padding and reuse, with an engine that only repeats pixels."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from vidgen.engines.shapes import inputs_of
from vidgen.frame import Frame, VideoFormat
from vidgen.stages.upscale import Upscale

MODEL = SimpleNamespace(task="upscale", scale=2, multiple_of=8, history=False)
RECALLING = SimpleNamespace(task="upscale", scale=2, multiple_of=8, history=True)


@dataclass
class Repeat:
    """Each pixel twice along each side; counts runs and remembers whether it was closed."""

    inputs: dict
    runs: int = 0
    closed: bool = False
    seen: list = field(default_factory=list)
    """`history` and `confidence` of every run."""

    def __call__(self, y, uv, *memory):
        assert y.shape == self.inputs["y"][0]
        self.runs += 1
        self.seen.append(memory)
        return tuple(plane.repeat(2, 0).repeat(2, 1) for plane in (y, uv))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.closed = True


@dataclass
class Backend:
    engines: list = field(default_factory=list)

    def compile(self, model, width, height, bit_depth):
        assert width % model.multiple_of == height % model.multiple_of == 0
        self.engines.append(Repeat(inputs_of(model, width, height, bit_depth)))
        return self.engines[-1]

    def memory(self, factor, *, finds_motion, stays):
        return None


def frames(count, width=20, height=12):
    generator = np.random.default_rng(3)
    for pts in range(count):
        y = generator.integers(0, 256, (height, width), np.uint8)
        uv = generator.integers(0, 256, (height // 2, width // 2, 2), np.uint8)
        yield Frame(y, uv, pts, 1, Fraction(1, 24))


@pytest.mark.parametrize("passes", [1, 2])
def test_sizes_that_do_not_fit_are_padded_and_cropped(passes):
    source = VideoFormat(20, 12, sample_aspect_ratio=Fraction(16, 15))
    stage = Upscale(Backend(), MODEL, source, passes)
    factor = 2**passes
    before = list(frames(2))
    for given, made in zip(before, stage(before), strict=True):
        assert made.pts == given.pts
        np.testing.assert_array_equal(made.y, given.y.repeat(factor, 0).repeat(factor, 1))
        np.testing.assert_array_equal(made.uv, given.uv.repeat(factor, 0).repeat(factor, 1))
        assert made.y.flags.c_contiguous
    out = stage.output(source)
    assert (out.width, out.height) == (20 * factor, 12 * factor)
    assert out.sample_aspect_ratio == source.sample_aspect_ratio


def test_held_pictures_run_the_network_once_and_engines_are_freed():
    backend = Backend()
    stage = Upscale(backend, MODEL, VideoFormat(20, 12), 1)
    first, second = frames(2)
    held = first.with_planes(first.planes)
    made = list(stage([first, held, second]))
    assert backend.engines[0].runs == 2
    assert made[0].y is made[1].y
    assert backend.engines[0].closed


def test_leaving_early_frees_the_engines():
    backend = Backend()
    stage = Upscale(backend, MODEL, VideoFormat(20, 12), 1)
    out = stage(frames(5))
    next(out)
    out.close()
    assert backend.engines[0].closed


def motion(dx=0.0, size=(32, 48)):
    """A frame's `motion`: everything comes from `dx` pixels to the left."""
    flow = np.zeros((size[0] // 2, size[1] // 2, 2), np.float32)
    flow[..., 0] = -dx
    return lambda: SimpleNamespace(flow=flow)


def panning(count, **changes):
    """Frames of a texture that moves 4 pixels to the right each time."""
    rng = np.random.default_rng(5)
    wide = cv2.GaussianBlur(rng.integers(0, 256, (32, 96)).astype(np.uint8), (0, 0), 2)
    for pts in range(count):
        y = wide[:, 40 - 4 * pts : 88 - 4 * pts].copy()
        uv = np.full((16, 24, 2), 128, np.uint8)
        frame = Frame(y, uv, pts, 1, Fraction(1, 24), motion=motion(4) if pts else None)
        yield replace(frame, **changes.get(f"at_{pts}", {}))


def memories(frames, **options):
    """What the network was told of the past, frame by frame."""
    backend = Backend()
    list(Upscale(backend, RECALLING, VideoFormat(48, 32), **options)(frames))
    return backend.engines[0].seen


def test_the_past_lies_where_the_picture_has_moved_to():
    given = list(panning(3))
    first, second, third = memories(given)
    assert not first[1].any()
    for frame, (history, trust) in zip(given[1:], (second, third), strict=True):
        assert trust[:, 8:].min() > 250
        for plane in history:  # the engine repeats pixels: all four are the frame's own
            np.testing.assert_array_equal(plane[:, 8:], frame.y[:, 8:])


def test_what_does_not_match_is_not_trusted():
    wrong = panning(2, at_1={"motion": motion(-4)})
    assert memories(wrong)[1][1].mean() < 80


def test_nothing_crosses_a_cut():
    _, cut, after = memories(panning(3, at_1={"cut": True}))
    assert not cut[0].any()
    assert not cut[1].any()
    assert after[1].mean() > 200


def test_made_frames_read_the_past_and_do_not_write_it():
    plain = memories(panning(2))
    frames = list(panning(2))
    noise = np.random.default_rng(9).integers(0, 256, frames[0].y.shape).astype(np.uint8)
    made = replace(frames[1], y=noise, generated=True)
    told = memories([frames[0], made, frames[1]])
    assert told[1][0].any()
    for given, wanted in zip(told[2], plain[1], strict=True):
        np.testing.assert_array_equal(given, wanted)


def test_without_history_nothing_is_recalled():
    for history, trust in memories(panning(3), history=False):
        assert not history.any()
        assert not trust.any()


def test_what_is_recalled_stays_near_the_present():
    """A bright spot that is gone: even a flow that says it stayed cannot bring it back whole."""
    dark = np.full((32, 48), 40, np.uint8)
    spot = dark.copy()
    spot[12:20, 20:28] = 220
    uv = np.full((16, 24, 2), 128, np.uint8)
    frames = [
        Frame(y, uv, pts, 1, Fraction(1, 24), motion=motion() if pts else None)
        for pts, y in enumerate((spot, dark))
    ]
    history, trust = memories(frames)[1]
    assert trust[14:18, 22:26].max() < 5
    assert history.max() <= 48


def test_a_second_pass_has_a_past_of_its_own():
    backend = Backend()
    list(Upscale(backend, RECALLING, VideoFormat(48, 32), 2)(panning(2)))
    history, trust = backend.engines[1].seen[1]
    assert history.shape == (4, 64, 96)
    assert trust[:, 24:].min() > 200

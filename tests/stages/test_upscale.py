"""Upscale: sizes, passes, padding and reuse, with an engine that only repeats pixels."""

from dataclasses import dataclass, field
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from vidgen.frame import Frame, VideoFormat
from vidgen.stages.upscale import Upscale

MODEL = SimpleNamespace(name="repeat", scale=2, multiple_of=8)


@dataclass
class Repeat:
    """Each pixel twice along each side; counts runs and remembers whether it was closed."""

    size: tuple
    runs: int = 0
    closed: bool = False

    def __call__(self, y, uv):
        assert y.shape == self.size
        self.runs += 1
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
        self.engines.append(Repeat((height, width)))
        return self.engines[-1]


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

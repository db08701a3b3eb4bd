"""Exact resampling: sizes, flats, range, centre alignment."""

from fractions import Fraction

import numpy as np
import pytest

from vidgen.engines import choose_backend
from vidgen.frame import Color, Frame, VideoFormat, dtype_of
from vidgen.reference.shift import shifted_reference
from vidgen.stages import Upscale
from vidgen.stages.fit import Fit, _shifted, _taps, resample
from vidgen.zoo import load

SIZES = [(64, 36), (192, 108), (130, 74), (96, 54)]


def flat(level, depth, width=96, height=54):
    y = np.full((height, width), level, dtype_of(depth))
    return y, np.full((height // 2, width // 2, 2), level, dtype_of(depth))


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("size", SIZES)
def test_flat_colours_stay_exact(size, depth):
    for level in range(0, 1 << depth, 5):
        for plane in resample(flat(level, depth), *size, depth):
            assert (plane == level).all()


@pytest.mark.parametrize("depth", [8, 10])
def test_overshoot_stays_in_range(depth):
    y, uv = flat(0, depth)
    top = (1 << depth) - 1
    y[:, 48:] = top
    uv[:, 24:] = top
    for plane in resample((y, uv), 192, 108, depth):
        assert plane.dtype == dtype_of(depth)
        assert plane.max() == top
        assert plane.min() == 0


@pytest.mark.parametrize("size", SIZES)
def test_a_ramp_stays_in_place(size):
    columns = np.arange(96) * 2 + 20
    y = np.tile(columns.astype(np.uint8), (54, 1))
    uv = np.tile(columns[::2, None].astype(np.uint8), (27, 1, 2))
    out, _ = resample((y, uv), *size, 8)
    centres = (np.arange(size[0]) + 0.5) * 96 / size[0] - 0.5
    inner = (centres > 5) & (centres < 90)
    assert np.abs(out[size[1] // 2] - (centres * 2 + 20))[inner].max() <= 1


def test_frames_keep_their_time_and_held_pictures_are_resampled_once():
    planes = flat(50, 8)
    frames = [Frame(*planes, pts, 1, Fraction(1, 24)) for pts in range(3)]
    target = VideoFormat(192, 108, sample_aspect_ratio=Fraction(3, 4))
    fit = Fit(target)
    out = list(fit(frames))
    assert [frame.pts for frame in out] == [0, 1, 2]
    assert out[0].y is out[1].y is out[2].y
    made = fit.output(VideoFormat(96, 54, Fraction(24)))
    assert (made.width, made.height, made.sample_aspect_ratio) == (192, 108, Fraction(3, 4))
    assert made.fps == 24


SITES = {0: (-0.5, 0), 1: (-0.5, 0), 2: (0, 0), 3: (-0.5, -0.5), 4: (0, -0.5), 5: (-0.5, 0.5)}
"""AVChromaLocation -> where a chroma sample lies beside the middle of its four luma pixels."""


def sited(width, height, depth, location, scale=1, gain=1):
    """A picture of one plane in space: luma and chroma say where each of their samples lies.

    U is a ramp to the right, V one downwards, in pixels of a picture `scale` times smaller; each
    is worth `gain` steps of 8 bits.
    """
    (right, below), scale = SITES[location], float(scale)
    step = 1 << depth - 8
    y = np.tile((np.arange(width) + 0.5) / scale, (height, 1))
    u = np.tile((np.arange(width // 2) * 2 + 1 + right) / scale, (height // 2, 1))
    v = np.tile((np.arange(height // 2) * 2 + 1 + below) / scale, (width // 2, 1)).T
    planes = y, np.dstack([u, v])
    return tuple(np.rint((plane * gain + 30) * step).astype(dtype_of(depth)) for plane in planes)


def one(planes, fit):
    (frame,) = fit([Frame(*planes, 0, 1, Fraction(1, 25))])
    return frame.planes


def away(found, wanted, edge=8):
    """The largest distance away from the borders, per plane."""
    return [
        np.abs(a.astype(int) - b.astype(int))[edge:-edge, edge:-edge].max()
        for a, b in zip(found, wanted, strict=True)
    ]


@pytest.mark.parametrize("location", SITES)
@pytest.mark.parametrize("scale", [Fraction(2), Fraction(3, 2), Fraction(9, 4), Fraction(1, 2)])
def test_chroma_stays_where_it_belongs(location, scale):
    """Every sample of the output says the place at which it lies, in 10 bits to a quarter pixel."""
    width, height = int(96 * scale), int(72 * scale)
    target = VideoFormat(width, height, bit_depth=10, color=Color(chroma_location=location))
    found = one(sited(96, 72, 10, location), Fit(target))
    assert max(away(found, sited(width, height, 10, location, scale))) <= 1


def test_centred_chroma_is_not_touched_twice(rng):
    """What lies in the middle stays there: planes are resampled and nothing else is done."""
    y, uv = rng.integers(0, 255, (72, 96), np.uint8), rng.integers(0, 255, (36, 48, 2), np.uint8)
    target = VideoFormat(192, 144, color=Color(chroma_location=2))
    for found, plain in zip(one((y, uv), Fit(target)), resample((y, uv), 192, 144, 8), strict=True):
        np.testing.assert_array_equal(found, plain)
    assert not Fit(target).changes(target)
    assert not Fit(VideoFormat(192, 144), grown=1).changes(VideoFormat(192, 144))
    assert Fit(VideoFormat(192, 144), grown=2).changes(VideoFormat(192, 144))


@pytest.fixture(scope="module")
def doubled():
    """Ramps through the network, by where their chroma lies."""
    source = VideoFormat(96, 72, bit_depth=10)
    upscale = Upscale(choose_backend("auto"), load("x2-realtime"), source)
    ramps = [sited(96, 72, 10, location, gain=2) for location in (2, 1, 3)]
    frames = [Frame(*ramp, number, 1, Fraction(1, 25)) for number, ramp in enumerate(ramps)]
    return dict(zip((2, 1, 3), (frame.planes for frame in upscale(frames)), strict=True))


@pytest.mark.parametrize("size", [(192, 144), (144, 108), (384, 288)])
def test_network_and_fit_together_keep_chroma_in_place(doubled, size):
    """The network enlarges each plane as a picture of its own; Fit puts right what that moves.

    What the network itself makes of a ramp is told apart by the one that lies in the middle.
    """

    def off(location):
        target = VideoFormat(*size, bit_depth=10, color=Color(chroma_location=location))
        found = one(doubled[location], Fit(target, grown=2))
        wanted = sited(*size, 10, location, Fraction(size[0], 96), gain=2)
        return (found[1].astype(int) - wanted[1])[24:-24, 24:-24].mean(axis=(0, 1))

    for location in (1, 3):  # in steps of 10 bits, eight to a pixel; uncorrected it is two or more
        assert np.abs(off(location) - off(2)).max() <= 1


@pytest.mark.parametrize("depth", [8, 10])
def test_flat_chroma_stays_exact_when_it_is_moved(depth):
    target = VideoFormat(192, 108, bit_depth=depth)
    for level in range(0, 1 << depth, 7):
        for plane in one(flat(level, depth), Fit(target, grown=2)):
            assert (plane == level).all()


@pytest.mark.parametrize("depth", [8, 10])
def test_moved_chroma_stays_in_range(depth):
    y, uv = flat(0, depth)
    top = (1 << depth) - 1
    uv[:, 24:] = top
    _, moved = one((y, uv), Fit(VideoFormat(96, 54, bit_depth=depth), grown=2))
    assert (moved.min(), moved.max()) == (0, top)
    assert moved.dtype == dtype_of(depth)


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("shift", [(0.25, 0.0), (0.75, -0.25)])
def test_a_gpu_moves_chroma_as_the_host_does(rng, depth, shift):
    """But for sums that end between two codes: OpenCV adds in another order."""
    top = (1 << depth) - 1
    uv = rng.integers(0, top + 1, (90, 160, 2)).astype(dtype_of(depth))
    ours = shifted_reference(uv, *map(_taps, shift), top).astype(int)
    apart = np.abs(ours - _shifted(uv, *shift, top))
    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.001

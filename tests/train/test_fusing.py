"""Networks that make frames: their data, the loop over them, and what is written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs vidgen[train]")

from safetensors.torch import load_file  # noqa: E402

from vidgen import zoo  # noqa: E402
from vidgen.engines import choose_backend  # noqa: E402
from vidgen.errors import ModelError, UsageError  # noqa: E402
from vidgen.nets.fusion import Fusion  # noqa: E402
from vidgen.train import layers, moments, sources  # noqa: E402
from vidgen.train.export import export  # noqa: E402
from vidgen.train.fold import folded  # noqa: E402
from vidgen.train.fusing import Fusing  # noqa: E402
from vidgen.train.losses import census  # noqa: E402
from vidgen.train.parity import check_parity  # noqa: E402
from vidgen.train.recipe import FusionNet, Moments, read  # noqa: E402
from vidgen.train.run import train_recipe  # noqa: E402
from vidgen.train.train import averaged, train  # noqa: E402

FUSION = """
name = "mid-tiny"
task = "generate"
tier = "realtime"
[net]
width = 8
depth = 1
[data]
folder = "{folder}"
validation = ["held"]
scenes = 3
side = 48
[train]
steps = 4
batch = 2
crop = 24
"""


@pytest.fixture(scope="module")
def path(recipe_path):
    path = recipe_path.parent / "mid-tiny.toml"
    path.write_text(FUSION.format(folder=recipe_path.parent))
    return path


@pytest.fixture(scope="module")
def plan(path):
    return read(path)


@pytest.fixture(scope="module")
def samples(plan, tmp_path_factory):
    return moments.prepare(plan.data, tmp_path_factory.mktemp("cache"))


@pytest.fixture
def scene(plan):
    _, stills = sources.find(Path(plan.data.folder))
    return lambda seed: layers.scene(stills, 96, np.random.default_rng(seed))


def test_the_task_says_what_a_recipe_holds(plan, path, tmp_path):
    assert isinstance(plan.net, FusionNet)
    assert isinstance(plan.data, Moments)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(path.read_text().replace("generate", "colour"))
    with pytest.raises(UsageError, match="known are upscale, generate"):
        read(wrong)
    wrong.write_text(path.read_text().replace("depth = 1", "depth = 1\ngrid = 2"))
    with pytest.raises(UsageError, match="unknown grid"):
        read(wrong)


def test_a_drawn_scene_moves_evenly_and_is_the_same_at_the_same_time(scene):
    drawn = scene(3)
    start, middle, end = (drawn(t)[0].astype(int) for t in (0, 0.5, 1))
    np.testing.assert_array_equal(drawn(0.5)[0], middle)
    assert 0 < np.abs(middle - start).mean() < 1.5 * np.abs(end - start).mean() + 1
    assert drawn(0)[1].shape == (48, 48, 2)


def test_places_are_found_with_their_candidates_and_truth(samples):
    assert len(samples) == 6
    batch = samples.batch(np.random.default_rng(1), 4, 24)
    assert batch.first.shape == batch.last.shape == batch.truth.shape == (4, 24, 24, 6)
    assert batch.guide.shape == (4, 24, 24, 4)
    apart = np.abs(batch.first.astype(int) - batch.truth).mean()
    assert apart < 30  # a candidate for that very picture


def test_pixels_within_blocks_turn_with_the_picture():
    y = np.arange(64, dtype=np.uint8).reshape(8, 8)
    uv = np.stack([y[::2, ::2], y[1::2, 1::2]], -1)
    whole = moments.blocks_of((y, uv))
    for turns in np.ndindex(2, 2, 2):
        flags = [bool(turn) for turn in turns]
        y_turned, uv_turned = (moments.turned(*flags, plane) for plane in (y[..., None], uv))
        wanted = moments.blocks_of((y_turned[..., 0], uv_turned))
        np.testing.assert_array_equal(moments.turned(*flags, whole), wanted)


def test_training_lowers_the_loss(plan, samples, tmp_path):
    longer = replace(plan, train=replace(plan.train, steps=20, rate=5e-3, warmup=2))
    lesson = Fusing(longer, samples)
    state = train(longer, lesson, tmp_path / "state")
    device = torch.device("cpu")
    losses = []
    for net in (lesson.build(longer.train.seed), averaged(state, lesson)):
        state.net, state.rng = net, np.random.default_rng(5)
        losses.append(lesson.loss(state, device).item())
    assert losses[1] < losses[0]


def test_a_run_leaves_a_model_that_an_engine_takes(path, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    said = train_recipe(path, tmp_path / "models", False, None, 1)
    assert "mid-tiny: 4 steps" in said
    model = zoo.load("mid-tiny", tmp_path / "models")
    assert (model.task, model.scale, model.history) == ("generate", 1, False)
    assert zoo.names(tmp_path / "models", "generate") == ["mid-tiny"]
    assert zoo.names(tmp_path / "models", "upscale") == []


GAN = """
start = "{start}"
[gan]
width = 4
pretrain = 2
"""


def test_a_critic_leaves_a_second_flavour(path, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    train_recipe(path, tmp_path, False, None, 1)
    recipe = tmp_path / "gan.toml"
    recipe.write_text(path.read_text() + GAN.format(start=tmp_path / "mid-tiny.safetensors"))
    train_recipe(recipe, tmp_path, False, None, 1)
    model = zoo.load("mid-tiny", tmp_path)
    assert model.has_gan
    plain, gan = (load_file(tmp_path / f"mid-tiny{end}.safetensors") for end in ("", ".gan"))
    assert any((gan[name] != value).any() for name, value in plain.items())
    with choose_backend().compile(model.with_strength(0.5), 64, 48, 8) as engine:
        assert engine is not None


def test_finer_motion_gives_other_candidates(plan, samples, tmp_path):
    finer = moments.prepare(replace(plan.data, fine=True), tmp_path)
    assert len(finer) == len(samples)
    assert (finer.stored.first != samples.stored.first).any()


def test_a_wrong_export_is_refused(plan, tmp_path):
    net = Fusion(8, 1, 16)
    with torch.no_grad():
        net.tail.weight.normal_(0, 0.05)
    model = export(net, plan, tmp_path, steps=0, quality={})
    other = folded(net)
    with torch.no_grad():
        other.tail.weight *= 1.5
    with pytest.raises(ModelError, match="differs from torch"):
        check_parity(model, other, choose_backend())


def test_the_census_is_blind_to_brightness_and_sees_edges():
    ramp = torch.linspace(0, 0.5, 32).repeat(1, 1, 32, 1)
    assert census(ramp + 0.3, ramp) < 1e-6
    edge = ramp.clone()
    edge[..., 16:] += 0.2
    assert census(edge, ramp) > 0.01

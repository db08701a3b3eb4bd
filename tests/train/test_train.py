"""The loop: resumed to the bit, and what a run leaves behind."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs vidgen[train]")

from safetensors.torch import save_file  # noqa: E402

from vidgen import zoo  # noqa: E402
from vidgen.bench.lpips import find_lpips  # noqa: E402
from vidgen.engines import choose_backend  # noqa: E402
from vidgen.errors import ModelError, UsageError  # noqa: E402
from vidgen.frame import dtype_of  # noqa: E402
from vidgen.train import adversary, checkpoint, data, train  # noqa: E402
from vidgen.train.export import export  # noqa: E402
from vidgen.train.fold import folded  # noqa: E402
from vidgen.train.parity import check_parity  # noqa: E402
from vidgen.train.recipe import Gan, read  # noqa: E402
from vidgen.train.run import train_recipe  # noqa: E402
from vidgen.train.unroll import tensors, unroll  # noqa: E402
from vidgen.train.upscaling import Upscaling, build  # noqa: E402

GAN = Gan(width=4, pretrain=2)


@pytest.fixture(scope="module")
def pairs(recipe, tmp_path_factory):
    return data.prepare(recipe.data, 2, tmp_path_factory.mktemp("cache"))


@pytest.fixture(params=["pixel", "gan", "gan and all terms"])
def staged(request, recipe):
    """The recipe of either stage."""
    if request.param == "gan and all terms":
        shown = 0.1 if find_lpips() else 0.0
        recipe = replace(recipe, train=replace(recipe.train, pingpong=0.1, perceptual=shown))
    return recipe if request.param == "pixel" else replace(recipe, gan=GAN)


def test_a_resumed_run_gives_the_same_weights_to_the_bit(staged, pairs, tmp_path, monkeypatch):
    recipe = staged
    whole = train.train(recipe, Upscaling(recipe, pairs), tmp_path / "whole")
    ticks = iter([0.0, 1.0, 2.0, 3.0, *[99.0] * 9])  # of a clock that stops the first run half way
    with monkeypatch.context() as patched:
        patched.setattr(train.time, "monotonic", lambda: next(ticks))
        first = train.train(recipe, Upscaling(recipe, pairs), tmp_path / "parts", seconds=50)
    assert 0 < first.step < recipe.train.steps
    second = train.train(recipe, Upscaling(recipe, pairs), tmp_path / "parts", resume=True)
    assert second.step == whole.step == recipe.train.steps
    for name, value in whole.ema.items():
        assert torch.equal(value, second.ema[name]), name
    for (_, a, by), (_, b, its) in zip(whole.learners(), second.learners(), strict=True):
        for (name, value), other in zip(a.named_parameters(), b.parameters(), strict=True):
            assert torch.equal(value, other), name
            for key, moment in by.state[value].items():
                assert torch.equal(moment, its.state[other][key]), (name, key)


def test_training_lowers_the_loss(recipe, pairs, tmp_path):
    plan = replace(recipe, train=replace(recipe.train, steps=60, rate=5e-3))
    held_out = list(data.validation(recipe.data, 2))
    lesson = Upscaling(plan, pairs, held_out)
    before = lesson.evaluate(build(recipe.net))
    state = train.train(plan, lesson, tmp_path / "state")
    after = lesson.evaluate(train.averaged(state, lesson))
    assert after["held"][0] > before["held"][0] + 0.3


def test_resuming_needs_a_state_of_the_same_recipe(recipe, pairs, tmp_path):
    with pytest.raises(UsageError, match="no checkpoint"):
        train.train(recipe, Upscaling(recipe, pairs), tmp_path / "none", resume=True)
    net = build(recipe.net)
    checkpoint.save(checkpoint.new(net, 1), recipe.as_dict(), tmp_path / "state")
    other = replace(recipe, name="other")
    with pytest.raises(UsageError, match="another recipe"):
        train.train(other, Upscaling(other, pairs), tmp_path / "state", resume=True)


def test_a_run_leaves_a_model_that_an_engine_takes(recipe_path, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    said = train_recipe(recipe_path, tmp_path / "models", False, None, 1)
    assert "tiny: 6 steps" in said
    model = zoo.load("tiny", tmp_path / "models")
    assert (model.scale, model.multiple_of, model.tier) == (2, 2, "realtime")
    assert len(model.sha256) == 3
    assert model.quality["validation"]["gain_psnr_y_over_lanczos"] < 50
    assert "step 0 of 6" not in train_recipe(recipe_path, tmp_path / "models", True, None, 1)


def test_a_wrong_export_is_refused(recipe, tmp_path):
    net = build(recipe.net)
    model = export(net, recipe, tmp_path, steps=0, quality={})
    other = folded(net)
    with torch.no_grad():
        other.luma.tail.weight *= 1.2
    with pytest.raises(ModelError, match="differs from torch"):
        check_parity(model, other, choose_backend())


@pytest.mark.parametrize("history", [True, False])
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("grid", [1, 2])
def test_all_shapes_run_through_the_engine_as_in_torch(recipe, grid, scale, history, tmp_path):
    shape = replace(recipe.net, grid=grid, depth=3, scale=scale, history=history)
    plan = replace(recipe, net=shape)
    net = build(shape)
    with torch.no_grad():  # a past that matters
        for layer in (net.luma.past, net.luma.recall):
            if layer is not None:
                layer.weight.normal_(0, 0.1)
    model = export(net, plan, tmp_path, steps=0, quality={})
    assert (model.multiple_of, model.scale, model.history) == (max(grid, 2), scale, history)


def test_a_run_can_start_from_shipped_weights(recipe, pairs, tmp_path):
    plan = replace(recipe, net=replace(recipe.net, history=False), name="first")
    net = build(plan.net)
    export(net, plan, tmp_path, steps=0, quality={})
    file = tmp_path / "first.safetensors"
    later = build(recipe.net)
    checkpoint.start(later, file)
    assert torch.equal(later.luma.tail.weight, folded(net).luma.tail.weight)
    larger = build(replace(recipe.net, scale=4))
    checkpoint.start(larger, file)
    assert torch.equal(larger.luma.head.weight, folded(net).luma.head.weight)
    for words in ({"width": 4}, {"grid": 2}):
        with pytest.raises(UsageError, match="does not fit"):
            checkpoint.start(build(replace(recipe.net, **words)), file)
    with pytest.raises(UsageError, match="no such file"):
        checkpoint.start(later, tmp_path / "none.safetensors")


@pytest.mark.parametrize("shipped", [True, False])
def test_a_wider_network_starts_as_the_narrower_one(recipe, tmp_path, shipped):
    """The same function, from folded weights and from those in training, and it can learn."""
    torch.manual_seed(5)
    small = replace(recipe.net, depth=3)
    net = build(small)
    with torch.no_grad():
        for value in net.parameters():  # none zero; biases not above
            value.copy_(0.3 * torch.randn(value.shape))
    net.project()
    narrow = folded(net) if shipped else net
    save_file(narrow.state_dict(), tmp_path / "narrow.safetensors")
    wide = build(replace(small, width=2 * small.width, expand=2 * small.expand))
    checkpoint.start(wide, tmp_path / "narrow.safetensors")
    shapes = (1, 16, 24), (2, 8, 12), (small.scale**2, 16, 24)
    y, uv, past = (torch.rand(1, *each, dtype=torch.float64) for each in shapes)
    narrow, wide = narrow.double(), wide.double()
    expected, drawn = narrow(y, uv, past), wide(y, uv, past)
    for one, other in zip(expected, drawn, strict=True):
        torch.testing.assert_close(other, one)
    assert not torch.equal(narrow(y, uv)[0], expected[0]), "the past matters"
    drawn[0].square().mean().backward()
    news = wide.luma.tail.weight.grad[:, small.width :]
    assert news.abs().amax((0, 2, 3)).count_nonzero() > 0, "new channels are drawn, so they learn"


def test_the_learning_rate_warms_up_and_falls_to_a_hundredth(recipe):
    plan = replace(recipe.train, steps=1000, warmup=100, rate=1.0)
    rates = [train.rate(step, plan) for step in range(1000)]
    assert rates[0] < 0.011
    assert max(rates) == pytest.approx(1, abs=0.03)
    assert rates[-1] == pytest.approx(0.01, rel=0.01)


def test_the_critic_changes_what_is_learnt_after_it_has_learnt_to_see(recipe, pairs, tmp_path):
    """Alike while only the critic learns, and apart from then on."""
    gan = replace(recipe, gan=GAN)
    for steps, alike in ((GAN.pretrain, True), (recipe.train.steps, False)):
        plans = [replace(plan, train=replace(plan.train, steps=steps)) for plan in (recipe, gan)]
        nets = [
            train.train(plan, Upscaling(plan, pairs), tmp_path / str(steps)).net for plan in plans
        ]
        same = [torch.equal(a, b) for a, b in zip(*(n.parameters() for n in nets), strict=True)]
        assert all(same) is alike


@pytest.fixture(scope="module")
def large_pairs(recipe, tmp_path_factory):
    return data.prepare(recipe.data, 4, tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize(
    "name", ["x2-realtime-gan", "x2-balanced-gan", "x2-quality-gan", "x4-balanced"]
)
def test_what_is_built_upon_a_shipped_network_takes_its_first_step(
    name, root, recipe, pairs, large_pairs, tmp_path, monkeypatch
):
    """A step of the shipped recipe, on little: its terms add up and move the weights."""
    monkeypatch.chdir(root)
    whole = read(root / f"models/recipes/{name}.toml")
    seen = whole.train.perceptual if find_lpips() else 0.0
    plan = replace(whole.train, steps=1, batch=1, crop=16, frames=3, perceptual=seen, warmup=1)
    small = replace(whole, data=recipe.data, train=plan)
    if whole.gan:
        small = replace(small, gan=replace(whole.gan, pretrain=0))
    lesson = Upscaling(small, pairs if whole.net.scale == 2 else large_pairs)
    first = lesson.build(plan.seed)
    checkpoint.start(first, root / plan.start)
    net = train.train(small, lesson, tmp_path / "state").net
    for (name, value), before in zip(net.named_parameters(), first.parameters(), strict=True):
        assert value.isfinite().all(), name
        if name.startswith("luma") and "mix" not in name and "wide" not in name:
            assert not torch.equal(value, before), name


def test_the_critic_tells_drawn_from_real(recipe, pairs, tmp_path):
    plan = replace(
        recipe, train=replace(recipe.train, steps=120, rate=0.0),
        gan=Gan(width=8, pretrain=500, rate=2e-3),
    )  # fmt: skip
    state = train.train(plan, Upscaling(plan, pairs), tmp_path / "state")
    clip = tensors(pairs.batch(np.random.default_rng(9), 8, 16))
    with torch.no_grad():
        drawn = unroll(state.net, clip)
        fake = adversary._seen(drawn.y[:, 1:], drawn.moved[:, 1:], clip)
        truth = adversary._moved_truth(clip, 2)
        real = adversary._seen(clip.y_true[:, 1:], truth, clip)
        assert state.critic(real)[0].mean() > state.critic(fake)[0].mean() + 0.2


def test_a_second_flavour_mixes_with_the_first_at_any_strength(recipe, tmp_path):
    first, second = build(recipe.net, 1), build(recipe.net, 2)
    export(first, recipe, tmp_path, steps=0, quality={})
    model = export(second, replace(recipe, gan=GAN), tmp_path, steps=0, quality={})
    assert model.has_gan
    backend = choose_backend()
    check_parity(model.with_strength(0.0), folded(first), backend)
    check_parity(model.with_strength(1.0), folded(second), backend)
    for depth in (8, 10):
        with backend.compile(model.with_strength(0.37), 48, 32, depth) as engine:
            for level in range(0, 2**depth, 51):
                y = np.full((32, 48), level, dtype_of(depth))
                uv = np.full((16, 24, 2), level, dtype_of(depth))
                out = engine(y, uv, np.stack([y] * 4), np.full(y.shape, 255, np.uint8))
                assert all((plane == level).all() for plane in out)


def test_strength_needs_a_second_flavour(recipe, tmp_path):
    model = export(build(recipe.net), recipe, tmp_path, steps=0, quality={})
    with pytest.raises(ModelError, match="no GAN flavour"):
        model.with_strength(0.5)
    assert model.with_strength(0).strength == 0

"""The loop: resumed to the bit, and what a run leaves behind."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs vidgen[train]")

from vidgen import zoo  # noqa: E402
from vidgen.engines import choose_backend  # noqa: E402
from vidgen.errors import ModelError, UsageError  # noqa: E402
from vidgen.train import checkpoint, data, train  # noqa: E402
from vidgen.train.export import check_parity, export  # noqa: E402
from vidgen.train.fold import folded  # noqa: E402
from vidgen.train.run import train_recipe  # noqa: E402


@pytest.fixture(scope="module")
def pairs(recipe, tmp_path_factory):
    return data.prepare(recipe.data, 2, tmp_path_factory.mktemp("cache"))


def test_a_resumed_run_gives_the_same_weights_to_the_bit(recipe, pairs, tmp_path, monkeypatch):
    whole = train.train(recipe, pairs, tmp_path / "whole")
    ticks = iter([0.0, 1.0, 2.0, 3.0, *[99.0] * 9])  # of a clock that stops the first run half way
    with monkeypatch.context() as patched:
        patched.setattr(train.time, "monotonic", lambda: next(ticks))
        first = train.train(recipe, pairs, tmp_path / "parts", seconds=50)
    assert 0 < first.step < recipe.train.steps
    second = train.train(recipe, pairs, tmp_path / "parts", resume=True)
    assert second.step == whole.step == recipe.train.steps
    for (name, a), b in zip(whole.net.named_parameters(), second.net.parameters(), strict=True):
        assert torch.equal(a, b), name
        assert torch.equal(whole.ema[name], second.ema[name]), name
        for key, moment in whole.optimizer.state[a].items():
            assert torch.equal(moment, second.optimizer.state[b][key]), (name, key)


def test_training_lowers_the_loss(recipe, pairs, tmp_path):
    plan = replace(recipe, train=replace(recipe.train, steps=60, rate=5e-3))
    held_out = list(data.validation(recipe.data, 2))
    before = train.evaluate(train.build(recipe.net), held_out)
    state = train.train(plan, pairs, tmp_path / "state")
    after = train.evaluate(train.averaged(state, plan.net), held_out)
    assert after["held"][0] > before["held"][0] + 0.3


def test_resuming_needs_a_state_of_the_same_recipe(recipe, pairs, tmp_path):
    with pytest.raises(UsageError, match="no checkpoint"):
        train.train(recipe, pairs, tmp_path / "none", resume=True)
    net = train.build(recipe.net)
    checkpoint.save(checkpoint.new(net, 1), recipe.as_dict(), tmp_path / "state")
    other = replace(recipe, name="other")
    with pytest.raises(UsageError, match="another recipe"):
        train.train(other, pairs, tmp_path / "state", resume=True)


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
    net = train.build(recipe.net)
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
    net = train.build(shape)
    with torch.no_grad():  # a past that matters
        for layer in (net.luma.past, net.luma.recall):
            if layer is not None:
                layer.weight.normal_(0, 0.1)
    model = export(net, plan, tmp_path, steps=0, quality={})
    assert (model.multiple_of, model.scale, model.history) == (max(grid, 2), scale, history)


def test_a_run_can_start_from_shipped_weights(recipe, pairs, tmp_path):
    plan = replace(recipe, net=replace(recipe.net, history=False), name="first")
    net = train.build(plan.net)
    export(net, plan, tmp_path, steps=0, quality={})
    file = tmp_path / "first.safetensors"
    later = train.build(recipe.net)
    checkpoint.start(later, file)
    assert torch.equal(later.luma.tail.weight, folded(net).luma.tail.weight)
    wider = train.build(replace(recipe.net, width=12))
    with pytest.raises(UsageError, match="does not fit"):
        checkpoint.start(wider, file)
    with pytest.raises(UsageError, match="no such file"):
        checkpoint.start(later, tmp_path / "none.safetensors")


def test_the_learning_rate_warms_up_and_falls_to_a_hundredth(recipe):
    plan = replace(recipe.train, steps=1000, warmup=100, rate=1.0)
    rates = [train.rate(step, plan) for step in range(1000)]
    assert rates[0] < 0.011
    assert max(rates) == pytest.approx(1, abs=0.03)
    assert rates[-1] == pytest.approx(0.01, rel=0.01)

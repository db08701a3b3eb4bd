"""The adversarial part of a step: the critic learns, then says how the network should."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate, l1_loss, relu

from vidgen.nets.critic import Critic
from vidgen.train.checkpoint import State
from vidgen.train.recipe import Gan, Recipe
from vidgen.train.unroll import FULL, Clip, Drawn, warp

__all__ = ["against", "judged"]


def against(state: State, drawn: Drawn, clip: Clip, recipe: Recipe) -> Tensor:
    """Teach the critic one step; what it adds to the generator's loss.

    Nothing in the first `pretrain` steps, in which it only learns to see.
    """
    assert recipe.gan is not None
    scale = drawn.y.shape[-1] // clip.y.shape[-1]
    fake = _seen(drawn.y[:, 1:], drawn.moved[:, 1:], clip)
    real = _seen(clip.y_true[:, 1:], _moved_truth(clip, scale), clip)
    return judged(state, real, fake, recipe.gan)


def judged(state: State, real: Tensor, fake: Tensor, gan: Gan) -> Tensor:
    """The same for what the critic sees: (B, 3, H, W) in [-1, 1], sides divisible by 8."""
    critic = state.critic
    assert critic is not None
    _teach(state, real, fake.detach(), gan)
    if state.step < gan.pretrain:
        return fake.new_zeros(())
    critic.requires_grad_(False)
    logits, features = critic(fake)
    with torch.no_grad():
        wanted = critic(real)[1]
    critic.requires_grad_(True)
    distance = gan.features * _apart(features, wanted)
    return distance - gan.weight * torch.mean(logits)


def _teach(state: State, real: Tensor, fake: Tensor, gan: Gan) -> None:
    """One step down the hinge loss (J. Lim and J. Ye, "Geometric GAN", 2017)."""
    critic, optimizer = state.critic, state.critic_optimizer
    assert isinstance(critic, Critic)
    assert optimizer is not None
    for group in optimizer.param_groups:
        group["lr"] = gan.rate
    loss = relu(1 - critic(real)[0]).mean() + relu(1 + critic(fake)[0]).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _seen(luma: Tensor, moved: Tensor, clip: Clip) -> Tensor:
    """(B (n - 1), 3, H, W) in [-1, 1]: each frame, the one before it moved onto it, the input."""
    low = interpolate(clip.y[:, 1:].flatten(0, 1), size=luma.shape[-2:], mode="bilinear")
    seen = torch.cat([luma.flatten(0, 1), moved.flatten(0, 1), low], 1)
    return seen.float() * (2 / FULL) - 1


def _moved_truth(clip: Clip, scale: int) -> Tensor:
    """The truth of the frame before, moved to each frame as the drawn one is."""
    before, flow = clip.y_true[:, :-1].flatten(0, 1), clip.flow[:, 1:].flatten(0, 1)
    return warp(before, flow, scale).reshape(clip.y_true[:, 1:].shape)


def _apart(features: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """Mean distance of two sets of features, each layer by its own size, as in TecoGAN."""
    parts = [l1_loss(a, b) / b.abs().mean() for a, b in zip(features, wanted, strict=True)]
    return torch.stack(parts).mean()

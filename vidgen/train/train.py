"""The training loop: one flat function, resumable to the bit."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vidgen.nets.chain import UNIT, Upscaler
from vidgen.nets.critic import Critic
from vidgen.train import checkpoint
from vidgen.train.adversary import against
from vidgen.train.data import Sequence, Sequences
from vidgen.train.losses import charbonnier, laplacian, spectral
from vidgen.train.recipe import Net, Recipe, Train
from vidgen.train.unroll import FULL, Clip, Drawn, tensors, unroll, warp

__all__ = ["averaged", "build", "evaluate", "train", "words"]

_log = logging.getLogger(__name__)

_SAVE_SECONDS = 60
_VALIDATE_SECONDS = 1800  # whole frames: takes up to a minute


def build(net: Net, seed: int = 0) -> Upscaler:
    """The network of a recipe, with its first weights."""
    torch.manual_seed(seed)
    return Upscaler(
        net.grid, net.width, net.depth, net.expand, scale=net.scale, history=net.history
    )


def train(
    recipe: Recipe,
    sequences: Sequences,
    path: Path,
    *,
    resume: bool = False,
    seconds: float = math.inf,
    held_out: Iterable[tuple[str, Sequence]] = (),
) -> checkpoint.State:
    """Run the recipe to its last step, or for `seconds`; the state is kept at `path` every minute.

    With `held_out` sequences the running mean of the weights is validated every half an hour. A run
    that is stopped and resumed gives the same weights, bit for bit, as one that was not.
    """
    plan, facts = recipe.train, recipe.as_dict()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = build(recipe.net, plan.seed).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    state = begin(recipe, net, path, resume)
    held_out = list(held_out)
    began = saved = validated = time.monotonic()
    mean_loss = 0.0
    while state.step < plan.steps and time.monotonic() - began < seconds:
        for group in state.optimizer.param_groups:
            group["lr"] = rate(state.step, plan)
        clip = tensors(sequences.batch(state.rng, plan.batch, plan.crop), device)
        with _autocast(device):
            drawn = unroll(net, clip)
        loss = pixel_loss(drawn, clip, recipe)
        if state.critic is not None:
            loss = loss + against(state, drawn, clip, recipe)
        descend(state, loss, plan)
        mean_loss += (loss.item() - mean_loss) / min(state.step, 200)
        if time.monotonic() - saved > _SAVE_SECONDS:
            saved = time.monotonic()
            checkpoint.save(state, facts, path)
            _log.info("step %d of %d, loss %.5f", state.step, plan.steps, mean_loss)
        if held_out and time.monotonic() - validated > _VALIDATE_SECONDS:
            validated = time.monotonic()
            _log.info("%s", words(evaluate(averaged(state, recipe.net), held_out)))
    checkpoint.save(state, facts, path)
    return state


def begin(recipe: Recipe, net: Upscaler, path: Path, resume: bool) -> checkpoint.State:
    """The state to go on from: as kept at `path`, or new, with the weights that are asked for."""
    plan, critic = recipe.train, None
    if plan.start and not resume:
        checkpoint.start(net, Path(plan.start))
    if recipe.gan is not None:
        critic = Critic(recipe.gan.width).to(next(net.parameters()).device)
    state = checkpoint.new(net, plan.seed, critic)
    if resume:
        checkpoint.load(state, recipe.as_dict(), path)
    return state


def descend(state: checkpoint.State, loss: Tensor, plan: Train) -> None:
    """One step of the generator down `loss`."""
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), 0.5)
    state.optimizer.step()
    state.net.project()
    _average(state, plan.ema)
    state.step += 1


def rate(step: int, plan: Train) -> float:
    """Learning rate of that step: a linear warm-up times a cosine down to a hundredth."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / plan.steps))
    return plan.rate * min(1.0, (step + 1) / plan.warmup) * (0.01 + 0.99 * cosine)


def averaged(state: checkpoint.State, net: Net) -> Upscaler:
    """A network with the running mean of the weights, on the CPU."""
    result = build(net)
    result.load_state_dict(state.ema)
    return result


def pixel_loss(drawn: Drawn, clip: Clip, recipe: Recipe) -> Tensor:
    """The weighted sum of what the recipe asks for; see `vidgen.train.losses`."""
    plan = recipe.train
    y, y_true = drawn.y.float() / FULL, clip.y_true / FULL
    loss = charbonnier(y, y_true, plan.epsilon)
    loss = loss + plan.chroma * charbonnier(
        drawn.uv.float() / FULL, clip.uv_true / FULL, plan.epsilon
    )
    if plan.laplacian:
        loss = loss + plan.laplacian * laplacian(y.flatten(0, 1), y_true.flatten(0, 1))
    if plan.spectral:
        loss = loss + plan.spectral * spectral(y, y_true)
    if plan.temporal:
        loss = loss + plan.temporal * _temporal(drawn, clip, recipe)
    return loss


def _temporal(drawn: Drawn, clip: Clip, recipe: Recipe) -> Tensor:
    """How differently the result and the truth change along the motion, where that is trusted."""
    scale, frames = recipe.net.scale, clip.y.shape[1]
    truths = clip.y_true[:, :-1].flatten(0, 1), clip.flow[:, 1:].flatten(0, 1)
    truth = clip.y_true[:, 1:].flatten(0, 1) - warp(*truths, scale)
    given = (drawn.y[:, 1:] - drawn.moved[:, 1:]).float().flatten(0, 1)
    trust = torch.nn.functional.interpolate(clip.trust[:, 1:].flatten(0, 1), scale_factor=scale)
    share = frames - 1  # of all frames: comparable to the other terms
    return ((given - truth) * trust).abs().mean() / FULL * share / frames


def _autocast(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 where it is fast: CUDA, and CPUs with AMX."""
    if device.type == "cuda" or torch.cpu.get_capabilities().get("amx_bf16", False):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


@torch.no_grad()
def _average(state: checkpoint.State, keep: float) -> None:
    keep = min(keep, (1 + state.step) / (10 + state.step))  # follows closely at first
    for name, value in state.net.named_parameters():
        state.ema[name].lerp_(value, 1 - keep)


@torch.no_grad()
def evaluate(
    net: Upscaler, held_out: Iterable[tuple[str, Sequence]]
) -> dict[str, tuple[float, float]]:
    """Mean gain in PSNR of Y and of UV over Lanczos on the planes, in dB, for each file.

    Of the second half of each sequence, when the network has a past to look at.
    """
    gains = {}
    for name, sequence in held_out:
        clip = tensors(sequence.map(lambda array: array[None]))
        drawn = unroll(net, clip)
        rows = []
        for n in range(len(sequence.y) // 2, len(sequence.y)):
            given = (sequence.y[n], sequence.uv[n]), (sequence.y_true[n], sequence.uv_true[n])
            ours = _codes(drawn.y[0, n]), _codes(drawn.uv[0, n])
            rows.append([
                psnr(plane, truth) - psnr(_lanczos(low, net.scale), truth)
                for plane, low, truth in zip(ours, *given, strict=True)
            ])  # fmt: skip
        luma, chroma = np.mean(rows, 0)
        gains[name] = (float(luma), float(chroma))
    return gains


def _codes(planes: Tensor) -> np.ndarray:
    """(P, H, W) in units as rounded 8-bit codes, (H, W) or (H, W, P)."""
    codes = (planes * UNIT).clamp(0, 255).round().permute(1, 2, 0).numpy()
    return codes[..., 0] if codes.shape[-1] == 1 else codes


def _lanczos(plane: np.ndarray, scale: int) -> np.ndarray:
    size = plane.shape[1] * scale, plane.shape[0] * scale
    return cv2.resize(plane, size, interpolation=cv2.INTER_LANCZOS4)


def psnr(given: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal to noise ratio of 8-bit planes in dB; 100 where they are equal."""
    error = float(np.mean((given.astype(np.float64) - truth) ** 2))
    return 10 * math.log10(255**2 / error) if error else 100.0


def words(gains: dict[str, tuple[float, float]]) -> str:
    """What `evaluate` found, in a line."""
    luma, chroma = np.mean(list(gains.values()), 0)
    worst = min(gains, key=lambda name: gains[name])
    return (
        f"over Lanczos: Y {luma:+.3f} dB, UV {chroma:+.3f} dB, "
        f"least {worst} Y {gains[worst][0]:+.3f} dB"
    )

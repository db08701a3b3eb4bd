"""The training loop: one flat function, resumable to the bit, whatever is taught."""

from __future__ import annotations

import logging
import math
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import fmean
from typing import Protocol

import torch
from torch import Tensor

from vidgen.nets.critic import Critic
from vidgen.train import checkpoint
from vidgen.train.checkpoint import Network, State
from vidgen.train.recipe import Recipe, Train

__all__ = ["Gains", "Lesson", "autocast", "averaged", "train", "words"]

_log = logging.getLogger(__name__)

_SAVE_SECONDS = 60
_VALIDATE_SECONDS = 1800  # whole frames: takes up to a minute

Gains = dict[str, tuple[float, float]]
"""Mean gain in PSNR of Y and of UV in dB, for each file held out."""


class Lesson(Protocol):
    """What is taught: a network, where its batches come from, and what counts as an error."""

    baseline: str
    """What `evaluate` compares with."""
    what: str
    """How the files held out are used, for the card."""

    def build(self, seed: int = 0) -> Network:
        """The network with its first weights."""
        ...

    def loss(self, state: State, device: torch.device) -> Tensor:
        """Of one batch, drawn with `state.rng`."""
        ...

    def evaluate(self, net: Network) -> Gains:
        """What `net`, on the CPU, does with the files held out; empty where there are none."""
        ...


def train(
    recipe: Recipe,
    lesson: Lesson,
    path: Path,
    *,
    resume: bool = False,
    seconds: float = math.inf,
) -> State:
    """Run the recipe to its last step, or for `seconds`; the state is kept at `path` every minute.

    The running mean of the weights is validated every half an hour. A run that is stopped and
    resumed gives the same weights, bit for bit, as one that was not.
    """
    plan, facts = recipe.train, recipe.as_dict()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = lesson.build(plan.seed).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    state = begin(recipe, net, path, resume)
    began = saved = validated = time.monotonic()
    mean_loss = 0.0
    while state.step < plan.steps and time.monotonic() - began < seconds:
        for group in state.optimizer.param_groups:
            group["lr"] = rate(state.step, plan)
        loss = lesson.loss(state, device)
        descend(state, loss, plan)
        mean_loss += (loss.item() - mean_loss) / min(state.step, 200)
        if time.monotonic() - saved > _SAVE_SECONDS:
            saved = time.monotonic()
            checkpoint.save(state, facts, path)
            _log.info("step %d of %d, loss %.5f", state.step, plan.steps, mean_loss)
        if time.monotonic() - validated > _VALIDATE_SECONDS:
            validated = time.monotonic()
            _log.info("%s", words(lesson.evaluate(averaged(state, lesson)), lesson.baseline))
    checkpoint.save(state, facts, path)
    return state


def begin(recipe: Recipe, net: Network, path: Path, resume: bool) -> State:
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


def descend(state: State, loss: Tensor, plan: Train) -> None:
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


def averaged(state: State, lesson: Lesson) -> Network:
    """A network with the running mean of the weights, on the CPU."""
    result = lesson.build()
    result.load_state_dict(state.ema)
    return result


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 where it is fast: CUDA, and CPUs with AMX or AVX512-BF16."""
    found = torch.cpu.get_capabilities()
    if device.type == "cuda" or found.get("amx_bf16") or found.get("avx512_bf16"):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


@torch.no_grad()
def _average(state: State, keep: float) -> None:
    keep = min(keep, (1 + state.step) / (10 + state.step))  # follows closely at first
    for name, value in state.net.named_parameters():
        state.ema[name].lerp_(value, 1 - keep)


def words(gains: Gains, baseline: str) -> str:
    """What was found of a network, in a line."""
    if not gains:
        return "nothing held out"
    luma, chroma = (fmean(each) for each in zip(*gains.values(), strict=True))
    worst = min(gains, key=lambda name: gains[name])
    return (
        f"over {baseline}: Y {luma:+.3f} dB, UV {chroma:+.3f} dB, "
        f"least {worst} Y {gains[worst][0]:+.3f} dB"
    )

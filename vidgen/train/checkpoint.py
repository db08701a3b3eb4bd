"""The whole state of a training run in two files that hold no code: safetensors and JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vidgen.errors import UsageError
from vidgen.nets.chain import Upscaler
from vidgen.nets.critic import Critic
from vidgen.nets.fusion import Fusion
from vidgen.train.recipe import completed

__all__ = ["Network", "State", "load", "new", "save", "start"]

Network = Upscaler | Fusion

_BY_SCALE = ("tail.weight", "past.weight", "recall.weight")  # their shape depends on the scale


@dataclass(slots=True)
class State:
    """Everything that the next step depends on."""

    net: Network
    ema: dict[str, Tensor]
    """Running mean of the parameters: what is validated and shipped."""
    optimizer: torch.optim.Adam
    rng: np.random.Generator
    """Draws the crops."""
    critic: Critic | None = None
    critic_optimizer: torch.optim.Adam | None = None
    """Both only in adversarial training."""
    step: int = 0
    """Steps done."""

    def learners(self) -> Iterator[tuple[str, nn.Module, torch.optim.Adam]]:
        """What is trained and by whom, with a name for each."""
        yield "net", self.net, self.optimizer
        if self.critic is not None and self.critic_optimizer is not None:
            yield "critic", self.critic, self.critic_optimizer


def new(net: Network, seed: int, critic: Critic | None = None) -> State:
    """The state before the first step."""
    ema = {name: value.detach().clone() for name, value in net.named_parameters()}
    optimizer = torch.optim.Adam(net.parameters(), betas=(0.9, 0.99))
    state = State(net, ema, optimizer, np.random.default_rng(seed), critic)
    if critic is not None:
        state.critic_optimizer = torch.optim.Adam(critic.parameters(), betas=(0.9, 0.99))
    return state


def save(state: State, recipe: dict[str, Any], path: Path) -> None:
    """Write `path`.safetensors and `path`.json; an older pair stays until both are written."""
    tensors = {f"ema.{name}": value for name, value in state.ema.items()}
    for label, module, optimizer in state.learners():
        tensors |= {f"{label}.{name}": value for name, value in module.state_dict().items()}
        for name, value in module.named_parameters():
            for key, moment in optimizer.state.get(value, {}).items():
                tensors[f"{label}:{key}:{name}"] = moment
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"step": state.step, "rng": state.rng.bit_generator.state, "recipe": recipe}
    halves = path.with_suffix(".new.safetensors"), path.with_suffix(".new.json")
    plain = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    save_file(plain, halves[0], metadata={"step": str(state.step)})
    halves[1].write_text(json.dumps(facts, indent=1), "utf-8")
    for half in halves:
        os.replace(half, path.with_suffix(half.suffix))


def load(state: State, recipe: dict[str, Any], path: Path) -> None:
    """Put what was saved at `path` into `state`, as it was new.

    Raises UsageError where there is nothing, or something of another recipe.
    """
    try:
        facts = json.loads(path.with_suffix(".json").read_text("utf-8"))
        tensors = load_file(path.with_suffix(".safetensors"))
    except FileNotFoundError as error:
        raise UsageError(
            f"--resume: no checkpoint {error.filename}; train without it first"
        ) from None
    if json.loads(json.dumps(completed(facts["recipe"]))) != json.loads(json.dumps(recipe)):
        raise UsageError(f"--resume: {path}.json is of another recipe; move it away or train anew")
    state.step = facts["step"]
    state.rng.bit_generator.state = facts["rng"]
    for name, value in state.ema.items():
        value.copy_(tensors[f"ema.{name}"])
    for label, module, optimizer in state.learners():
        module.load_state_dict({name: tensors[f"{label}.{name}"] for name in module.state_dict()})
        moments = [key.split(":") for key in tensors if key.startswith(f"{label}:")]
        for name, value in module.named_parameters():
            optimizer.state[value] = {
                key: tensors[f"{label}:{key}:{name}"].to(value.device)
                for _, key, owner in moments
                if owner == name
            }


def start(net: Network, path: Path) -> None:
    """Put the weights of a shipped model into `net`; the rest stays as it is.

    What the file lacks, and last layers where the scale is another one, are the rest. A network
    that is wider than that of the file does the same at first: its new channels are seen by new
    ones alone (as in Net2Net, T. Chen et al., 2016, but drawn, not copied). Raises UsageError where
    there is no such file or any other weight does not fit.
    """
    if not path.is_file():
        raise UsageError(f"start = {str(path)!r}: no such file; give shipped weights, or none")
    known, given = dict(net.named_parameters()), load_file(path)
    same_scale = all(
        len(value) == len(known[name])
        for name, value in given.items()
        if name in known and name.endswith("tail.weight")
    )
    with torch.no_grad():
        for name, value in given.items():
            if not same_scale and name.endswith(_BY_SCALE):
                continue
            if name in known and _fits(name, value, known[name]):
                _widen(known[name], value)
            elif not name.endswith(_BY_SCALE):  # without a history, nothing recalls
                raise UsageError(f"start = {str(path)!r}: {name} does not fit this network")


def _fits(name: str, value: Tensor, wider: Tensor) -> bool:
    """Whether no side is shorter; what comes in first, of pictures, must be the same."""
    pairs = zip(value.shape, wider.shape, strict=False)
    if value.ndim != wider.ndim or any(a > b for a, b in pairs):
        return False
    return "head" not in name.split(".") or value.ndim < 4 or value.shape[1] == wider.shape[1]


def _widen(wider: Tensor, value: Tensor) -> None:
    """Put `value` into the first channels of `wider`, which do not look at the other ones."""
    outputs = len(value)
    if value.ndim > 1:
        wider[:outputs] = 0
        wider[:outputs, : value.shape[1]] = value
    else:
        wider[:outputs] = value

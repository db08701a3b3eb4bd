"""The whole state of a training run in two files that hold no code: safetensors and JSON."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from vidgen.errors import UsageError
from vidgen.nets.chain import Upscaler

__all__ = ["State", "load", "new", "save", "start"]


@dataclass(slots=True)
class State:
    """Everything that the next step depends on."""

    net: Upscaler
    ema: dict[str, Tensor]
    """Running mean of the parameters: what is validated and shipped."""
    optimizer: torch.optim.Adam
    rng: np.random.Generator
    """Draws the crops."""
    step: int = 0
    """Steps done."""


def new(net: Upscaler, seed: int) -> State:
    """The state before the first step."""
    ema = {name: value.detach().clone() for name, value in net.named_parameters()}
    optimizer = torch.optim.Adam(net.parameters(), betas=(0.9, 0.99))
    return State(net, ema, optimizer, np.random.default_rng(seed))


def save(state: State, recipe: dict[str, Any], path: Path) -> None:
    """Write `path`.safetensors and `path`.json; an older pair stays until both are written."""
    tensors: dict[str, Tensor]
    tensors = {f"net.{name}": value for name, value in state.net.named_parameters()}
    tensors |= {f"ema.{name}": value for name, value in state.ema.items()}
    for name, value in state.net.named_parameters():
        for key, moment in state.optimizer.state.get(value, {}).items():
            tensors[f"adam.{key}.{name}"] = moment
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"step": state.step, "rng": state.rng.bit_generator.state, "recipe": recipe}
    halves = path.with_suffix(".new.safetensors"), path.with_suffix(".new.json")
    plain = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    save_file(plain, halves[0], metadata={"step": str(state.step)})
    halves[1].write_text(json.dumps(facts, indent=1), "utf-8")
    for half in halves:
        os.replace(half, path.with_suffix(half.suffix))


def load(net: Upscaler, seed: int, recipe: dict[str, Any], path: Path) -> State:
    """The state saved at `path`. Raises UsageError where there is none, or of another recipe."""
    state = new(net, seed)
    try:
        facts = json.loads(path.with_suffix(".json").read_text("utf-8"))
        tensors = load_file(path.with_suffix(".safetensors"))
    except FileNotFoundError as error:
        raise UsageError(
            f"--resume: no checkpoint {error.filename}; train without it first"
        ) from None
    if facts["recipe"] != json.loads(json.dumps(recipe)):
        raise UsageError(f"--resume: {path}.json is of another recipe; move it away or train anew")
    state.step = facts["step"]
    state.rng.bit_generator.state = facts["rng"]
    with torch.no_grad():
        for name, value in net.named_parameters():
            value.copy_(tensors[f"net.{name}"])
            state.ema[name].copy_(tensors[f"ema.{name}"])
            prefix, suffix = "adam.", f".{name}"
            state.optimizer.state[value] = {
                key[len(prefix) : -len(suffix)]: moment.to(value.device)
                for key, moment in tensors.items()
                if key.startswith(prefix) and key.endswith(suffix)
                and key.count(".") == name.count(".") + 2
            }  # fmt: skip
    return state


def start(net: Upscaler, path: Path) -> None:
    """Put the weights of a shipped model into `net`; what the file lacks stays as it is.

    Raises UsageError where there is no such file or a weight has another shape.
    """
    if not path.is_file():
        raise UsageError(f"start = {str(path)!r}: no such file; give shipped weights, or none")
    known = dict(net.named_parameters())
    with torch.no_grad():
        for name, value in load_file(path).items():
            if name not in known or known[name].shape != value.shape:
                raise UsageError(f"start = {str(path)!r}: {name} does not fit this network")
            known[name].copy_(value)

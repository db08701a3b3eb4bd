"""A trained network as the files of `models/`: two ONNX graphs, the weights, and the card.

Parity with torch is checked on the spot, through the engine that users run.
"""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from vidgen import zoo
from vidgen.engines import Backend, choose_backend
from vidgen.errors import ModelError
from vidgen.frame import Planes, dtype_of
from vidgen.nets.chain import UNIT, Upscaler
from vidgen.train.fold import folded, is_exact
from vidgen.train.graph import build_graph
from vidgen.train.recipe import Recipe

__all__ = ["check_parity", "export", "run_reference"]

_LICENSE = "CC-BY-4.0"
_LIMITS = (
    "Small: it sharpens and cleans what is there, and invents little texture. Strong noise, "
    "interlace combs and blur wider than the shrinking stay."
)
Inputs = tuple[NDArray[Any], ...]
"""Of an engine: y, uv and, with history, history and confidence."""

_TOLERANCE = {"f32": (1, 0.01), "bf16": (4, 0.3)}
"""Largest and mean difference in codes of 8 bits that an engine of that precision may show."""


def export(
    net: Upscaler, recipe: Recipe, folder: Path, *, steps: int, quality: dict[str, Any]
) -> zoo.Model:
    """Write the model into `folder`; its card, read back. Raises ModelError on a mismatch.

    What was trained against a critic becomes the second flavour of a model that is there.
    """
    net = folded(net)
    if not (is_exact(net.luma) and is_exact(net.chroma)):
        raise ModelError(f"{recipe.name}: flat colours would not stay exact; nothing was written")
    training = {
        "data": recipe.data.folder,
        "without": list(recipe.data.exclude),
        "recipe": f"models/recipes/{recipe.name}{'-gan' if recipe.gan else ''}.toml",
        "steps": steps,
        "commit": _commit(),
    }
    if recipe.gan is None:
        card = _new_card(net, recipe) | {"training": training, "quality": quality}
    else:
        card = tomllib.loads(zoo.card_text(recipe.name, folder))
        card["training"]["gan"] = training
        card["quality"]["gan"] = quality
    card["sha256"] |= {file.name: _sha256(file) for file in _write(net, recipe, folder)}
    zoo.write_card(folder / f"{recipe.name}.toml", card)
    model = zoo.load(recipe.name, folder)
    if recipe.gan is not None:
        model = model.with_strength(1.0)
    check_parity(model, net, choose_backend())
    return model


def _write(net: Upscaler, recipe: Recipe, folder: Path) -> list[Path]:
    """The graphs and the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{recipe.name}.gan" if recipe.gan else recipe.name
    files = [folder / f"{stem}.{depth}bit.onnx" for depth in (8, 10)]
    for file, depth in zip(files, (8, 10), strict=True):
        onnx.save(build_graph(net, depth), str(file))
    files.append(folder / f"{stem}.safetensors")
    save_file({name: value.contiguous() for name, value in net.named_parameters()}, files[-1])
    files[-1].chmod(0o644)  # safetensors writes for the owner alone
    return files


def _new_card(net: Upscaler, recipe: Recipe) -> dict[str, Any]:
    return {
        "task": "upscale",
        "tier": recipe.tier,
        "scale": net.scale,
        "history": net.history,
        "multiple_of": max(2, recipe.net.grid),
        "strength": 0.0,
        "parameters": net.parameters_deployed(),
        "macs_per_pixel": net.macs(),
        "license": _LICENSE,
        "limits": _LIMITS,
        "sha256": {},
    }


def check_parity(model: zoo.Model, net: Upscaler, backend: Backend) -> None:
    """Compare engine and torch on noise, a ramp and flats, at both depths. Raises ModelError."""
    precision = "bf16" if "bf16" in backend.describe() else "f32"
    most, mean = _TOLERANCE[precision]
    multiple = model.multiple_of
    scale = model.scale if model.history else 0
    height, width = 13 * multiple, 21 * multiple  # odd multiples
    for depth in (8, 10):
        with backend.compile(model, width, height, depth) as engine:
            for planes in _pictures(height, width, depth, scale):
                given, wanted = engine(*planes), run_reference(net, planes, depth)
                for ours, theirs in zip(given, wanted, strict=True):
                    apart = np.abs(ours.astype(int) - theirs.astype(int)) / 2 ** (depth - 8)
                    if apart.max() > most or apart.mean() > mean:
                        raise ModelError(
                            f"{model.name}, {depth} bit: {backend.name} differs from torch by up "
                            f"to {apart.max():.2f} codes (mean {apart.mean():.3f}); do not use it"
                        )


def run_reference(net: Upscaler, planes: Inputs, bit_depth: int) -> Planes:
    """What the exported graph computes, by torch in float32."""
    y, uv, *memory = planes
    unit, top = UNIT * 2 ** (bit_depth - 8), 2**bit_depth - 1
    with torch.no_grad():
        y_in = torch.from_numpy(y.astype(np.float32))[None, None] / unit
        uv_in = torch.from_numpy(uv.astype(np.float32)).permute(2, 0, 1)[None] / unit
        past = None
        if memory:
            history, confidence = (torch.from_numpy(each.astype(np.float32)) for each in memory)
            past = (history / unit - y_in) * (confidence / 255)
        results = [(each[0] * unit).clamp(0, top).round() for each in net(y_in, uv_in, past)]
    dtype = dtype_of(bit_depth)
    return results[0][0].numpy().astype(dtype), results[1].permute(1, 2, 0).numpy().astype(dtype)


def _pictures(height: int, width: int, bit_depth: int, scale: int) -> Iterator[Inputs]:
    """What exercises an engine: noise, a ramp, flat colours; with a past for a given `scale`."""
    rng = np.random.default_rng(2)
    for y, uv in _planes(height, width, bit_depth):
        if not scale:
            yield y, uv
            continue
        confidence = rng.integers(0, 256, y.shape).astype(np.uint8)
        past = np.stack([y] * scale**2)
        if y.min() != y.max():
            past = np.clip(past + rng.integers(-9, 10, past.shape), 0, 2**bit_depth - 1)
        yield y, uv, past.astype(y.dtype), confidence


def _planes(height: int, width: int, bit_depth: int) -> Iterator[Planes]:
    rng, top, dtype = np.random.default_rng(1), 2**bit_depth - 1, dtype_of(bit_depth)
    half = (height // 2, width // 2, 2)
    yield (
        rng.integers(0, top + 1, (height, width)).astype(dtype),
        rng.integers(0, top + 1, half).astype(dtype),
    )
    ramp = np.linspace(0, top, width)
    yield (
        np.tile(ramp, (height, 1)).astype(dtype),
        np.tile(ramp[::2, None], (height // 2, 1, 2)).astype(dtype),
    )
    for level in (0, 16 * (top + 1) // 256, top // 3, top):
        yield np.full((height, width), level, dtype), np.full(half, top - level, dtype)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _commit() -> str:
    """The commit that trained; empty outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

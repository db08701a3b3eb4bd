"""A trained network as the files of `models/`: two ONNX graphs, the weights, and the card.

Parity with torch is checked on the spot; see `vidgen.train.parity`.
"""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import onnx
from safetensors.torch import save_file

from vidgen import zoo
from vidgen.engines import choose_backend
from vidgen.errors import ModelError
from vidgen.nets.chain import Upscaler
from vidgen.nets.fusion import Fusion
from vidgen.train.checkpoint import Network
from vidgen.train.fold import folded, is_exact
from vidgen.train.fusion_graph import build_fusion_graph
from vidgen.train.graph import build_graph
from vidgen.train.parity import check_parity
from vidgen.train.recipe import Data, Recipe

__all__ = ["export", "graph_of"]

_LICENSES = {"../shared/data/train": "CC-BY-4.0"}
"""What follows from the pictures of a training folder; of others it is not known here."""
_LIMITS = (
    "Small: it sharpens and cleans what is there, and invents little texture. Strong noise, "
    "interlace combs and blur wider than the shrinking stay."
)
_STILL_LIMITS = (
    "For photographs, not films: it has no memory. Blocks of a JPEG below a quality of 65 or so, "
    "strong noise and blur wider than the shrinking stay; soft edges, as of drawings that were "
    "blurred before they were shrunk, come out too hard. Small: it invents little texture."
)
_FUSION_LIMITS = (
    "Small: it chooses between what the motion found and mends what sampling blurs. Where the "
    "motion is wrong on both sides, it is wrong, too."
)


def export(
    net: Network, recipe: Recipe, folder: Path, *, steps: int, quality: dict[str, Any]
) -> zoo.Model:
    """Write the model into `folder`; its card, read back. Raises ModelError on a mismatch.

    What was trained against a critic becomes the second flavour of a model that is there.
    """
    net = folded(net)
    if isinstance(net, Upscaler) and not (is_exact(net.luma) and is_exact(net.chroma)):
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


def _write(net: Network, recipe: Recipe, folder: Path) -> list[Path]:
    """The graphs and the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{recipe.name}.gan" if recipe.gan else recipe.name
    files = [folder / f"{stem}.{depth}bit.onnx" for depth in (8, 10)]
    for file, depth in zip(files, (8, 10), strict=True):
        graph = graph_of(net, depth)
        onnx.save(graph, str(file))
    files.append(folder / f"{stem}.safetensors")
    save_file({name: value.contiguous() for name, value in net.named_parameters()}, files[-1])
    files[-1].chmod(0o644)  # safetensors writes for the owner alone
    return files


def graph_of(net: Network, bit_depth: int) -> Any:
    """The checked ONNX model of a folded network for planes of that depth."""
    if isinstance(net, Fusion):
        return build_fusion_graph(net, bit_depth)
    return build_graph(net, bit_depth)


def _new_card(net: Network, recipe: Recipe) -> dict[str, Any]:
    upscaler = isinstance(net, Upscaler)
    return {
        "task": recipe.task,
        "tier": recipe.tier,
        "scale": net.scale if isinstance(net, Upscaler) else 1,
        "history": isinstance(net, Upscaler) and net.history,
        "multiple_of": max(2, net.luma.grid) if isinstance(net, Upscaler) else 2,
        "precision": "any",
        "strength": 0.0,
        "parameters": net.parameters_deployed(),
        "macs_per_pixel": net.macs(),
        "license": _LICENSES.get(recipe.data.folder, "LicenseRef-unknown"),
        "limits": _limits(recipe) if upscaler else _FUSION_LIMITS,
        "sha256": {},
    }


def _limits(recipe: Recipe) -> str:
    stills = isinstance(recipe.data, Data) and recipe.data.stills
    return _STILL_LIMITS if stills else _LIMITS


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _commit() -> str:
    """The commit that trained; empty outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

"""Whether an engine computes what torch does: checked wherever a model is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pixel_shuffle

from vidgen import zoo
from vidgen.engines import Backend
from vidgen.errors import ModelError
from vidgen.frame import Planes, dtype_of
from vidgen.nets.chain import UNIT, Upscaler
from vidgen.nets.fusion import Fusion
from vidgen.train.checkpoint import Network

__all__ = ["check_parity", "run_reference"]

Inputs = tuple[NDArray[Any], ...]
"""Of an engine, in order."""

_TOLERANCE = {"f32": (1, 0.01), "bf16": (4, 0.3)}
"""Largest and mean difference in codes of 8 bits that an engine of that precision may show."""


def check_parity(model: zoo.Model, net: Network, backend: Backend) -> None:
    """Compare engine and torch on noise, a ramp and flats, at both depths. Raises ModelError."""
    precision = "bf16" if "bf16" in backend.describe() else "f32"
    most, mean = _TOLERANCE[precision]
    multiple = model.multiple_of
    height, width = 13 * multiple, 21 * multiple  # odd multiples
    for depth in (8, 10):
        with backend.compile(model, width, height, depth) as engine:
            for planes in _pictures(model, height, width, depth):
                given, wanted = engine(*planes), run_reference(net, planes, depth)
                for ours, theirs in zip(given, wanted, strict=True):
                    apart = np.abs(ours.astype(int) - theirs.astype(int)) / 2 ** (depth - 8)
                    if apart.max() > most or apart.mean() > mean:
                        raise ModelError(
                            f"{model.name}, {depth} bit: {backend.name} differs from torch by up "
                            f"to {apart.max():.2f} codes (mean {apart.mean():.3f}); do not use it"
                        )


def run_reference(net: Network, given: Inputs, bit_depth: int) -> Planes:
    """What the exported graph computes, by torch in float32."""
    unit, top, dtype = UNIT * 2 ** (bit_depth - 8), 2**bit_depth - 1, dtype_of(bit_depth)
    arrays = [torch.from_numpy(each.astype(np.float32)) for each in given]
    with torch.no_grad():
        if isinstance(net, Fusion):
            y, uv = _fused(net, [each.movedim(-1, 0)[None] for each in arrays], unit)
        else:
            y, uv = _upscaled(net, arrays, unit)
        results = [(each[0] * unit).clamp(0, top).round().numpy().astype(dtype) for each in (y, uv)]
    return results[0][0], results[1].transpose(1, 2, 0)


def _upscaled(net: Upscaler, given: list[Tensor], unit: float) -> tuple[Tensor, Tensor]:
    y, uv, *memory = given
    y_in, past = y[None, None] / unit, None
    if memory:
        past = (memory[0] / unit - y_in) * (memory[1] / 255)
    large, small = net(y_in, uv.permute(2, 0, 1)[None] / unit, past)
    return large, small


def _fused(net: Fusion, given: list[Tensor], unit: float) -> tuple[Tensor, Tensor]:
    *planes, guide = given
    first, last = (torch.cat(planes[n : n + 2], 1) / unit for n in (0, 2))
    made = net(first, last, guide / 255)
    return pixel_shuffle(made[:, :4], 2), made[:, 4:]


def _pictures(model: zoo.Model, height: int, width: int, bit_depth: int) -> Iterator[Inputs]:
    """What exercises an engine: noise, a ramp, flat colours; with all else that the model takes."""
    rng = np.random.default_rng(2)
    top = 2**bit_depth - 1
    for y, uv in _planes(height, width, bit_depth):
        if model.task == "generate":
            first, last = ((_blocks(_near(y, rng, top)), _near(uv, rng, top)) for _ in range(2))
            guide = rng.integers(0, 256, (height // 2, width // 2, 4)).astype(np.uint8)
            yield *first, *last, guide
        elif model.history:
            confidence = rng.integers(0, 256, y.shape).astype(np.uint8)
            yield y, uv, _near(np.stack([y] * model.scale**2), rng, top), confidence
        else:
            yield y, uv


def _near(planes: NDArray[Any], rng: np.random.Generator, top: int) -> NDArray[Any]:
    """Something like it; itself where it is flat."""
    if planes.min() == planes.max():
        return planes
    noise = rng.integers(-9, 10, planes.shape)
    return np.clip(planes.astype(int) + noise, 0, top).astype(planes.dtype)


def _blocks(y: NDArray[Any]) -> NDArray[Any]:
    return np.stack([y[down::2, right::2] for down in (0, 1) for right in (0, 1)], -1)


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

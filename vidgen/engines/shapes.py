"""What the graph of a model takes and gives, by its task; the same for every backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidgen.frame import dtype_of
from vidgen.zoo import Model

__all__ = ["Shapes", "inputs_of", "outputs_of"]

Shapes = dict[str, tuple[tuple[int, ...], np.dtype[Any]]]
"""Name to shape and dtype, in the order in which an engine takes or gives them."""

_BYTE = np.dtype(np.uint8)


def inputs_of(model: Model, width: int, height: int, bit_depth: int) -> Shapes:
    """For pictures of that size; see `vidgen.engines`."""
    dtype = dtype_of(bit_depth)
    half = height // 2, width // 2
    if model.task == "generate":
        sides: Shapes = {}
        for side in ("first", "last"):
            sides |= {f"y_{side}": ((*half, 4), dtype), f"uv_{side}": ((*half, 2), dtype)}
        return {**sides, "guide": ((*half, 4), _BYTE)}
    shapes: Shapes = {"y": ((height, width), dtype), "uv": ((*half, 2), dtype)}
    if model.history:
        shapes["history"] = (model.scale**2, height, width), dtype
        shapes["confidence"] = (height, width), _BYTE
    return shapes


def outputs_of(model: Model, width: int, height: int, bit_depth: int) -> Shapes:
    """The planes that come out."""
    dtype = dtype_of(bit_depth)
    height, width = height * model.scale, width * model.scale
    return {"y": ((height, width), dtype), "uv": ((height // 2, width // 2, 2), dtype)}

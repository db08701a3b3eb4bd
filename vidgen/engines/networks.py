"""Our own networks, known again in their ONNX graphs: as chains for the kernels.

What `vidgen.train` writes is known by its operations, in their order, and by the names of its
weights; any other graph is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.engines.chains import WIDEST, Chain, Parts, build_chain
from vidgen.engines.graphs import Weights, read_graph
from vidgen.engines.packed import HEAD_SCALE
from vidgen.errors import BackendError
from vidgen.zoo import Model

__all__ = ["read_chains"]

_LUMA = 4  # channels of a block


def read_chains(model: Model, bit_depth: int) -> list[Chain]:
    """What to run, one after the other, for planes of that depth.

    Raises BackendError where the model is anything but such chains.
    """
    graph, weights = read_graph(model, bit_depth, "cuda")
    found = {"upscaler": _upscaler, "fusion": _fusion}.get(graph.graph.name)
    operations = [node.op_type for node in graph.graph.node]
    chains = found and found(weights, operations, model, bit_depth)
    if not chains:
        raise BackendError(
            f"--backend cuda runs chains of 3x3 convolutions, at most {WIDEST} channels wide, as "
            f"vidgen trains them, and {model.name} is none; give --backend tensorrt or openvino"
        )
    return chains


def _upscaler(weights: Weights, operations: list[str], model: Model, bit_depth: int) -> list[Chain]:
    """Luma and chroma; nothing where the graph is not that of `vidgen.train.graph`."""
    luma, chroma = Parts(weights, "luma."), Parts(weights, "chroma.")
    if not (luma.whole() and chroma.whole()):
        return []
    known = [
        *_operations_before(luma, bit_depth),
        *_operations(luma, _grid(luma, 1, bit_depth), 1, bit_depth),
        *_operations(chroma, 1, 2, bit_depth),
    ]
    if operations != known:
        return []
    return [_enlarging(part, name, model.scale, bit_depth)
            for part, name in ((luma, "y"), (chroma, "uv"))]  # fmt: skip


def _grid(parts: Parts, planes: int, bit_depth: int) -> int:
    """Pixels along each side of a block: 10-bit codes come as two planes."""
    return isqrt(parts.kernels["head"].shape[1] // (planes if bit_depth == 8 else 2 * planes))


def _operations_before(luma: Parts, bit_depth: int) -> Iterator[str]:
    yield from ["Unsqueeze", "Transpose", "Unsqueeze", "Shape", "Mul", "Shape", "Mul"]
    if luma.past:
        yield from ["Unsqueeze", "Cast", "Cast", "Sub", *["Cast"] * (bit_depth > 8)]
        yield from ["Unsqueeze", "Cast", "Mul", "Mul"]


def _operations(parts: Parts, grid: int, planes: int, bit_depth: int) -> Iterator[str]:
    yield "Cast"
    if bit_depth > 8:
        yield from ["Cast", "Div", "Mul", "Sub", "Cast", "Cast", "Concat"]
    if grid > 1:
        yield "SpaceToDepth"
        if parts.past:
            yield from ["Transpose", "SpaceToDepth", "Shape", "Slice", "Concat", "Reshape"]
    yield from ["Pad", "Conv", *["Conv", "Add"] * parts.past, "Relu"]
    yield from ["Conv", "Relu"] * (len(parts.layers) - 2)
    yield from [*["Add"] * parts.skip, "Conv", *["Conv", "Add"] * parts.past]
    yield from [*["DepthToSpace"] * (grid > 1), *["Concat"] * (planes > 1)]
    yield from ["Add", "Clip", "Round", "Cast", "Transpose", "Squeeze", "Reshape"]
    yield from ["Transpose", "Reshape"]


def _enlarging(parts: Parts, name: str, scale: int, bit_depth: int) -> Chain:
    """The chain from the plane of that name to the enlarged one."""
    planes = 1 if name == "y" else 2
    grid = _grid(parts, planes, bit_depth)
    past = ("history", "confidence") if parts.past else ("", "")
    return build_chain(
        parts,
        kernel="upscale",
        inputs=(name, *past),
        outputs=(name,),
        grid=grid,
        skip=parts.skip,
        constants={
            "PEAK": 2**bit_depth - 1,
            "PLANES": planes,
            "GRID": grid,
            "SCALE": scale,
            "PAST": int(parts.past),
        },
        head=_seeing(parts, planes, grid, bit_depth),
        tail=parts.kernels["tail"],
    )


def _seeing(parts: Parts, planes: int, grid: int, bit_depth: int) -> NDArray[Any]:
    """The first kernel, for codes as they are and then the past.

    The graph splits 10-bit codes for bfloat16; half precision holds each of them, and the kernel
    for their remainders is that for the codes.
    """
    kernel = parts.kernels["head"]
    if bit_depth > 8:
        halves = kernel.reshape(len(kernel), grid**2, 2, planes, 3, 3)
        kernel = halves[:, :, 1].reshape(len(kernel), -1, 3, 3)
    kernels = [kernel, parts.kernels["past"]] if parts.past else [kernel]
    return np.concatenate(kernels, axis=1) * np.float32(HEAD_SCALE)


def _fusion(weights: Weights, operations: list[str], model: Model, bit_depth: int) -> list[Chain]:
    """The one chain; nothing where the graph is not that of `vidgen.train.fusion_graph`."""
    parts = Parts(weights)
    if not parts.whole() or operations != list(_operations_of_fusion(parts)):
        return []
    tail = parts.kernels["tail"]
    pairs = np.stack([tail[:_LUMA], tail[_LUMA:]], axis=1).reshape(tail.shape)
    return [
        build_chain(
            parts,
            kernel="fusion",
            inputs=("y_first", "uv_first", "y_last", "uv_last", "guide"),
            outputs=("y", "uv"),
            grid=1,
            skip=False,
            constants={"PEAK": 2**bit_depth - 1},
            head=parts.kernels["head"] * np.float32(HEAD_SCALE),
            tail=pairs,
        )
    ]


def _operations_of_fusion(parts: Parts) -> Iterator[str]:
    yield from ["Cast", "Transpose", "Unsqueeze"] * 5
    yield from ["Sub", "Sub", "Concat", "Pad", "Conv"]
    yield from ["Relu", "Conv"] * (len(parts.layers) - 1)
    yield from ["Split", "Slice", "Mul", "Slice", "Mul", "Add", "Clip", "Mul", "Add", "Mul", "Add"]
    yield from ["Clip", "Round", "Cast", "Transpose", "Squeeze", "Reshape", "Shape", "Slice"]
    yield from ["Mul", "Transpose", "Reshape", "Mul", "Add", "Clip", "Round", "Cast", "Transpose"]
    yield "Squeeze"

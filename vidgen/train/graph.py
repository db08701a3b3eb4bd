"""The ONNX graph of an upscaler: integer planes in, integer planes out, everything else inside.

    y  -> Pad -> Cast -> luma chain   -> + y   -> Clip -> Round -> Cast -> shuffle -> y_out
    uv -> Pad -> Cast -> chroma chain -> + u,v -> Clip -> Round -> Cast -> shuffle -> uv_out
    (history - y) * confidence -> luma chain

Note on precision: an engine may run all up to the last convolution of a chain in bfloat16 or
float16, and runs the tail (the additions) in float32. The first convolution therefore gets numbers
that are exact in 8 bits of mantissa: 8-bit codes as they are, 10-bit codes as two planes, the code
over four and its remainder, with weights w and w/4.

Note on speed (OpenVINO, measured): the result is cast to integers before it is shuffled, since
moving bytes is four times cheaper than moving floats; channels are never split or sliced.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from vidgen.nets.chain import UNIT, Chain, Conv, Upscaler
from vidgen.train.nodes import Graph, convolution, kernel_of, padded

__all__ = ["build_graph"]


def build_graph(net: Upscaler, bit_depth: int) -> Any:
    """The checked ONNX model of a folded network for planes of 8 or 10 bits; sizes stay open."""
    graph = Graph()
    y = graph("Unsqueeze", "y", graph.constant([0, 1]))
    planar = graph("Transpose", "uv", perm=[2, 0, 1])
    uv = graph("Unsqueeze", planar, graph.constant([0]))
    s = net.scale
    size = graph("Mul", graph("Shape", "y"), graph.constant([s, s]))
    half = graph("Mul", graph("Shape", "uv"), graph.constant([s, s, 1]))
    past = _past(graph, y, bit_depth) if net.history else None
    _chain(graph, net.luma, "luma", y, size, "y_out", bit_depth, past)
    _chain(graph, net.chroma, "chroma", uv, half, "uv_out", bit_depth)
    return graph.model("upscaler", *_ends(net, bit_depth))


def _ends(net: Upscaler, bit_depth: int) -> tuple[list[Any], list[Any]]:
    """Inputs and outputs as engines see them."""
    kind = TensorProto.UINT8 if bit_depth == 8 else TensorProto.UINT16
    info, s = helper.make_tensor_value_info, net.scale
    inputs = [info("y", kind, ["H", "W"]), info("uv", kind, ["H/2", "W/2", 2])]
    if net.history:
        inputs.append(info("history", kind, [s * s, "H", "W"]))
        inputs.append(info("confidence", TensorProto.UINT8, ["H", "W"]))
    half: list[Any] = [f"{s}H/2", f"{s}W/2", 2]
    return inputs, [info("y_out", kind, [f"{s}H", f"{s}W"]), info("uv_out", kind, half)]


def _past(graph: Graph, y: str, bit_depth: int) -> str:
    """What `vidgen.nets.chain.difference` computes, in codes: (1, s * s, H, W) float.

    Codes of 10 bits are subtracted as integers: bfloat16 would round them by up to 4 codes before.
    """
    kind = TensorProto.FLOAT if bit_depth == 8 else TensorProto.INT32
    history = graph("Cast", graph("Unsqueeze", "history", graph.constant([0])), to=kind)
    apart = graph("Sub", history, graph("Cast", y, to=kind))
    if bit_depth > 8:
        apart = graph("Cast", apart, to=TensorProto.FLOAT)
    confidence = graph("Unsqueeze", "confidence", graph.constant([0, 1]))
    trust = graph("Cast", confidence, to=TensorProto.FLOAT)
    return graph("Mul", apart, graph("Mul", trust, graph.constant(1 / 255, np.float32)))


def _chain(
    graph: Graph,
    chain: Chain,
    name: str,
    codes: str,
    size: str,
    output: str,
    bit_depth: int,
    past: str | None = None,
) -> None:
    """From integer `codes` (1, P, H, W) to the enlarged planes of shape `size`, named `output`."""
    planes, top = chain.planes, 2**bit_depth - 1
    features, base = _inputs(graph, codes, bit_depth)
    if chain.grid > 1:
        features = graph("SpaceToDepth", features, blocksize=chain.grid)
        past = past and _unshuffled(graph, past, chain)
    features = padded(graph, features)
    residual = _convolutions(graph, chain, name, features, past, bit_depth)
    if chain.grid > 1:
        residual = graph("DepthToSpace", residual, blocksize=chain.grid, mode="CRD")
    if planes > 1:  # one plane is added to all its channels by broadcast
        base = graph("Concat", *[base] * chain.scale**2, axis=1)
    total = graph("Add", residual, base)
    limits = graph.constant(0, np.float32), graph.constant(top, np.float32)
    total = graph("Round", graph("Clip", total, *limits))
    kind = TensorProto.UINT8 if bit_depth == 8 else TensorProto.UINT16
    _shuffle(graph, graph("Cast", total, to=kind), chain, size, output)


def _inputs(graph: Graph, codes: str, bit_depth: int) -> tuple[str, str]:
    """What the first convolution sees, and what the residual is added to, both float."""
    base = graph("Cast", codes, to=TensorProto.FLOAT)
    if bit_depth == 8:
        return base, base
    whole = graph("Cast", codes, to=TensorProto.INT32)
    four = graph.constant(4, np.int32)
    high = graph("Div", whole, four)
    low = graph("Sub", whole, graph("Mul", high, four))
    parts = (graph("Cast", part, to=TensorProto.FLOAT) for part in (high, low))
    return graph("Concat", *parts, axis=1), base


def _unshuffled(graph: Graph, past: str, chain: Chain) -> str:
    """As `pixel_unshuffle` by the grid, which puts the channel before the position in the block.

    ONNX does not. For one channel both are the same; so the channels go through as a batch.
    """
    count = chain.scale**2
    alone = graph("Transpose", past, perm=[1, 0, 2, 3])
    blocks = graph("SpaceToDepth", alone, blocksize=chain.grid)
    shape = graph.constant([1, count * chain.grid**2])
    sides = graph("Slice", graph("Shape", blocks), graph.constant([2]), graph.constant([4]))
    return graph("Reshape", blocks, graph("Concat", shape, sides, axis=0))


def _convolutions(
    graph: Graph, chain: Chain, name: str, features: str, past: str | None, bit_depth: int
) -> str:
    """The chain itself; codes in, codes out. `UNIT` and the bit depth go into the outer kernels."""
    codes = UNIT * 2 ** (bit_depth - 8)  # a unit
    kernel = _split(chain, kernel_of(chain.head), bit_depth)
    features = convolution(graph, f"{name}.head", features, kernel, chain.head.bias, pad=0)
    if past and chain.past is not None:
        kernel = kernel_of(chain.past) / np.float32(codes)
        features = graph("Add", features, convolution(graph, f"{name}.past", past, kernel, None))
    first = features = graph("Relu", features)
    for number, layer in enumerate(chain.body):
        assert isinstance(layer, Conv)
        place = f"{name}.body.{number}"
        features = graph("Relu", convolution(graph, place, features, kernel_of(layer), layer.bias))
    if chain.skips:
        features = graph("Add", features, first)
    kernel = kernel_of(chain.tail) * codes
    if chain.planes > 1:  # channels go plane by plane in training, position by position here
        kernel = kernel.reshape(chain.planes, -1, *kernel.shape[1:]).swapaxes(0, 1)
        kernel = kernel.reshape(-1, *kernel.shape[2:])
    residual = convolution(graph, f"{name}.tail", features, kernel, None)
    if past and chain.recall is not None:
        recalled = convolution(graph, f"{name}.recall", past, kernel_of(chain.recall), None)
        residual = graph("Add", residual, recalled)
    return residual


def _split(chain: Chain, kernel: NDArray[np.float32], bit_depth: int) -> NDArray[np.float32]:
    """The first kernel for the planes of `_inputs`: all codes over four, then all remainders.

    SpaceToDepth puts the position in the block before the plane, so packed kernels are reordered.
    """
    kernel = kernel / np.float32(UNIT)
    if bit_depth > 8:
        outputs, g = len(kernel), chain.grid
        blocks = kernel.reshape(outputs, chain.planes, g * g, 3, 3)
        both = np.concatenate([blocks, blocks / 4], axis=1)
        return both.swapaxes(1, 2).reshape(outputs, -1, 3, 3)
    return kernel


def _shuffle(graph: Graph, channels: str, chain: Chain, size: str, output: str) -> None:
    """(1, s s P, H, W), channel `P (s a + b) + p`, to (sH, sW) or (sH, sW, P): rows s i + a."""
    planes, s = chain.planes, chain.scale
    last = graph("Transpose", channels, perm=[0, 2, 3, 1])
    last = graph("Squeeze", last, graph.constant([0]))
    inner = [] if planes == 1 else [planes]
    blocks = graph("Reshape", last, graph.constant([0, 0, s, s, *inner]))
    order = [0, 2, 1, 3, 4][: 4 + len(inner)]
    graph("Reshape", graph("Transpose", blocks, perm=order), size, name=output)

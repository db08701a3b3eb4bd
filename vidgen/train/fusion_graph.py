"""The ONNX graph of a network that makes frames: two candidates and their guide in, planes out.

    y, uv of first and last -> Cast -> Transpose -> chain -> shares and residuals
    luma:   first + share * (last - first) + residual * gate -> Clip -> Round -> Cast -> unblocked
    chroma: first + weight * (last - first)                  -> Clip -> Round -> Cast

Note on precision: codes of 8 bits are exact in bfloat16, and 10-bit ones enter the chain as codes
over four; the mix itself, after the last convolution, is computed in float32 from all bits.

Note on speed (OpenVINO, 540p, measured): luma and chroma apart from the start, and one last
convolution that is split, take 0.75 of the time of joined bytes and two last convolutions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper

from vidgen.nets.chain import UNIT, Conv
from vidgen.nets.fusion import GUIDES, PLANES, Fusion
from vidgen.train.nodes import Graph, convolution, kernel_of, padded

__all__ = ["INPUTS", "build_fusion_graph"]

INPUTS = ("y_first", "uv_first", "y_last", "uv_last", "guide")
"""In the order of `vidgen.motion.Candidates.arrays`."""

_LUMA = 4  # channels of a block


def build_fusion_graph(net: Fusion, bit_depth: int) -> Any:
    """The checked ONNX model of a folded network for planes of 8 or 10 bits; sizes stay open."""
    graph = Graph()
    y, uv, y_last, uv_last, guide = (_planar(graph, name) for name in INPUTS)
    y_step, uv_step = graph("Sub", y_last, y), graph("Sub", uv_last, uv)
    out = _chain(graph, net, (y, uv, y_step, uv_step, guide), bit_depth)
    moved, residual = _split(graph, out, (_LUMA, _LUMA))
    weight, gate = _part(graph, guide, 0), _part(graph, guide, GUIDES - 1)
    zero, one = (graph.constant(value, np.float32) for value in (0, 1))
    share = graph("Clip", graph("Add", moved, weight), zero, one)
    luma = graph("Add", _mixed(graph, y, y_step, share), graph("Mul", residual, gate))
    _unblocked(graph, _codes(graph, luma, bit_depth))
    chroma = _codes(graph, _mixed(graph, uv, uv_step, weight), bit_depth)
    graph("Squeeze", chroma, graph.constant([0]), name="uv")
    return graph.model("fusion", *_ends(bit_depth))


def _planar(graph: Graph, name: str) -> str:
    """(h, w, c) integers as (1, c, h, w) float."""
    planar = graph("Transpose", graph("Cast", name, to=TensorProto.FLOAT), perm=[2, 0, 1])
    return graph("Unsqueeze", planar, graph.constant([0]))


def _chain(graph: Graph, net: Fusion, seen: tuple[str, ...], bit_depth: int) -> str:
    """The convolutions; the units of inputs and residuals go into the outer kernels."""
    unit = UNIT * 2 ** (bit_depth - 8)  # codes
    kernel = net.head_kernel().detach().numpy().copy()
    kernel[:, : 2 * PLANES] /= unit
    kernel[:, 2 * PLANES :] /= 255
    features = padded(graph, graph("Concat", *seen, axis=1))
    features = convolution(graph, "head", features, kernel, net.head.bias, pad=0)
    for number, layer in enumerate(net.body):
        assert isinstance(layer, Conv)
        features = graph("Relu", features)
        features = convolution(graph, f"body.{number}", features, kernel_of(layer), layer.bias)
    kernel = kernel_of(net.tail).copy()
    kernel[-_LUMA:] *= unit
    return convolution(graph, "tail", graph("Relu", features), kernel, None)


def _split(graph: Graph, channels: str, sizes: tuple[int, ...]) -> list[str]:
    names = [f"part_{number}" for number in range(len(sizes))]
    given = [channels, graph.constant(sizes)]
    graph.nodes.append(helper.make_node("Split", given, names, name="split", axis=1))
    return names


def _part(graph: Graph, guide: str, channel: int) -> str:
    """One channel of the guide, in [0, 1]."""
    ends = (graph.constant([value]) for value in (channel, channel + 1, 1))
    return graph("Mul", graph("Slice", guide, *ends), graph.constant(1 / 255, np.float32))


def _mixed(graph: Graph, first: str, step: str, share: str) -> str:
    return graph("Add", first, graph("Mul", share, step))


def _codes(graph: Graph, planes: str, bit_depth: int) -> str:
    """(1, c, h, w) float as (1, h, w, c) integers."""
    ends = (graph.constant(value, np.float32) for value in (0, 2**bit_depth - 1))
    codes = graph("Round", graph("Clip", planes, *ends))
    kind = TensorProto.UINT8 if bit_depth == 8 else TensorProto.UINT16
    return graph("Transpose", graph("Cast", codes, to=kind), perm=[0, 2, 3, 1])


def _unblocked(graph: Graph, blocks: str) -> None:
    """(1, h, w, 4) as (2 h, 2 w), named `y`."""
    last = graph("Squeeze", blocks, graph.constant([0]))
    pairs = graph("Reshape", last, graph.constant([0, 0, 2, 2]))
    sides = graph("Slice", graph("Shape", "y_first"), graph.constant([0]), graph.constant([2]))
    size = graph("Mul", sides, graph.constant([2, 2]))
    graph("Reshape", graph("Transpose", pairs, perm=[0, 2, 1, 3]), size, name="y")


def _ends(bit_depth: int) -> tuple[list[Any], list[Any]]:
    """Inputs and outputs as engines see them."""
    kind = TensorProto.UINT8 if bit_depth == 8 else TensorProto.UINT16
    info = helper.make_tensor_value_info
    channels = (4, 2, 4, 2, GUIDES)
    inputs = [
        info(name, TensorProto.UINT8 if name == "guide" else kind, ["H/2", "W/2", count])
        for name, count in zip(INPUTS, channels, strict=True)
    ]
    return inputs, [info("y", kind, ["H", "W"]), info("uv", kind, ["H/2", "W/2", 2])]

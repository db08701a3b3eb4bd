"""SRVGGNetCompact from its weights: the plain network of Real-ESRGAN's video models and others.

    body.0 conv 3 -> C, body.1 PReLU, (conv C -> C, PReLU) ..., last conv C -> 3 scale^2,
    pixel shuffle, plus the picture itself, every pixel repeated

X. Wang et al., "Real-ESRGAN", ICCVW 2021, and its code (BSD-3).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vidgen.adopt.wrap import OPSET
from vidgen.errors import ModelError

__all__ = ["compact_graph"]

_IR = 9


def compact_graph(weights: Mapping[str, NDArray[Any]], name: str, shrink: float = 1.0) -> Any:
    """The ONNX model, RGB to RGB, of weights `body.<n>.weight|bias`. Raises ModelError.

    With `shrink` below 1, what comes out is made smaller by it (cubic, a = -0.75), as the x2 and x3
    models of Real-ESRGAN do, which enlarge by 4 first.
    """
    layers = _layers(weights, name)
    scale = isqrt(layers[-1].shape[0] // 3)
    constants = {key: np.asarray(value, np.float32) for key, value in weights.items()}
    nodes, current = [], "picture"
    for number, weight in enumerate(layers):
        key, made = f"body.{number}", f"features_{number}"
        if weight.ndim == 4:
            inputs = [current, f"{key}.weight", f"{key}.bias"]
            nodes.append(
                helper.make_node("Conv", inputs, [made], kernel_shape=[3, 3], pads=[1] * 4)
            )
        else:  # ONNX broadcasts slopes from the right: one a channel is (C, 1, 1)
            constants[f"{key}.weight"] = constants[f"{key}.weight"].reshape(-1, 1, 1)
            nodes.append(helper.make_node("PRelu", [current, f"{key}.weight"], [made]))
        current = made
    nodes += [
        helper.make_node("DepthToSpace", [current], ["added"], blocksize=scale, mode="CRD"),
        helper.make_node(
            "Resize", ["picture", "", "scales"], ["repeated"], mode="nearest",
            coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        ),
        helper.make_node("Add", ["added", "repeated"], ["enlarged"]),
    ]  # fmt: skip
    if shrink != 1:
        nodes[-1].output[0] = "large"
        inputs = ["large", "", "shrink"]
        cubic = helper.make_node("Resize", inputs, ["enlarged"], mode="cubic", cubic_coeff_a=-0.75)
        nodes.append(cubic)
        constants["shrink"] = np.array([1, 1, shrink, shrink], np.float32)
    constants["scales"] = np.array([1, 1, scale, scale], np.float32)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        name,
        [info("picture", TensorProto.FLOAT, [1, 3, "H", "W"])],
        [info("enlarged", TensorProto.FLOAT, [1, 3, "sH", "sW"])],
        [numpy_helper.from_array(value, key) for key, value in constants.items()],
    )
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=_IR)


def _layers(weights: Mapping[str, NDArray[Any]], name: str) -> list[NDArray[Any]]:
    """The weights of all layers in order, checked to be that network and nothing else."""
    layers = [weights.get(f"body.{number}.weight") for number in range(len(weights))]
    found = [layer for layer in layers if layer is not None]
    convolutions, slopes = found[0::2], found[1::2]
    plain = (
        len(found) >= 3
        and len(found) % 2 == 1
        and set(weights) == _names(len(found))
        and all(layer.ndim == 4 and layer.shape[2:] == (3, 3) for layer in convolutions)
        and all(layer.ndim == 1 for layer in slopes)
        and found[0].shape[1] == 3
        and found[-1].shape[0] == 3 * isqrt(found[-1].shape[0] // 3) ** 2
    )
    if not plain:
        some = ", ".join(sorted(weights)[:3])
        raise ModelError(
            f"{name}: holds weights ({some}, ...) of a network that is not known here; of "
            "safetensors, SRVGGNetCompact with PReLU can be added; export others to ONNX"
        )
    return found


def _names(layers: int) -> set[str]:
    names = {f"body.{number}.weight" for number in range(layers)}
    return names | {f"body.{number}.bias" for number in range(0, layers, 2)}

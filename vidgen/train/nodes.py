"""The pieces that ONNX graphs of all tasks are built from."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from vidgen.nets.chain import Conv

__all__ = ["Graph", "convolution", "kernel_of", "padded"]

_OPSET = 17
_IR = 9


class Graph:
    """Nodes and constants as they are added; every call returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def __call__(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node; its only result."""
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, value: Any, dtype: Any = np.int64, name: str = "") -> str:
        """Add a constant; weights need a name."""
        name = name or f"constant_{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(np.array(value, dtype), name)
        return name

    def model(self, name: str, inputs: list[Any], outputs: list[Any]) -> Any:
        """All of it, checked."""
        model = helper.make_model(
            helper.make_graph(self.nodes, name, inputs, outputs, list(self.constants.values())),
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR,
            producer_name="vidgen",
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def padded(graph: Graph, planes: str) -> str:
    """(1, P, H, W) with its edges repeated by one pixel."""
    return graph("Pad", planes, graph.constant([0, 0, 1, 1, 0, 0, 1, 1]), mode="edge")


def kernel_of(layer: Conv) -> NDArray[np.float32]:
    """The weights of a folded convolution."""
    return np.asarray(layer.weight.detach().numpy(), np.float32)


def convolution(
    graph: Graph, name: str, features: str, kernel: NDArray[np.float32], bias: Any, pad: int = 1
) -> str:
    """A 3x3 convolution, `pad` zeros around."""
    inputs = [features, graph.constant(kernel, np.float32, f"{name}.weight")]
    if bias is not None:
        inputs.append(graph.constant(bias.detach().numpy(), np.float32, f"{name}.bias"))
    return graph("Conv", *inputs, name=name, kernel_shape=[3, 3], pads=[pad] * 4)

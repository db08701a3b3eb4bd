"""An ONNX graph of RGB pictures put between planes: 4:2:0 in, 4:2:0 out, all conversion inside.

    y  -> Cast -----------------+
    uv -> Cast -> Resize x2 ----+-> matrix -> network -> matrix -> Clip -> Round -> Cast -> y_out
                                                            +-> AveragePool 2x2 -> ... -> uv_out

The network sees R'G'B' by BT.709 from limited range, with 0 and 1 as black and white, unclipped, so
that what lies outside comes back. The same matrix leads back: for film of another matrix or range
the network sees slightly other colours than it should, and what comes out is still right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper, version_converter
from onnx.reference import ReferenceEvaluator

from vidgen.errors import ModelError

__all__ = ["OPSET", "Network", "open_network", "wrapped"]

OPSET = 17
_IR = 9
_PROBE = 64, 96  # rows and columns of a picture whose enlargement tells the scale
_TINY = 16, 24  # the same where the network has to be run, which is slow
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)
_RED, _BLUE = 0.2126, 0.0722  # weights in luma, BT.709


@dataclass(frozen=True)
class Network:
    """An RGB network: (1, 3, H, W) to (1, 3, scale H, scale W), [0, 1]."""

    model: Any
    """The ONNX ModelProto, at `OPSET`."""
    scale: int

    @property
    def parameters(self) -> int:
        """Numbers among its constants."""
        return sum(
            int(np.prod(each.dims))
            for each in self.model.graph.initializer
            if each.data_type in _FLOATS
        )

    @property
    def macs_per_pixel(self) -> int:
        """Of its convolutions, a pixel of the input; 0 where their sizes are not told."""
        return _macs(self.model)


def open_network(model: Any, name: str) -> Network:
    """Check that `model` (an ONNX ModelProto) is such a network. Raises ModelError."""
    try:
        onnx.checker.check_model(model)
        if _opset(model) != OPSET:
            model = version_converter.convert_version(model, OPSET)
    except (onnx.checker.ValidationError, RuntimeError, ValueError) as error:
        raise ModelError(f"{name}: no valid ONNX graph ({_first_line(error)})") from None
    constants = {each.name for each in model.graph.initializer}
    inputs = [each for each in model.graph.input if each.name not in constants]
    shapes = [_shape(each) for each in inputs]
    if len(inputs) != 1 or len(model.graph.output) != 1 or len(shapes[0]) != 4:
        raise ModelError(
            f"{name}: takes {len(inputs)} inputs {shapes} and gives {len(model.graph.output)}; a "
            "network of one RGB picture (1, 3, H, W) in and one out can be added"
        )
    if shapes[0][1] not in (3, None) or inputs[0].type.tensor_type.elem_type not in _FLOATS:
        raise ModelError(f"{name}: takes {shapes[0]}; float RGB (1, 3, H, W) can be added")
    small, large = _enlarged(model, inputs[0])
    scale = large[2] // small[2] if len(large) == 4 else 0
    if not scale or large != [1, 3, *(side * scale for side in small[2:])]:
        made = f"makes {large} of {small}" if large else f"cannot take {small}"
        raise ModelError(
            f"{name}: {made}; RGB enlarged by a whole factor can be added, from a graph exported "
            "with open height and width"
        )
    return Network(model, scale)


def _enlarged(model: Any, into: Any) -> tuple[list[int], list[int]]:
    """Shapes of a picture and of what the network makes of it; [] where it cannot take it.

    Told from the graph alone where that is possible, else by running it on a smaller picture.
    """
    large = _shape(_inferred(model, into.name, _PROBE).graph.output[0])
    if len(large) == 4 and None not in large[1:]:
        return [1, 3, *_PROBE], [1, *large[1:]]
    small = 1, 3, *_TINY
    half = into.type.tensor_type.elem_type == TensorProto.FLOAT16
    picture = np.zeros(small, np.float16 if half else np.float32)
    try:
        (made,) = ReferenceEvaluator(model).run(None, {into.name: picture})
    except (ValueError, IndexError, TypeError, RuntimeError, NotImplementedError):
        return list(small), []
    return list(small), list(np.shape(made))


def wrapped(network: Network, bit_depth: int) -> Any:
    """The checked ONNX model of the network between planes of that depth; sizes stay open."""
    kind = TensorProto.UINT8 if bit_depth == 8 else TensorProto.UINT16
    inner = _opened(network)
    into, out_of = inner.graph.input[0], inner.graph.output[0]
    graph = _Graph(bit_depth)
    graph.before(into)
    nodes_before, graph.nodes = graph.nodes, []
    graph.after(out_of, kind)
    info = helper.make_tensor_value_info
    model = helper.make_model(
        helper.make_graph(
            [*nodes_before, *inner.graph.node, *graph.nodes],
            "wrapped",
            [info("y", kind, ["H", "W"]), info("uv", kind, ["H/2", "W/2", 2])],
            [info("y_out", kind, ["sH", "sW"]), info("uv_out", kind, ["sH/2", "sW/2", 2])],
            [*inner.graph.initializer, *graph.constants],
        ),
        opset_imports=list(inner.opset_import),
        functions=list(inner.functions),
        ir_version=_IR,
        producer_name="vidgen",
    )
    onnx.checker.check_model(model)
    return model


class _Graph:
    """The nodes around the network, and their constants."""

    def __init__(self, bit_depth: int) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._unit, self._top = 2.0 ** (bit_depth - 8), 2.0**bit_depth - 1

    def __call__(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or f"around_{len(self.constants)}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def before(self, into: Any) -> None:
        """From `y` and `uv` to the network's input."""
        y = self("Unsqueeze", self("Cast", "y", to=TensorProto.FLOAT), self.constant([0, 1]))
        planar = self("Transpose", self("Cast", "uv", to=TensorProto.FLOAT), perm=[2, 0, 1])
        uv = self("Unsqueeze", planar, self.constant([0]))
        scales = self.constant([1, 1, 2, 2], np.float32)
        mode = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        uv = self("Resize", uv, "", scales, **mode)
        yuv = self("Concat", y, uv, axis=1)
        matrix, offset = _to_rgb(self._unit)
        weights = self.constant(matrix[:, :, None, None], np.float32)
        half = into.type.tensor_type.elem_type == TensorProto.FLOAT16
        rgb = self(
            "Conv", yuv, weights, self.constant(offset, np.float32), name="" if half else into.name
        )
        if half:
            self("Cast", rgb, to=TensorProto.FLOAT16, name=into.name)

    def after(self, out_of: Any, kind: int) -> None:
        """From the network's output to `y_out` and `uv_out`."""
        rgb = out_of.name
        if out_of.type.tensor_type.elem_type == TensorProto.FLOAT16:
            rgb = self("Cast", rgb, to=TensorProto.FLOAT)
        matrix, offset = _to_rgb(self._unit)
        back = np.linalg.inv(matrix)
        weights, bias = back[:, :, None, None], -back @ offset
        y, uv = (
            self(
                "Conv",
                rgb,
                self.constant(weights[part], np.float32),
                self.constant(bias[part], np.float32),
            )
            for part in (slice(0, 1), slice(1, 3))
        )
        uv = self("AveragePool", uv, kernel_shape=[2, 2], strides=[2, 2])
        planar = self("Squeeze", self._codes(uv, kind), self.constant([0]))
        self("Squeeze", self._codes(y, kind), self.constant([0, 1]), name="y_out")
        self("Transpose", planar, perm=[1, 2, 0], name="uv_out")

    def _codes(self, values: str, kind: int) -> str:
        limits = self.constant(0, np.float32), self.constant(self._top, np.float32)
        return self("Cast", self("Round", self("Clip", values, *limits)), to=kind)


def _to_rgb(unit: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrix (3, 3) and offset (3,) from codes of Y, U, V, limited range, to R'G'B' in [0, 1]."""
    green = 1 - _RED - _BLUE
    red_v, blue_u = 2 * (1 - _RED), 2 * (1 - _BLUE)
    plain = np.array(
        [[1, 0, red_v], [1, -_BLUE * blue_u / green, -_RED * red_v / green], [1, blue_u, 0]]
    )
    matrix = plain / (unit * np.array([219, 224, 224]))
    return matrix, -matrix @ (unit * np.array([16, 128, 128]))


def _opened(network: Network) -> Any:
    """A copy of the network with names of its own, and open height and width."""
    model = compose.add_prefix(network.model, "net/")
    constants = {each.name for each in model.graph.initializer}
    for each in [each for each in model.graph.input if each.name in constants]:
        model.graph.input.remove(each)  # old files list their weights as inputs, too
    del model.graph.value_info[:]
    return model


def _inferred(model: Any, name: str, size: tuple[int, int]) -> Any:
    """`model` with all shapes that follow from a picture of that size."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    del fixed.graph.value_info[:]
    for value in (*fixed.graph.input, *fixed.graph.output):
        if value.name == name:
            _set_shape(value, (1, 3, *size))
        elif value in fixed.graph.output:
            value.type.tensor_type.ClearField("shape")
    try:
        return onnx.shape_inference.infer_shapes(fixed, data_prop=True)
    except onnx.shape_inference.InferenceError as error:
        raise ModelError(f"its shapes contradict each other ({_first_line(error)})") from None


def _macs(model: Any) -> int:
    """Multiply-accumulates of its convolutions for each pixel of the input."""
    constants = {each.name: list(each.dims) for each in model.graph.initializer}
    inputs = [each.name for each in model.graph.input if each.name not in constants]
    inferred = _inferred(model, inputs[0], _PROBE).graph
    shapes = {each.name: _shape(each) for each in (*inferred.value_info, *inferred.output)}
    total = 0
    for node in model.graph.node:
        made = shapes.get(node.output[0], []) if node.op_type == "Conv" else []
        if len(made) == 4 and None not in made[2:]:
            total += int(np.prod(constants.get(node.input[1], [0]))) * made[2] * made[3]
    return round(total / (_PROBE[0] * _PROBE[1]))


def _shape(value: Any) -> list[Any]:
    """Its sides; None where one is open."""
    dims = value.type.tensor_type.shape.dim
    return [each.dim_value if each.HasField("dim_value") else None for each in dims]


def _set_shape(value: Any, shape: tuple[int, ...]) -> None:
    for dim, side in zip(value.type.tensor_type.shape.dim, shape, strict=True):
        dim.dim_value = side


def _opset(model: Any) -> int:
    return next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 0)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0][:200]

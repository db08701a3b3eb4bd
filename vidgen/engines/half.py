"""A graph for processors of half precision: convolutions in float16, all that must be exact not.

TensorRT takes precision from the graph alone and knows no uint16, and of uint8 only the way in and
out. So planes are cast where they come in, to float16, which holds every code of 8 and 10 bits
exactly, and where they go out; 10-bit planes cross the border as float16. Skips, differences to the
past, clamping and rounding stay in float32 as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vidgen.engines.shapes import Shapes

__all__ = ["half_graph", "wire_dtype"]

_HALF, _FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT
_PLANES = (TensorProto.UINT8, TensorProto.UINT16)
_MOVES = (
    "Concat", "DepthToSpace", "Pad", "Reshape", "Slice", "SpaceToDepth", "Squeeze", "Transpose",
    "Unsqueeze",
)  # fmt: skip
"""Operations that move values without a change."""
_IN_HALF = ("Add", "Relu", "Conv")
"""Operations that are done in float16 where all that they take is."""

Weights = Mapping[str, NDArray[Any]]


def wire_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """As what planes of that dtype cross the border of the graph."""
    return np.dtype(np.uint8 if dtype.itemsize == 1 else np.float16)


def half_graph(model: Any, inputs: Shapes, outputs: Shapes, weights: Weights | None = None) -> Any:
    """The checked ONNX model for pictures of exactly the sizes of `inputs` and `outputs`.

    `model` is an ONNX ModelProto as `models/` holds them; `weights` replace its own by name.
    """
    return _Rewrite(model, inputs, outputs, weights or {}).model()


class _Rewrite:
    """One pass over the nodes, in their order, that knows the type of every value."""

    def __init__(self, model: Any, inputs: Shapes, outputs: Shapes, weights: Weights) -> None:
        self._source = model.graph
        self._eight = model.graph.output[0].type.tensor_type.elem_type == TensorProto.UINT8
        self._opset = model.opset_import
        self._ir = model.ir_version
        self._inputs, self._outputs = inputs, outputs
        self._constants = {each.name: each for each in model.graph.initializer}
        for name, value in weights.items():
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        self._types = {name: each.data_type for name, each in self._constants.items()}
        self._nodes: list[Any] = []
        self._renamed: dict[str, str] = {}

    def model(self) -> Any:
        """See `half_graph`."""
        given = [self._input(name) for name in self._inputs]
        for node in self._source.node:
            self._take(node)
        ends = zip(self._source.output, self._outputs.values(), strict=True)
        made = [self._output(info.name, shape) for info, (shape, _) in ends]
        constants = [self._constants[name] for name in sorted(self._used())]
        result = helper.make_model(
            helper.make_graph(self._nodes, self._source.name, given, made, constants),
            opset_imports=list(self._opset),
            ir_version=self._ir,
            producer_name="vidgen",
        )
        onnx.checker.check_model(result, full_check=True)
        return result

    def _input(self, name: str) -> Any:
        """A plane as it comes in, and its cast."""
        shape, dtype = self._inputs[name]
        kind = helper.np_dtype_to_tensor_dtype(wire_dtype(dtype))
        inner = f"{name}_half"
        if kind == _HALF:
            inner = name
        else:
            self._nodes.append(helper.make_node("Cast", [name], [inner], inner, to=_HALF))
        self._renamed[name], self._types[name] = inner, _HALF
        return helper.make_tensor_value_info(name, kind, list(shape))

    def _output(self, name: str, shape: tuple[int, ...]) -> Any:
        """A plane as it goes out, and its cast where that is not float16."""
        kind = TensorProto.UINT8 if self._eight else _HALF
        node = helper.make_node("Cast", [self._now(name)], [name], f"{name}_out", to=kind)
        self._nodes.append(node)
        return helper.make_tensor_value_info(name, kind, list(shape))

    def _take(self, node: Any) -> None:
        """One node of the source, with all casts that it needs."""
        kind, inputs, attributes = node.op_type, list(node.input), list(node.attribute)
        float_inputs = [name for name in inputs if self._types.get(name) in (_HALF, _FLOAT)]
        live = [name for name in float_inputs if name not in self._constants]
        result = self._types.get(inputs[0], 0) if inputs else 0
        if kind == "Cast":
            to = node.attribute[0].i
            result = _HALF if to in _PLANES else to
            attributes = [helper.make_attribute("to", result)]
            inputs = [self._now(name) for name in inputs]
        elif kind == "Conv" or (kind in _IN_HALF and all(map(self._is_half, live))):
            inputs = [self._as(name, _HALF) for name in inputs]
            result = _HALF
        elif kind in _MOVES and len({self._types[name] for name in live}) == 1:
            inputs = [self._now(name) for name in inputs]
            result = self._types[live[0]]
        elif kind == "Shape":
            inputs, result = [self._now(name) for name in inputs], TensorProto.INT64
        else:
            inputs = [self._as(name, _FLOAT) for name in inputs]
            result = _FLOAT if float_inputs else result
        outputs = [self._inner(name) for name in node.output]
        made = helper.make_node(kind, inputs, outputs, node.name)
        made.attribute.extend(attributes)
        self._nodes.append(made)
        self._types.update(dict.fromkeys(node.output, result))

    def _inner(self, name: str) -> str:
        """The name of a value that the source may give out: its own is that of the last cast."""
        if any(name == each.name for each in self._source.output):
            self._renamed[name] = f"{name}_inner"
        return self._now(name)

    def _now(self, name: str) -> str:
        return self._renamed.get(name, name)

    def _is_half(self, name: str) -> bool:
        return self._types.get(name) == _HALF

    def _as(self, name: str, kind: int) -> str:
        """That value in float16 or float32; what is neither stays."""
        own = self._types.get(name)
        if own not in (_HALF, _FLOAT) or own == kind:
            return self._now(name)
        cast = f"{name}_{'half' if kind == _HALF else 'float'}_cast"
        if name in self._constants:
            return self._constant(name, cast, kind)
        if cast not in self._types:
            node = helper.make_node("Cast", [self._now(name)], [cast], cast, to=kind)
            self._nodes.append(node)
            self._types[cast] = kind
        return cast

    def _constant(self, name: str, cast: str, kind: int) -> str:
        to: Callable[..., Any] = np.float16 if kind == _HALF else np.float32
        value = numpy_helper.to_array(self._constants[name])
        self._constants[cast] = numpy_helper.from_array(to(value), cast)
        return cast

    def _used(self) -> set[str]:
        return {name for node in self._nodes for name in node.input if name in self._constants}

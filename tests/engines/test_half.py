"""The half-precision graph computes what the float32 one does, and TensorRT's rules are kept."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from vidgen import zoo
from vidgen.engines.half import half_graph, wire_dtype
from vidgen.engines.shapes import inputs_of, outputs_of

WIDTH, HEIGHT = 24, 16
SHIPPED = zoo.names(zoo.models_folder())


@pytest.fixture(scope="module", params=SHIPPED)
def model(request):
    return zoo.load(request.param)


@pytest.fixture(scope="module", params=[8, 10])
def depth(request):
    return request.param


@pytest.fixture(scope="module")
def graphs(model, depth):
    """As shipped, and in half precision."""
    source = onnx.load(model.onnx(depth))
    sizes = model, WIDTH, HEIGHT, depth
    return source, half_graph(source, inputs_of(*sizes), outputs_of(*sizes))


def inputs(model, depth, flat=None):
    """Smooth noise for every input, or one colour."""
    generator, top = np.random.default_rng(4), (1 << depth) - 1
    base = np.kron(generator.random((HEIGHT // 4, WIDTH // 4)), np.ones((4, 4)))
    given = {}
    for name, (shape, dtype) in inputs_of(model, WIDTH, HEIGHT, depth).items():
        if name in ("confidence", "guide"):
            given[name] = generator.integers(0, 256, shape).astype(dtype)
        elif flat is not None:
            given[name] = np.full(shape, flat, dtype)
        else:
            near = np.resize(base, shape) * top * 0.9 + generator.integers(0, 9, shape)
            given[name] = np.clip(near, 0, top).astype(dtype)
    return given


def run(graph, given):
    return ReferenceEvaluator(graph).run(None, given)


def on_the_wire(given):
    return {name: plane.astype(wire_dtype(plane.dtype)) for name, plane in given.items()}


def test_at_most_a_code_apart(graphs, model, depth):
    """Of 8 bits; NumPy sums in float16 here, where a GPU does in float32."""
    source, half = graphs
    given = inputs(model, depth)
    for wanted, got in zip(run(source, given), run(half, on_the_wire(given)), strict=True):
        apart = np.abs(wanted.astype(float) - got.astype(float)) / 2 ** (depth - 8)
        assert apart.max() <= 1
        assert got.dtype == wire_dtype(wanted.dtype)


def test_flat_colours_stay_exact(graphs, model, depth):
    if model.task == "generate":
        pytest.skip("makes no larger picture")
    for level in (0, 1, 100, (1 << depth) - 1):
        for plane in run(graphs[1], on_the_wire(inputs(model, depth, flat=level))):
            assert (plane == level).all()


def test_bytes_are_cast_before_anything_else_and_last(graphs):
    half = graphs[1].graph
    bytes_in = {each.name for each in half.input if each.type.tensor_type.elem_type == 2}
    for node in half.node:
        if bytes_in & {*node.input}:
            assert node.op_type == "Cast"
    kinds = {each.type.tensor_type.elem_type for each in (*half.input, *half.output)}
    assert kinds <= {TensorProto.UINT8, TensorProto.FLOAT16}


def test_convolutions_are_in_half_and_roundings_are_not(graphs):
    typed = onnx.shape_inference.infer_shapes(graphs[1], strict_mode=True).graph
    kinds = {each.name: each.type.tensor_type.elem_type for each in typed.value_info}
    made = {
        kind: {kinds[node.output[0]] for node in typed.node if node.op_type == kind}
        for kind in ("Conv", "Clip", "Round")
    }
    assert made["Conv"] == {TensorProto.FLOAT16}
    assert made["Clip"] <= {TensorProto.FLOAT}
    assert made["Round"] == {TensorProto.FLOAT}


def test_weights_can_be_replaced(model, depth):
    source = onnx.load(model.onnx(depth))
    sizes = model, WIDTH, HEIGHT, depth
    name = next(each.name for each in source.graph.initializer if each.name.endswith(".weight"))
    own = next(each for each in source.graph.initializer if each.name == name)
    zeros = np.zeros_like(numpy_helper.to_array(own))
    other = half_graph(source, inputs_of(*sizes), outputs_of(*sizes), {name: zeros})
    held = {each.name: numpy_helper.to_array(each) for each in other.graph.initializer}
    assert not held[f"{name}_half_cast"].any()

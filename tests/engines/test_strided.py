"""The last layer as the processor likes it gives the same picture."""

import numpy as np
import pytest

from vidgen import zoo
from vidgen.engines import choose_backend, openvino
from vidgen.engines.shapes import inputs_of
from vidgen.engines.strided import stride_tail, strided

SIZE = 96, 54


def test_the_sums_are_those_of_the_kernel_at_every_place():
    rng = np.random.default_rng(0)
    kernel = rng.integers(-9, 10, (4, 3, 3, 3)).astype(np.float32)
    picture = np.pad(rng.integers(0, 9, (3, 6, 8)), ((0, 0), (1, 1), (1, 1)))
    wide = strided(kernel).reshape(4, 4, 3, 4, 4)
    for y, x in np.ndindex(6, 8):
        wanted = np.einsum("oikl,ikl->o", kernel, picture[:, y : y + 3, x : x + 3])
        top, left = y // 2 * 2, x // 2 * 2
        block = np.einsum("rcikl,ikl->rc", wide, picture[:, top : top + 4, left : left + 4])
        row, column = 2 * (y % 2), 2 * (x % 2)
        assert np.array_equal(block[row : row + 2, column : column + 2].ravel(), wanted)


@pytest.mark.parametrize("bit_depth", [8, 10])
@pytest.mark.parametrize("name", ["x2-realtime", "x2-balanced"])
def test_an_engine_draws_the_same_picture_with_it(name, bit_depth, monkeypatch):
    backend, model = choose_backend("openvino"), zoo.load(name)
    rng = np.random.default_rng(1)
    given = [
        rng.integers(0, 256 if dtype == np.uint8 else 2**bit_depth, shape).astype(dtype)
        for shape, dtype in inputs_of(model, *SIZE, bit_depth).values()
    ]
    with backend.compile(model, *SIZE, bit_depth) as engine:
        with_it = engine(*given)
    monkeypatch.setattr(openvino, "stride_tail", lambda graph, depth: None)
    with backend.compile(model, *SIZE, bit_depth) as engine:
        without = engine(*given)
    for first, second in zip(with_it, without, strict=True):
        apart = np.abs(first.astype(int) - second)
        assert apart.max() <= 1  # where the order of a sum decides at a half
        assert (apart > 0).mean() < 1e-3


@pytest.mark.parametrize(("name", "changes"), [("x2-realtime", True), ("x4-realtime", False)])
def test_only_tails_of_four_outputs_are_rewritten(name, changes):
    import openvino as library

    model = zoo.load(name)
    graph = library.Core().read_model(model.onnx(8))
    shapes = inputs_of(model, *SIZE, 8)
    graph.reshape({key: list(shape) for key, (shape, _) in shapes.items()})
    before = graph.output("y_out").shape
    stride_tail(graph, 8)
    strides = [
        tuple(node.get_attributes()["strides"])
        for node in graph.get_ordered_ops()
        if node.get_type_name() == "Convolution"
    ]
    assert ((2, 2) in strides) is changes
    assert graph.output("y_out").shape == before

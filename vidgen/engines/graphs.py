"""The ONNX graph of a model with its weights, flavours mixed as its strength says."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.engines.flavours import mixed
from vidgen.errors import BackendError
from vidgen.zoo import Model

__all__ = ["Weights", "read_graph"]

Weights = dict[str, NDArray[Any]]
"""By their names in the graph, which end in `.weight` or `.bias`."""


def read_graph(model: Model, bit_depth: int, backend: str) -> tuple[Any, Weights]:
    """The ONNX ModelProto for planes of that depth, and the weights to run it with.

    Raises ModelError where the file is not what its card says, and BackendError, in the name of
    `backend`, where the library that reads it is missing.
    """
    try:
        import onnx
    except ImportError as error:
        raise BackendError(f"--backend {backend} needs {error.name}; pip install onnx") from None
    graph = onnx.load(str(model.onnx(bit_depth)))
    weights = _weights(graph)
    if model.strength:
        other = _weights(onnx.load(str(model.onnx(bit_depth, "gan"))))
        weights = dict(mixed(weights, other, model.strength, bit_depth))
    return graph, weights


def _weights(graph: Any) -> Weights:
    from onnx import numpy_helper

    return {
        each.name: np.asarray(numpy_helper.to_array(each))
        for each in graph.graph.initializer
        if each.name.endswith((".weight", ".bias"))
    }

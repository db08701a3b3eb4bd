"""The `openvino` backend: the default on every machine without an NVIDIA GPU.

Measured on a 2-core AMX machine, tensor layout decides the speed: planes go in and come out as
uint8 or uint16 without a copy, and the convolutions run in the layout the library picks.
"""

from __future__ import annotations

import sys
from functools import cache
from threading import Lock
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vidgen.engines.flavours import mixed
from vidgen.engines.shapes import Shapes, inputs_of, outputs_of
from vidgen.engines.strided import stride_tail
from vidgen.errors import BackendError, ModelError
from vidgen.frame import Planes
from vidgen.zoo import Model

__all__ = ["OpenVINO"]

_ALONE = Lock()


@cache
def _core() -> Any:
    """The library, as long as the process lives; to be called with `_ALONE` held.

    It gives the thread that first builds something a stack for signals, and takes it back in the
    thread that lets go of it last. Were that another one, the next Ctrl-C would end the process
    with a segmentation fault.
    """
    return _library().Core()


@cache
def _library() -> Any:
    """OpenVINO, deaf to its package openvino-telemetry, which tells Intel of every import unasked.

    It goes on without one that cannot be imported.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino  # deferred: takes a tenth of a second that `vidgen --help` need not pay

    return openvino


class OpenVINO:
    """Networks on the CPU (bfloat16 where it has AMX or AVX512-BF16, else float32)."""

    name = "openvino"

    def __init__(self) -> None:
        with _ALONE:
            self._core = _core()
        self._version = _library().__version__.split("-")[0]
        capabilities = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._precision = "bf16" if "BF16" in capabilities else "f32"

    def describe(self) -> str:
        """One line for a person: library, version, device, precision."""
        device = str(self._core.get_property("CPU", "FULL_DEVICE_NAME")).strip()
        return f"OpenVINO {self._version}, {device}, {self._precision}"

    def compile(self, model: Model, width: int, height: int, bit_depth: int) -> _Engine:
        """An engine for pictures of exactly that size. Raises BackendError or ModelError."""
        if width % model.multiple_of or height % model.multiple_of:
            raise ModelError(
                f"{model.name} takes sizes divisible by {model.multiple_of}, not {width}x{height}"
            )
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32" if model.precision == "f32" else self._precision,
        }
        inputs = inputs_of(model, width, height, bit_depth)
        try:
            graph = self._read(model, bit_depth)
            graph.reshape({name: list(shape) for name, (shape, _) in inputs.items()})
            stride_tail(graph, bit_depth)
            compiled = self._core.compile_model(graph, "CPU", settings)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise BackendError(f"OpenVINO cannot build {model.name}: {reason}") from error
        return _Engine(compiled, inputs, outputs_of(model, width, height, bit_depth))

    def memory(self, factor: int, *, finds_motion: bool, stays: bool = False) -> None:
        """None: pictures lie on the host."""

    def pictures(self) -> None:
        """None: pictures lie on the host."""

    def _read(self, model: Model, bit_depth: int) -> Any:
        """The graph of the model, its weights mixed as its strength says."""
        graph = self._core.read_model(model.onnx(bit_depth))
        if model.strength:
            self._mix(graph, model, bit_depth)
        return graph

    def _mix(self, graph: Any, model: Model, bit_depth: int) -> None:
        """Replace the weights of `graph` by their mix with those of the other flavour."""
        import openvino.opset13 as operations

        own = _weights(graph)
        other = _weights(self._core.read_model(model.onnx(bit_depth, "gan")))
        first, second = ({name: node.data for name, node in each.items()} for each in (own, other))
        for name, value in mixed(first, second, model.strength, bit_depth).items():
            own[name].output(0).replace(operations.constant(value).output(0))


def _weights(graph: Any) -> dict[str, Any]:
    """The nodes that hold the weights of a graph, by their names in the file."""
    return {
        node.get_friendly_name(): node
        for node in graph.get_ordered_ops()
        if node.get_type_name() == "Constant"
        and node.get_friendly_name().endswith((".weight", ".bias"))
    }


class _Engine:
    """One compiled graph; results are written into fresh arrays that the caller owns."""

    def __init__(self, compiled: Any, inputs: Shapes, outputs: Shapes) -> None:
        self._request = compiled.create_infer_request()
        self.inputs, self._outputs = inputs, list(outputs.values())

    def __call__(self, *planes: NDArray[Any]) -> Planes:
        """Run once. The result belongs to the caller; the inputs are not kept."""
        given = [(plane.shape, plane.dtype) for plane in planes]
        wanted = list(self.inputs.values())
        if given != wanted:
            words = (
                ", ".join(f"{dtype} {shape}" for shape, dtype in each) for each in (wanted, given)
            )
            raise BackendError("the engine takes {}, not {}".format(*words))
        outputs = tuple(np.empty(shape, dtype) for shape, dtype in self._outputs)
        # OpenVINO refuses read-only memory and does not keep a copy alive: `inputs` does
        inputs = [np.require(plane, requirements=("C", "W")) for plane in planes]
        tensor = _library().Tensor
        for name, plane in zip(self.inputs, inputs, strict=True):
            self._request.set_tensor(name, tensor(plane, shared_memory=True))
        for index, plane in enumerate(outputs):
            self._request.set_output_tensor(index, tensor(plane, shared_memory=True))
        self._request.infer()
        return outputs[0], outputs[1]

    def close(self) -> None:
        """Free the compiled graph; calling again does nothing."""
        self._request = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

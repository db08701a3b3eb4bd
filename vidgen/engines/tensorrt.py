"""The `tensorrt` backend: NVIDIA GPUs, through TensorRT for RTX or TensorRT, which share an API.

    pip install 'vidgen[cuda,rtx]'        GeForce and RTX cards (compute capability 7.5, 8.x, 12.x)
    pip install 'vidgen[cuda,tensorrt]'   data-centre cards, from NVIDIA's own index

A plan can be built without a GPU; to run one takes CuPy.
"""

from __future__ import annotations

import logging
import time
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from vidgen.engines.device import DeviceEngine
from vidgen.engines.graphs import read_graph
from vidgen.engines.plans import cached, identity
from vidgen.engines.shapes import Shapes, inputs_of, outputs_of
from vidgen.errors import BackendError, ModelError
from vidgen.kernels import gpu
from vidgen.zoo import Model

__all__ = ["PlanEngine", "TensorRT", "build_plan", "library"]

log = logging.getLogger(__name__)

_LIBRARIES = ("tensorrt_rtx", "tensorrt")
_SLOW_SECONDS = 5  # a build that takes longer is announced


def library() -> ModuleType:
    """TensorRT for RTX, else TensorRT. Raises BackendError where neither can be imported."""
    reasons = []
    for name in _LIBRARIES:
        try:
            return import_module(name)
        except ImportError as error:
            reasons.append(f"{name}: {str(error).splitlines()[0]}")
    raise BackendError(
        f"--backend tensorrt: no library for it ({'; '.join(reasons)}); pip install "
        "'vidgen[cuda,rtx]', or on data-centre cards 'vidgen[cuda,tensorrt]'"
    )


class TensorRT:
    """Networks in half precision on one NVIDIA GPU."""

    name = "tensorrt"

    def __init__(self, device: int = 0) -> None:
        self._trt = library()
        self._cupy, self._device = gpu(device), device
        with self._cupy.cuda.Device(device):
            facts = self._cupy.cuda.runtime.getDeviceProperties(device)
            self._capability = str(self._cupy.cuda.Device(device).compute_capability)
        self._card = facts["name"].decode()
        self._logger = _logger(self._trt)

    def describe(self) -> str:
        """One line for a person: library, version, device, precision."""
        return f"{self._trt.__name__} {self._trt.__version__}, {self._card}, float16"

    def compile(self, model: Model, width: int, height: int, bit_depth: int) -> PlanEngine:
        """An engine for pictures of exactly that size. Raises BackendError or ModelError."""
        inputs = inputs_of(model, width, height, bit_depth)
        outputs = outputs_of(model, width, height, bit_depth)
        name = identity(self._facts(model, inputs))
        plan = cached(name, lambda: build_plan(self._trt, model, width, height, bit_depth))
        with self._cupy.cuda.Device(self._device):
            sizes = inputs, outputs, self._device
            return PlanEngine(self._trt, self._cupy, self._logger, plan, *sizes)

    def _facts(self, model: Model, inputs: Shapes) -> dict[str, Any]:
        """All that a plan depends on."""
        return {
            "weights": model.sha256,
            "strength": model.strength,
            "shapes": {name: (shape, str(dtype)) for name, (shape, dtype) in inputs.items()},
            "library": f"{self._trt.__name__} {self._trt.__version__}",
            "capability": self._capability,
            "card": self._card,
        }


def build_plan(
    trt: ModuleType,
    model: Model,
    width: int,
    height: int,
    bit_depth: int,
    capability: str = "",
) -> bytes:
    """The plan of a model for that picture size. Raises ModelError or BackendError.

    `capability`, such as `SM89`, builds for another card than the one here; for RTX alone.
    """
    if width % model.multiple_of or height % model.multiple_of:
        raise ModelError(
            f"{model.name} takes sizes divisible by {model.multiple_of}, not {width}x{height}"
        )
    began = time.monotonic()
    logger = _logger(trt)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(_onnx(model, width, height, bit_depth)):
        reasons = [parser.get_error(index).desc() for index in range(parser.num_errors)]
        raise BackendError(f"TensorRT cannot read {model.name}: {'; '.join(reasons)}")
    config = builder.create_builder_config()
    if capability:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, capability), 0)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BackendError(f"TensorRT cannot build {model.name} for {width}x{height}; see --debug")
    if (seconds := time.monotonic() - began) > _SLOW_SECONDS:
        log.warning("%s built for %dx%d in %.0f s, and kept", model.name, width, height, seconds)
    return bytes(plan)


def _onnx(model: Model, width: int, height: int, bit_depth: int) -> bytes:
    """The half-precision graph of the model, its flavours mixed as its strength says."""
    graph, weights = read_graph(model, bit_depth, "tensorrt")
    from vidgen.engines.half import half_graph  # deferred: needs onnx, which may be missing

    sizes = width, height, bit_depth
    half = half_graph(graph, inputs_of(model, *sizes), outputs_of(model, *sizes), weights)
    return bytes(half.SerializeToString())


def _logger(trt: ModuleType) -> Any:
    """TensorRT's messages in the log of the program."""
    levels = {
        trt.ILogger.VERBOSE: logging.DEBUG,
        trt.ILogger.INFO: logging.DEBUG,
        trt.ILogger.WARNING: logging.INFO,
        trt.ILogger.ERROR: logging.WARNING,
        trt.ILogger.INTERNAL_ERROR: logging.ERROR,
    }

    class Logger(trt.ILogger):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            log.log(levels[severity], "TensorRT: %s", message)

    return Logger()


class PlanEngine(DeviceEngine):
    """One plan on one device.

    Raises BackendError where the plan does not fit this GPU, or the GPU has no room for it.
    """

    def __init__(
        self,
        trt: ModuleType,
        cupy: ModuleType,
        logger: Any,
        plan: bytes,
        inputs: Shapes,
        outputs: Shapes,
        device: int = 0,
    ) -> None:
        self._runtime = trt.Runtime(logger)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise BackendError(
                "TensorRT refuses its plan on this GPU (--debug says why); TensorRT for RTX takes "
                "GeForce and RTX cards, TensorRT the others: see --backend"
            )
        super().__init__(cupy, device, inputs, outputs, _wire)
        self._context = self._with_room(self._engine.create_execution_context)
        names = [self._engine.get_tensor_name(n) for n in range(self._engine.num_io_tensors)]
        made = sorted((name for name in names if name not in inputs), key=_luma_first)
        buffers = {**self._given, **dict(zip(made, self._made.values(), strict=True))}
        for name, buffer in buffers.items():
            self._context.set_tensor_address(name, buffer.data.ptr)

    def _execute(self) -> None:
        if not self._context.execute_async_v3(self._stream.ptr):
            raise BackendError("TensorRT could not run the engine; --debug says why")

    def close(self) -> None:
        """Free the device's memory; calling again does nothing."""
        super().close()
        self._context = self._engine = None


def _wire(dtype: np.dtype[Any]) -> np.dtype[Any]:
    from vidgen.engines.half import wire_dtype

    return wire_dtype(dtype)


def _luma_first(name: str) -> tuple[bool, str]:
    return name.startswith("uv"), name

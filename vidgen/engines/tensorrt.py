"""The `tensorrt` backend: NVIDIA GPUs, through TensorRT for RTX or TensorRT, which share an API.

    pip install 'vidgen[cuda,rtx]'        GeForce and RTX cards (compute capability 7.5, 8.x, 12.x)
    pip install 'vidgen[cuda,tensorrt]'   data-centre cards, from NVIDIA's own index

A plan can be built without a GPU; to run one, CuPy holds the memory and the stream. An engine is
captured once as a CUDA graph and replayed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vidgen.engines.flavours import mixed
from vidgen.engines.plans import cached, identity
from vidgen.engines.shapes import Shapes, inputs_of, outputs_of
from vidgen.errors import BackendError, ModelError
from vidgen.frame import Planes
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
            return PlanEngine(self._trt, self._cupy, self._logger, plan, inputs, outputs)

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
    try:
        import onnx

        from vidgen.engines.half import half_graph
    except ImportError as error:
        raise BackendError(f"--backend tensorrt needs {error.name}; pip install onnx") from None
    graph = onnx.load(str(model.onnx(bit_depth)))
    weights = {}
    if model.strength:
        own, other = (
            {each.name: onnx.numpy_helper.to_array(each) for each in one.graph.initializer}
            for one in (graph, onnx.load(str(model.onnx(bit_depth, "gan"))))
        )
        named = {name: own[name] for name in own if name.endswith((".weight", ".bias"))}
        weights = mixed(named, other, model.strength, bit_depth)
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


class PlanEngine:
    """One plan on one device, with memory and a stream of its own, replayed as a CUDA graph.

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
    ) -> None:
        self._cupy, self._inputs, self._outputs = cupy, inputs, outputs
        self._runtime = trt.Runtime(logger)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise BackendError(
                "TensorRT refuses its plan on this GPU (--debug says why); TensorRT for RTX takes "
                "GeForce and RTX cards, TensorRT the others: see --backend"
            )
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._graph: Any = None
        self._context = self._with_room(self._engine.create_execution_context)
        names = [self._engine.get_tensor_name(n) for n in range(self._engine.num_io_tensors)]
        given = [name for name in names if name in inputs]
        made = [name for name in names if name not in inputs]
        shapes = {name: inputs[name] for name in given}
        shapes |= dict(zip(sorted(made, key=_luma_first), outputs.values(), strict=True))
        self._buffers = {name: self._with_room(self._buffer, *shapes[name]) for name in shapes}
        self._made = sorted(made, key=_luma_first)
        for name, buffer in self._buffers.items():
            self._context.set_tensor_address(name, buffer.data.ptr)

    def _buffer(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
        return self._cupy.empty(shape, _wire(dtype))

    def _with_room(self, make: Callable[..., Any], *words: Any) -> Any:
        try:
            made = make(*words)
        except self._cupy.cuda.memory.OutOfMemoryError:
            made = None
        if made is None:
            (height, width), _ = next(iter(self._outputs.values()))
            raise BackendError(
                f"the GPU has no memory left for {width}x{height}; give a smaller --size, "
                "--tier realtime, fewer --jobs, or --backend openvino"
            )
        return made

    def __call__(self, *planes: NDArray[Any]) -> Planes:
        """Run once. The result belongs to the caller; the inputs are not kept."""
        given = [(plane.shape, plane.dtype) for plane in planes]
        if given != list(self._inputs.values()):
            wanted = ", ".join(f"{dtype} {shape}" for shape, dtype in self._inputs.values())
            raise BackendError(f"the engine takes {wanted}, not {given}")
        try:
            return self._run(planes)
        except self._cupy.cuda.runtime.CUDARuntimeError as error:
            (height, width), _ = next(iter(self._outputs.values()))
            raise BackendError(
                f"the GPU failed at {width}x{height} ({error}); finished segments are kept, and "
                "the same command goes on from them; failing again, it needs a smaller --size, "
                "--tier realtime, fewer --jobs, or --backend openvino"
            ) from error

    def _run(self, planes: Sequence[NDArray[Any]]) -> Planes:
        for name, plane in zip(self._inputs, planes, strict=True):
            buffer = self._buffers[name]
            buffer.set(np.ascontiguousarray(plane, buffer.dtype), stream=self._stream)
        self._enqueue()
        y, uv = (self._buffers[name].get(stream=self._stream) for name in self._made)
        self._stream.synchronize()
        dtypes = [dtype for _, dtype in self._outputs.values()]
        return y.astype(dtypes[0], copy=False), uv.astype(dtypes[1], copy=False)

    def _enqueue(self) -> None:
        """Replay the graph; the first run is an ordinary one, as a capture needs, the second is
        captured."""
        if self._graph is not None:
            self._graph.launch(self._stream)
            return
        self._execute()
        self._stream.synchronize()
        self._stream.begin_capture()
        try:
            self._execute()
        finally:
            self._graph = self._stream.end_capture()

    def _execute(self) -> None:
        if not self._context.execute_async_v3(self._stream.ptr):
            raise BackendError("TensorRT could not run the engine; --debug says why")

    def close(self) -> None:
        """Free the device's memory; calling again does nothing."""
        self._graph = self._context = self._engine = None
        self._buffers = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _wire(dtype: np.dtype[Any]) -> np.dtype[Any]:
    from vidgen.engines.half import wire_dtype

    return wire_dtype(dtype)


def _luma_first(name: str) -> tuple[bool, str]:
    return name.startswith("uv"), name

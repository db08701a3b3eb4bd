"""The `tensorrt` backend: NVIDIA GPUs, through TensorRT for RTX or TensorRT, which share an API.

    pip install 'vidgen[cuda,rtx]'        GeForce and RTX cards (compute capability 7.5, 8.x, 12.x)
    pip install 'vidgen[cuda,tensorrt]'   data-centre cards, from NVIDIA's own index

A plan can be built without a GPU; to run one takes CuPy.
"""

from __future__ import annotations

import logging
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from vidgen.engines.building import bridged_logger, build_plan
from vidgen.engines.device import Card, DeviceEngine
from vidgen.engines.pictures import DevicePictures
from vidgen.engines.plans import cached, identity, keep, read
from vidgen.engines.recall import DeviceMemory
from vidgen.engines.shapes import Shapes, inputs_of, outputs_of
from vidgen.errors import BackendError
from vidgen.kernels import gpu
from vidgen.zoo import Model

__all__ = ["PlanEngine", "TensorRT", "library", "rtx_takes"]

log = logging.getLogger(__name__)

_RTX = "tensorrt_rtx"
_LIBRARIES = (_RTX, "tensorrt")


def library(capability: str) -> ModuleType:
    """TensorRT for RTX, else TensorRT, for a card of that compute capability times ten.

    Raises BackendError where neither can be imported and takes such a card.
    """
    reasons = []
    for name in _LIBRARIES:
        try:
            found = import_module(name)
        except ImportError as error:
            reasons.append(f"{name}: {str(error).splitlines()[0]}")
            continue
        if name != _RTX or _target(found, capability):
            return found
        reasons.append(f"{name}: not for compute capability {int(capability) / 10}")
    raise BackendError(
        f"--backend tensorrt: no library for it ({'; '.join(reasons)}); pip install "
        "'vidgen[cuda,rtx]', on data-centre cards 'vidgen[cuda,tensorrt]'; or give --backend cuda"
    )


def rtx_takes(device: int) -> bool:
    """Whether TensorRT for RTX is for that card: for an H100, say, it is not.

    Raises BackendError where CuPy cannot use the card.
    """
    capability = str(gpu(device).cuda.Device(device).compute_capability)
    try:
        return bool(_target(import_module(_RTX), capability))
    except ImportError:
        return True  # `library` says what is wrong with it


def _target(trt: ModuleType, capability: str) -> str:
    """What TensorRT for RTX calls that card; empty where it is not for it, and of TensorRT."""
    name = f"SM{capability}"
    return name if trt.__name__ == _RTX and hasattr(trt.ComputeCapability, name) else ""


class TensorRT:
    """Networks in half precision on one NVIDIA GPU."""

    name = "tensorrt"

    def __init__(self, device: int = 0) -> None:
        self._card = Card(gpu(device), device)
        with self._card.current() as current:
            facts = self._card.cupy.cuda.runtime.getDeviceProperties(device)
            self._capability = str(current.compute_capability)
        self._trt = library(self._capability)
        self._name = facts["name"].decode()
        self._logger = bridged_logger(self._trt)

    def describe(self) -> str:
        """One line for a person: library, version, device, precision."""
        return f"{self._trt.__name__} {self._trt.__version__}, {self._name}, float16"

    def compile(self, model: Model, width: int, height: int, bit_depth: int) -> PlanEngine:
        """An engine for pictures of exactly that size. Raises BackendError or ModelError."""
        inputs = inputs_of(model, width, height, bit_depth)
        outputs = outputs_of(model, width, height, bit_depth)
        name, sizes = identity(self._facts(model, inputs)), (width, height, bit_depth)
        target, timings = _target(self._trt, self._capability), f"{identity(self._here())}.timings"
        with self._card.current():  # which TensorRT measures, too
            plan = cached(name, lambda: build_plan(self._trt, model, *sizes, target, timings))
            planes, compiled = (inputs, outputs), f"{name}.compiled"
            return PlanEngine(self._trt, self._card, self._logger, plan, *planes, compiled)

    def memory(self, factor: int, *, finds_motion: bool, stays: bool = False) -> DeviceMemory:
        """What its engines recall of pictures `factor` times the film's size, on the GPU."""
        return DeviceMemory(self._card, factor, finds_motion=finds_motion, stays=stays)

    def pictures(self) -> DevicePictures:
        """What takes pictures from NVDEC and gives them to NVENC, on the GPU."""
        return DevicePictures(self._card)

    def _facts(self, model: Model, inputs: Shapes) -> dict[str, Any]:
        """All that a plan depends on."""
        return {
            "weights": model.sha256,
            "strength": model.strength,
            "shapes": {name: (shape, str(dtype)) for name, (shape, dtype) in inputs.items()},
            **self._here(),
        }

    def _here(self) -> dict[str, Any]:
        """All that the speed of a layer depends on."""
        return {
            "library": f"{self._trt.__name__} {self._trt.__version__}",
            "capability": self._capability,
            "card": self._name,
        }


class PlanEngine(DeviceEngine):
    """One plan on one device.

    TensorRT for RTX compiles kernels for the card when the plan is opened and first run. They are
    kept as the file `compiled` among the plans, where one is named, for the next process.
    Raises BackendError where the plan does not fit this GPU, or the GPU has no room for it.
    """

    def __init__(
        self,
        trt: ModuleType,
        card: Card,
        logger: Any,
        plan: bytes,
        inputs: Shapes,
        outputs: Shapes,
        compiled: str = "",
    ) -> None:
        self._runtime = trt.Runtime(logger)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise BackendError(
                "TensorRT refuses its plan on this GPU (--debug says why); TensorRT for RTX takes "
                "GeForce and RTX cards, TensorRT the others: see --backend"
            )
        super().__init__(card, inputs, outputs, _wire)
        self._compiled = (
            _Compiled(self._engine, compiled) if hasattr(trt, "IRuntimeCache") else None
        )
        settings = [self._compiled.settings] if self._compiled else []
        self._context = self._with_room(self._engine.create_execution_context, *settings)
        names = [self._engine.get_tensor_name(n) for n in range(self._engine.num_io_tensors)]
        made = sorted((name for name in names if name not in inputs), key=_luma_first)
        buffers = {**self.given, **dict(zip(made, self.made.values(), strict=True))}
        for name, buffer in buffers.items():
            self._context.set_tensor_address(name, buffer.data.ptr)

    def _ran(self) -> None:
        if self._compiled:
            self._compiled.keep()

    def _execute(self) -> None:
        if not self._context.execute_async_v3(self._stream.ptr):
            raise BackendError("TensorRT could not run the engine; --debug says why")

    def close(self) -> None:
        """Free the device's memory; calling again does nothing."""
        super().close()
        self._context = self._compiled = self._engine = None


class _Compiled:
    """The kernels that TensorRT for RTX compiles for one engine, and the file that keeps them."""

    def __init__(self, engine: Any, file: str) -> None:
        self.settings = engine.create_runtime_config()
        self._cache, self._file = self.settings.create_runtime_cache(), file
        self._before = (read(file) if file else None) or b""
        if self._before and not self._cache.deserialize(self._before):
            log.info("%s is of another driver: compiled anew", file)
        self.settings.set_runtime_cache(self._cache)

    def keep(self) -> None:
        """Keep what the first run has made complete; later calls do nothing."""
        file, self._file = self._file, ""
        if file and (after := bytes(self._cache.serialize())) != self._before:
            keep(file, after)


def _wire(dtype: np.dtype[Any]) -> np.dtype[Any]:
    from vidgen.engines.half import wire_dtype

    return wire_dtype(dtype)


def _luma_first(name: str) -> tuple[bool, str]:
    return name.startswith("uv"), name

"""Plans of TensorRT: a model's graph in half precision, built for one picture size and one card."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from vidgen.engines.graphs import read_graph
from vidgen.engines.plans import keep, read
from vidgen.engines.progress import Progress, monitor
from vidgen.engines.shapes import inputs_of, outputs_of
from vidgen.errors import BackendError, ModelError
from vidgen.zoo import Model

__all__ = ["bridged_logger", "build_plan"]

log = logging.getLogger(__name__)

_SLOW_SECONDS = 5  # a build that takes longer is announced


def build_plan(
    trt: ModuleType,
    model: Model,
    width: int,
    height: int,
    bit_depth: int,
    capability: str = "",
    timings: str = "",
) -> bytes:
    """The plan of a model for that picture size. Raises ModelError or BackendError.

    Shapes are static, so there is nothing for an optimisation profile to say. `capability`, such as
    `SM89`, is of the card that it is for, and for RTX alone: else it builds for what came after
    Turing. What TensorRT measures is taken from and put into the file `timings` among the plans, so
    that the next plan of that network is built faster; TensorRT for RTX measures nothing.
    """
    if width % model.multiple_of or height % model.multiple_of:
        raise ModelError(
            f"{model.name} takes sizes divisible by {model.multiple_of}, not {width}x{height}"
        )
    began = time.monotonic()
    logger = bridged_logger(trt)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(_onnx(model, width, height, bit_depth)):
        reasons = [parser.get_error(index).desc() for index in range(parser.num_errors)]
        raise BackendError(f"TensorRT cannot read {model.name}: {'; '.join(reasons)}")
    config = _configured(trt, builder, capability)
    with _timings(trt, config, timings):
        plan = _built(trt, builder, network, config, f"{model.name} for {width}x{height}")
    if (seconds := time.monotonic() - began) > _SLOW_SECONDS:
        log.warning("%s built for %dx%d in %.0f s, and kept", model.name, width, height, seconds)
    return plan


def _configured(trt: ModuleType, builder: Any, capability: str) -> Any:
    """How to build: for that card, and so that a run allocates nothing and can be captured."""
    config = builder.create_builder_config()
    if hasattr(trt.BuilderFlag, "REQUIRE_USER_ALLOCATION"):  # TensorRT for RTX may do so otherwise
        config.set_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION)
    if capability:
        config.num_compute_capabilities = 1
        config.set_compute_capability(getattr(trt.ComputeCapability, capability), 0)
    return config


def _built(trt: ModuleType, builder: Any, network: Any, config: Any, what: str) -> bytes:
    """The plan; the log says how far it is. Raises BackendError or KeyboardInterrupt."""
    progress = Progress(what)
    watched = monitor(trt, progress)
    config.progress_monitor = watched
    plan = builder.build_serialized_network(network, config)
    if progress.interrupted:
        raise KeyboardInterrupt
    if plan is None:
        raise BackendError(f"TensorRT cannot build {what}; see --debug")
    return bytes(plan)


@contextmanager
def _timings(trt: ModuleType, config: Any, file: str) -> Iterator[None]:
    """What TensorRT measured before, for what it builds now; kept with what it adds to it."""
    if not file or trt.__name__ == "tensorrt_rtx":  # where timing caches do nothing
        yield
        return
    before = read(file) or b""
    if not config.set_timing_cache(config.create_timing_cache(before), False):
        config.set_timing_cache(config.create_timing_cache(b""), False)
    yield
    after = bytes(config.get_timing_cache().serialize())
    if after != before:
        keep(file, after)


def _onnx(model: Model, width: int, height: int, bit_depth: int) -> bytes:
    """The half-precision graph of the model, its flavours mixed as its strength says."""
    graph, weights = read_graph(model, bit_depth, "tensorrt")
    from vidgen.engines.half import half_graph  # deferred: needs onnx, which may be missing

    sizes = width, height, bit_depth
    half = half_graph(graph, inputs_of(model, *sizes), outputs_of(model, *sizes), weights)
    return bytes(half.SerializeToString())


def bridged_logger(trt: ModuleType) -> Any:
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

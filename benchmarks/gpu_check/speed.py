"""How fast the GPU does it, and how far that is from what the card could do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from statistics import median
from typing import Any

import numpy as np

from benchmarks.gpu_check.counts import counted
from benchmarks.gpu_check.right import Check, made_up
from benchmarks.kernel_cases import CASES
from vidgen import zoo
from vidgen.engines import Backend
from vidgen.errors import BackendError
from vidgen.kernels import load

__all__ = ["card", "kernel_speed", "network_speed", "torch_here"]

_BATCHES = 15
_BATCH_SECONDS = 0.03
_COPIED = 2**28  # bytes: far more than any cache holds
_MATRIX = 8192
_WARP_OF_COPY = 0.6
_OF_ROOFLINE, _OF_TORCH, _PER_SECOND = 0.5, 1.5, 600


def seconds(run: Callable[[], Any], wait: Callable[[], Any]) -> dict[str, float]:
    """Least, median and most seconds a run, of batches worked off without a pause."""
    run()
    wait()
    began = time.perf_counter()
    run()
    wait()
    count = max(1, round(_BATCH_SECONDS / max(time.perf_counter() - began, 1e-6)))
    taken = []
    for _ in range(_BATCHES):
        began = time.perf_counter()
        for _ in range(count):
            run()
        wait()
        taken.append((time.perf_counter() - began) / count)
    return {"least": min(taken), "median": median(taken), "most": max(taken)}


def torch_here() -> None:
    """Raises BackendError where torch cannot use the GPU, as builds for processors cannot."""
    import torch

    if not torch.cuda.is_available():
        raise BackendError(
            f"torch {torch.__version__}, which the speed is compared with, cannot use this GPU; "
            "install a build for CUDA and the driver here: see pytorch.org/get-started"
        )


def card(cupy: Any) -> dict[str, Any]:
    """What this card reaches: bytes a second in a copy, operations in a product of half."""
    import torch

    first, second = (cupy.empty((_COPIED,), np.uint8) for _ in range(2))
    wait = cupy.cuda.Device(0).synchronize
    copied = seconds(lambda: second.data.copy_from_device(first.data, _COPIED), wait)
    left = torch.randn(_MATRIX, _MATRIX, device="cuda", dtype=torch.float16)
    multiplied = seconds(lambda: left @ left, torch.cuda.synchronize)
    return {
        "copy_bytes_per_second": 2 * _COPIED / copied["median"],
        "half_operations_per_second": 2 * _MATRIX**3 / multiplied["median"],
    }


def kernel_speed(
    cupy: Any, facts: dict[str, Any], width: int, height: int
) -> tuple[list[dict[str, Any]], list[Check]]:
    """Each kernel's time at that size; and whether the warp comes near a copy."""
    told, checks, wait = [], [], cupy.cuda.Device(0).synchronize
    for file, build in CASES.items():
        seen = set()
        for case in build(np.random.default_rng(0), height, width):
            if (case.kernel, case.variant) in seen:
                continue
            seen.add((case.kernel, case.variant))
            given = tuple(
                cupy.asarray(each) if isinstance(each, np.ndarray) else np.int32(each)
                for each in case.arguments
            )
            kernel = load(file).get_function(case.kernel)
            taken = seconds(lambda k=kernel, c=case, g=given: k(*c.geometry, g), wait)
            rate = case.moved_bytes / taken["median"]
            share = rate / facts["copy_bytes_per_second"]
            name = f"{case.kernel} {case.variant}".strip()
            told.append({"kernel": name, "seconds": taken, "bytes": case.moved_bytes,
                         "of_copy": share})  # fmt: skip
            if case.kernel == "warp_u8":
                words = f"{share:.0%} of the bandwidth of a copy, wanted are {_WARP_OF_COPY:.0%}"
                checks.append(Check(f"speed of {name}", share >= _WARP_OF_COPY, words))
    return told, checks


def network_speed(
    backend: Backend, facts: dict[str, Any], name: str, width: int, height: int, shared_bytes: int
) -> tuple[dict[str, Any], list[Check]]:
    """One upscaler, engine alone, planes already on the device; beside torch on the same."""
    from benchmarks.gpu_check.torch_nets import TorchUpscaler

    model = zoo.load(name)
    given = made_up(model, width, height, 8)
    with backend.compile(model, width, height, 8) as engine:
        engine(*given)
        own = seconds(engine.enqueue, engine.wait)
    net = TorchUpscaler(model, given)
    theirs = seconds(net.run, net.wait)
    counts = counted(model, width, height, 8, shared_bytes)
    rates = facts["half_operations_per_second"], facts["copy_bytes_per_second"]
    of_roofline = counts.least_seconds(*rates) / own["median"]
    faster, rate = theirs["median"] / own["median"], 1 / own["median"]
    told = {
        "network": name,
        "size": f"{width}x{height}",
        "own_seconds": own,
        "torch_seconds": theirs,
        "times_torch": faster,
        "of_roofline": of_roofline,
        "counts": asdict(counts),
    }
    place = f"{name} {width}x{height}"
    checks = [
        Check(f"{place} against torch", faster >= _OF_TORCH, f"{faster:.2f} times as fast"),
    ]
    if name == "x2-realtime":
        words = f"{of_roofline:.0%} of the roofline, {rate:.0f} a second"
        fast = of_roofline >= _OF_ROOFLINE and rate >= _PER_SECOND
        checks.append(Check(f"{place}, half the roofline and 600 a second", fast, words))
    return told, checks

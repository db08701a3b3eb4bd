"""Which backend runs the networks: the best one present, or the one that was asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

from vidgen.engines.cuda import Cuda
from vidgen.engines.openvino import OpenVINO
from vidgen.engines.protocol import Backend
from vidgen.engines.tensorrt import TensorRT, rtx_takes
from vidgen.errors import UsageError

__all__ = ["backend_names", "choose_backend", "gpu_count"]

log = logging.getLogger(__name__)

_BACKENDS: dict[str, Callable[[int], Backend]] = {
    "openvino": lambda device: OpenVINO(),
    "tensorrt": TensorRT,
    "cuda": Cuda,
}
"""Making a backend raises BackendError where its library or device is missing."""

_NVIDIA = Path("/proc/driver/nvidia/gpus")  # a folder a card, while its driver is loaded; Linux
_NODES = Path("/dev")  # nvidia0, nvidia1, ... where a container shows nothing of /proc/driver


def backend_names() -> tuple[str, ...]:
    """Accepted words for `--backend`, beside `auto`; the reference first."""
    return tuple(_BACKENDS)


def choose_backend(name: str = "auto", device: int = 0) -> Backend:
    """The backend of that name. Raises UsageError, or BackendError where it cannot run here.

    `auto` is `tensorrt` where an NVIDIA GPU and the libraries for it are here, `cuda` where only
    CuPy is, and `openvino` without a GPU. TensorRT for RTX is none for data-centre cards.
    What was found to be there and then fails is an error, not a reason for something slower.
    """
    if name == "auto":
        name = _best(device)
    if name not in _BACKENDS:
        raise UsageError(f"--backend {name}: unknown; give auto, {', '.join(_BACKENDS)}")
    if device < 0:
        raise UsageError(f"--device {device}: give 0 for the first GPU, 1 for the second, ...")
    if name == "openvino" and device >= max(gpu_count(), 1):
        raise UsageError(f"--device {device}: there is no such GPU here; leave it out")
    return _BACKENDS[name](device)


def gpu_count() -> int:
    """NVIDIA GPUs that this process may use: by its driver's word, and CUDA_VISIBLE_DEVICES."""
    here = _NVIDIA.iterdir() if _NVIDIA.is_dir() else _NODES.glob("nvidia[0-9]*")
    count = len(list(here))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return count
    return min(count, len(list(takewhile(_is_device, visible.split(",")))))


def _is_device(word: str) -> bool:
    """CUDA sees no device from the first word on that is none."""
    return bool(word.strip()) and not word.strip().startswith("-")


def _best(device: int) -> str:
    if not gpu_count():
        return "openvino"
    if not (find_spec("cupy") and find_spec("onnx")):
        log.warning("an NVIDIA GPU is here and not used: pip install 'vidgen[cuda]' to use it")
        return "openvino"
    if find_spec("tensorrt") or (find_spec("tensorrt_rtx") and rtx_takes(device)):
        return "tensorrt"
    return "cuda"

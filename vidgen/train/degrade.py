"""How a good picture becomes the one that the network will see: shrunk, then through a real codec.

All work is on the planes, each on its own grid and centre-aligned, so a pair stays aligned to the
pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes
from vidgen.media.recode import recode
from vidgen.train.defects import aged

__all__ = ["Degradation", "degrade", "draw", "draw_still", "shrink"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """What happens to one run of frames; the same for all of them."""

    kernel: str
    """`area`, `bicubic` or `gauss`: see `shrink`."""
    codec: str
    """`libx264`, `libx265`, `mpeg2video`, `jpeg`, or `none`."""
    quality: float
    """CRF, or quantiser scale; see `vidgen.media.recode`. Of `jpeg` 1 to 100."""
    preset: str
    grain: float = 0.0
    """Standard deviation of noise in luma before the codec, in 8-bit steps; chroma gets half."""
    defects: bool = False
    """Whether the film is dirty and scratched; see `vidgen.train.defects`."""


def draw(rng: np.random.Generator, defects: float = 0.0) -> Degradation:
    """A random degradation: mostly as films are distributed, some old, clean or grainy.

    `defects` is the share of dirty and scratched ones.
    """
    codec = str(rng.choice(["libx264", "libx265", "mpeg2video", "none"], p=[0.66, 0.06, 0.08, 0.2]))
    kernels = [0.5, 0.4, 0.1] if codec == "none" else [0.8, 0.12, 0.08]
    kernel = str(rng.choice(["area", "bicubic", "gauss"], p=kernels))
    quality = rng.integers(2, 11) if codec == "mpeg2video" else rng.uniform(16, 30)
    preset = str(rng.choice(["ultrafast", "veryfast", "medium"], p=[0.1, 0.3, 0.6]))
    grain = rng.uniform(1, 5) if rng.random() < 0.1 else 0.0
    return Degradation(
        kernel=kernel, codec=codec, quality=round(float(quality), 1), preset=preset,
        grain=round(float(grain), 1), defects=defects > 0 and rng.random() < defects,
    )  # fmt: skip


def draw_still(rng: np.random.Generator) -> Degradation:
    """A random degradation as pictures have, not films: shrunk by anything, some saved as JPEG."""
    kernel = str(rng.choice(["bicubic", "area", "gauss"], p=[0.5, 0.35, 0.15]))
    codec = str(rng.choice(["none", "jpeg"], p=[0.65, 0.35]))
    return Degradation(kernel=kernel, codec=codec, quality=int(rng.integers(65, 98)), preset="")


def degrade(
    frames: Sequence[Planes], how: Degradation, scale: int = 2, seed: int = 0
) -> list[Planes]:
    """Consecutive `frames` (8 bit, sides divisible by 2 * scale), shrunk, through the codec."""
    small = [shrink(planes, how.kernel, scale) for planes in frames]
    if how.grain:
        rng = np.random.default_rng(seed)
        small = [tuple(_grained(plane, how.grain, rng) for plane in planes) for planes in small]  # type: ignore[misc]
    if how.defects:
        small = aged(small, np.random.default_rng([seed, 1]))
    if how.codec == "none":
        return small
    if how.codec == "jpeg":
        return [tuple(_saved(plane, how.quality) for plane in planes) for planes in small]  # type: ignore[misc]
    return recode(small, how.codec, how.quality, preset=how.preset)


def _grained(plane: NDArray[Any], sigma: float, rng: np.random.Generator) -> NDArray[Any]:
    sigma = sigma if plane.ndim == 2 else sigma / 2
    noise = rng.normal(0, sigma, plane.shape)
    return np.clip(np.rint(plane + noise), 0, 255).astype(plane.dtype)


def _saved(plane: NDArray[Any], quality: float) -> NDArray[Any]:
    """`plane`, each of its channels saved as a grey JPEG and read again."""
    words = [cv2.IMWRITE_JPEG_QUALITY, int(quality)]
    coded = [cv2.imencode(".jpg", channel, words)[1] for channel in cv2.split(plane)]
    read = [np.asarray(cv2.imdecode(each, cv2.IMREAD_GRAYSCALE)) for each in coded]
    return read[0] if plane.ndim == 2 else np.dstack(read)


def shrink(planes: Planes, kernel: str = "area", scale: int = 2) -> Planes:
    """Every plane smaller by `scale`, an even number; sides divisible by 2 * scale, dtype kept.

    `area` is the mean of scale x scale; `bicubic` widens the kernel (a = -0.5) by the scale against
    aliases, as MATLAB does; `gauss` blurs with sigma 0.4 * scale first.
    """
    y, uv = planes
    if y.shape[0] % (2 * scale) or y.shape[1] % (2 * scale):
        size = f"{y.shape[1]}x{y.shape[0]}"
        raise ValueError(f"sides must be divisible by {2 * scale}, not {size}")
    return _shrink(y, kernel, scale), np.ascontiguousarray(_shrink(uv, kernel, scale))


def _shrink(plane: NDArray[Any], kernel: str, scale: int) -> NDArray[Any]:
    if kernel == "area":
        height, width = plane.shape[0] // scale, plane.shape[1] // scale
        return cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    taps = _taps(kernel, scale)
    # The even-length kernel sits between two pixels: filter2D's anchor is the left one of the
    # middle pair, so the first result wanted lies at the left one of the first block's middle pair.
    wide = cv2.sepFilter2D(
        plane.astype(np.float32), -1, taps, taps, anchor=(taps.size // 2 - 1,) * 2,
        borderType=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    first, top = scale // 2 - 1, np.iinfo(plane.dtype).max
    return np.clip(np.rint(wide[first::scale, first::scale]), 0, top).astype(plane.dtype)


@cache
def _taps(kernel: str, scale: int) -> NDArray[np.float32]:
    """Weights of the 4 * scale source pixels around the centre of a shrunk one."""
    distance = np.abs(np.arange(4 * scale) - (2 * scale - 0.5)) / scale
    weights = _cubic(distance) if kernel == "bicubic" else np.exp(-0.5 * (distance / 0.4) ** 2)
    return np.asarray(weights / weights.sum(), np.float32)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' kernel with a = -0.5 at `distance` >= 0."""
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))

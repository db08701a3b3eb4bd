"""What a case is, and what several of them are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Case", "flows", "log2", "named", "noise", "slopes"]

Geometry = tuple[tuple[int, ...], tuple[int, ...]]
"""(grid, block)."""


@dataclass(frozen=True)
class Case:
    """One launch of a kernel and what it must have written at its end."""

    kernel: str
    variant: str
    """What else decides how many bytes there are; may be empty."""
    tries: str
    geometry: Geometry
    arguments: tuple[NDArray[Any] | int, ...]
    """In the kernel's order; what it writes holds nothing yet, or the zeros that it starts from."""
    expected: Callable[[], dict[int, NDArray[Any]]]
    """Number of each argument that is written -> its content, made anew at each call."""

    @property
    def moved_bytes(self) -> int:
        """Every array once: no kernel can move less."""
        return sum(each.nbytes for each in self.arguments if isinstance(each, np.ndarray))


def noise(rng: np.random.Generator, *shape: int, bits: int) -> NDArray[Any]:
    return rng.integers(0, 1 << bits, shape, np.uint8 if bits == 8 else np.uint16)


def log2(power: int) -> int:
    return power.bit_length() - 1


def named(kernel: str, bits: int) -> str:
    return f"{kernel}_u{8 if bits == 8 else 16}"


def flows(rng: np.random.Generator, height: int, width: int) -> Iterator[tuple[str, Any]]:
    """Flow fields of one size, each with what it tries."""
    shape = (height, width, 2)
    yield "sub-pixel", rng.uniform(-3, 3, shape).astype(np.float32)
    borders = rng.uniform(-1, 1, shape) * (2 * width, 2 * height)
    yield "along the borders", borders.astype(np.float32)
    yield "eighths, with ties", rng.integers(-20, 21, shape).astype(np.float32) / np.float32(8)
    yield "whole pixels", rng.integers(-5, 6, shape).astype(np.float32)
    far = np.array([-1e9, -1e4, 1e4, 1e9, -np.inf, np.inf, np.nan], np.float32)
    yield "far outside", rng.choice(far, shape)
    tiny = np.finfo(np.float32).tiny  # what is smaller counts as zero on a GPU
    barely = np.array([-1e-7, 1e-7, -tiny, tiny], np.float32)
    yield "barely off the pixel", rng.choice(barely, shape)


def slopes(rng: np.random.Generator, height: int, width: int, bits: int) -> NDArray[Any]:
    """Squares with some noise on them, so that what is around a pixel differs from the rest."""
    peak = (1 << bits) - 1
    base = rng.integers(0, peak + 1, (-(-height // 6), -(-width // 6)))
    wide = np.kron(base, np.ones((6, 6), int))[:height, :width]
    noisy = wide + rng.integers(-peak // 20, peak // 20 + 1, wide.shape)
    return np.clip(noisy, 0, peak).astype(np.uint8 if bits == 8 else np.uint16)

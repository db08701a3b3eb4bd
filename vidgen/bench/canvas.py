"""What the drawn scene is painted with: anti-aliased edges, sine textures and letters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Canvas", "Texture", "text_mask", "yuv"]

Array = NDArray[np.float32]

_FINER = 8  # letters are kept at this many samples a pixel


def yuv(red: float, green: float, blue: float) -> Array:
    """8-bit R'G'B' as (3,) float32 Y'CbCr, BT.709, limited range."""
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    parts = (
        16 + luma * 219 / 255,
        128 + (blue - luma) / 1.8556 * 224 / 255,
        128 + (red - luma) / 1.5748 * 224 / 255,
    )
    return np.array(parts, np.float32)


@dataclass(frozen=True)
class Canvas:
    """Where the samples of one plane lie, in picture heights."""

    columns: int
    rows: int
    step: float
    """Distance of two samples, and the side of the square that each averages."""
    left: float
    """x of the first column; the first row lies at half a step."""
    channels: slice
    """Which of Y, U, V are painted here."""

    @cached_property
    def x(self) -> Array:
        """(columns,) positions."""
        return (self.left + self.step * np.arange(self.columns)).astype(np.float32)

    @cached_property
    def y(self) -> Array:
        """(rows,) positions."""
        return (self.step * (0.5 + np.arange(self.rows))).astype(np.float32)

    def window(self, x: float, y: float, reach: float) -> tuple[slice, slice]:
        """Rows and columns of the samples within `reach` of (x, y) along each side."""
        edges = ((y, self.step / 2, self.rows), (x, self.left, self.columns))
        rows, columns = (
            slice(
                min(max(floor((middle - reach - begin) / self.step), 0), count),
                min(max(ceil((middle + reach - begin) / self.step) + 1, 0), count),
            )
            for middle, begin, count in edges
        )
        return rows, columns

    def over(self, picture: Array, inside: Array, color: Array) -> None:
        """Paint `color` where `inside`, the distance (H, W) to the edge, is positive, in place.

        An edge through a pixel covers the part of it that lies inside; what is thinner than a
        pixel keeps its place and loses its weight only below it.
        """
        coverage = np.clip(inside / self.step + 0.5, 0, 1)
        picture += coverage[..., None] * (color - picture)

    def extent(self, mask: Array) -> tuple[float, float]:
        """Width and height of a mask, in picture heights."""
        return mask.shape[1] * self.step / _FINER, mask.shape[0] * self.step / _FINER

    def stamp(self, picture: Array, mask: Array, x: float, y: float, color: Array) -> None:
        """Paint `color` through `mask` (see `text_mask`) with its upper left corner at (x, y)."""
        column, row = (x - self.left) / self.step + 0.5, (y / self.step)
        left, top = floor(column), floor(row)
        shift = np.array([[1, 0, (column - left) * _FINER], [0, 1, (row - top) * _FINER]])
        high, wide = mask.shape[0] // _FINER + 1, mask.shape[1] // _FINER + 1
        moved = cv2.warpAffine(mask, shift, (wide * _FINER, high * _FINER))
        coverage = cv2.resize(moved, (wide, high), interpolation=cv2.INTER_AREA)
        rows = slice(*(min(max(edge, 0), self.rows) for edge in (top, top + high)))
        columns = slice(*(min(max(edge, 0), self.columns) for edge in (left, left + wide)))
        part = coverage[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
        under = picture[rows, columns]
        under += part[..., None] * (color - under)


@dataclass(frozen=True)
class Texture:
    """A sum of sine waves of random direction and phase, mean 0 and variance 1.

    Its mean over any square is known, so it can be sampled at any size and place without aliasing.
    """

    seed: int
    waves: int
    lowest: float
    """Frequencies in cycles per picture height."""
    highest: float
    slope: float
    """Amplitude falls as frequency to this power."""

    @cached_property
    def _waves(self) -> tuple[Array, Array, Array, Array]:
        """Frequencies along x and y, phases, amplitudes: (waves,) each."""
        rng = np.random.default_rng(self.seed)
        frequency = np.geomspace(self.lowest, self.highest, self.waves)
        angle, phase = rng.uniform(0, 2 * np.pi, (2, self.waves))
        amplitude = frequency**-self.slope
        amplitude *= np.sqrt(2 / np.sum(amplitude**2))
        parts = frequency * np.cos(angle), frequency * np.sin(angle), phase, amplitude
        fx, fy, phases, amplitudes = (part.astype(np.float32) for part in parts)
        return fx, fy, phases, amplitudes

    def sample(self, canvas: Canvas, x: float, y: float) -> Array:
        """(rows, columns) float32 means over the pixels of `canvas`, moved by (-x, -y)."""
        fx, fy, phase, amplitude = self._waves
        amplitude = amplitude * np.sinc(fx * canvas.step) * np.sinc(fy * canvas.step)
        across = 2 * np.pi * fx[:, None] * (canvas.x + x)
        down = 2 * np.pi * fy * (canvas.y[:, None] + y) + phase
        # cos(a + b) = cos a cos b - sin a sin b: all waves at once as one matrix product
        rows = np.hstack((amplitude * np.cos(down), -amplitude * np.sin(down)))
        product = rows.astype(np.float32) @ np.vstack((np.cos(across), np.sin(across))).astype(
            np.float32
        )
        return np.asarray(product, np.float32)


@cache
def text_mask(step: float, words: str, height: float) -> Array:
    """`words`, `height` picture heights high: coverage in [0, 1], `_FINER` samples a `step`."""
    letters = _letters(words)
    # a typeface is not the same shape at every size, so one drawing of it serves all
    scale = height / step * _FINER / letters.shape[0]
    size = max(round(letters.shape[1] * scale), 1), max(round(letters.shape[0] * scale), 1)
    kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(letters, size, interpolation=kernel), np.float32)


@cache
def _letters(words: str) -> Array:
    """`words` at a size larger than any that is asked for: coverage in [0, 1]."""
    font, scale, thickness = cv2.FONT_HERSHEY_DUPLEX, 16.0, 26
    (wide, tall), below = cv2.getTextSize(words, font, scale, thickness)
    mask = np.zeros((tall + 2 * below, wide), np.uint8)
    cv2.putText(mask, words, (0, tall + below // 2), font, scale, 255, thickness, cv2.LINE_AA)
    return (mask / np.float32(255)).astype(np.float32)

"""What decades do to film: dirt, scratches and hairs, so that networks can learn to see past them.

All of it is drawn on the low-resolution luma before the codec, as a scanner would have seen it.
Brightness that flickers and a gate that weaves are no part of it: one picture does not tell the
true brightness or place, so that a network could only learn to guess.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes

__all__ = ["aged"]

_FINE = 8  # parts of a pixel in which outlines are drawn
_SPECKS = 12.0  # a frame of 640x360
_AREA = 640 * 360

Mark = tuple[NDArray[np.float64], bool, float, float, float]
"""Outline (n, 2) of x and y, whether it is filled, else its width, its luma, its opacity."""


def aged(frames: Sequence[Planes], rng: np.random.Generator) -> list[Planes]:
    """The same run of 8-bit planes with defects on its luma; chroma is left alone.

    Dirt lies on a single frame, bright or dark (on the negative or on the print); scratches stay in
    their column for the whole run and wander a little; a hair is rare and shakes in the gate.
    """
    height, width = frames[0][0].shape
    rate = _SPECKS * rng.uniform(0.2, 1.5) * height * width / _AREA
    scratches = [_Scratch(height, width, rng) for _ in range(rng.integers(0, 4))]
    hair = _hair(height, width, rng) if rng.random() < 0.15 else None
    result = []
    for y, uv in frames:
        marks = [_speck(height, width, rng) for _ in range(rng.poisson(rate))]
        marks += [mark for scratch in scratches for mark in scratch.marks(rng)]
        if hair is not None:
            marks.append(_shaken(hair, rng))
        luma = y.astype(np.float32)
        for points, closed, thick, light, share in marks:
            _blend(luma, points, closed, thick, light, share)
        result.append((np.rint(luma).astype(np.uint8), uv))
    return result


class _Scratch:
    """A line along a part of the film, in the same column of every frame, or nearly."""

    def __init__(self, height: int, width: int, rng: np.random.Generator) -> None:
        self._column = rng.uniform(0, width)
        self._thick = rng.uniform(0.5, 1.6)
        self._light = float(rng.choice([20.0, 230.0]))
        self._share = rng.uniform(0.1, 0.7)
        self._ends = np.sort(rng.uniform(-0.5, 1.5, 2)) * height

    def marks(self, rng: np.random.Generator) -> list[Mark]:
        self._column += rng.normal(0, 0.3)
        columns = self._column, self._column + rng.normal(0, 0.4)
        line = np.stack([columns, self._ends + rng.normal(0, 4, 2)], -1)
        return [(line, False, self._thick, self._light, self._share)]


def _speck(height: int, width: int, rng: np.random.Generator) -> Mark:
    """A small uneven patch; large ones are rare."""
    angles = np.linspace(0, 2 * np.pi, 9, endpoint=False)
    radius = 0.6 + rng.exponential(0.9)
    around = radius * rng.uniform(0.5, 1.2, (9, 1)) * np.stack([np.cos(angles), np.sin(angles)], -1)
    place = rng.uniform(0, 1, 2) * (width, height)
    light = float(rng.choice([25.0, 225.0]))
    return place + around, True, 0.0, light, float(rng.uniform(0.3, 1.0))


def _hair(height: int, width: int, rng: np.random.Generator) -> Mark:
    """A dark curve at an edge of the gate."""
    steps = rng.normal(0, 0.35, 24).cumsum() + rng.uniform(0, 2 * np.pi)
    path = (2.5 * np.stack([np.cos(steps), np.sin(steps)], -1)).cumsum(0)
    place = np.array([rng.uniform(0, width), rng.choice([0.03, 0.97]) * height])
    return place + path, False, float(rng.uniform(0.8, 1.8)), 20.0, float(rng.uniform(0.5, 0.9))


def _shaken(mark: Mark, rng: np.random.Generator) -> Mark:
    points, closed, thick, light, share = mark
    return points + rng.normal(0, 0.3, 2), closed, thick, light, share


def _blend(
    luma: NDArray[np.float32],
    points: NDArray[np.float64],
    closed: bool,
    thick: float,
    light: float,
    share: float,
) -> None:
    """Draw into `luma`, in place, with soft edges: outlines are drawn finer and shrunk by area."""
    height, width = luma.shape
    low = np.clip(np.floor(points.min(0) - 2), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(points.max(0) + 2), 0, (width, height)).astype(int)
    wide, tall = high - low
    if wide <= 0 or tall <= 0:
        return
    fine = np.zeros((tall * _FINE, wide * _FINE), np.uint8)
    outline = np.rint((points - low) * _FINE).astype(np.int32)
    if closed:
        cv2.fillPoly(fine, [outline], 255)
    else:
        cv2.polylines(fine, [outline], False, 255, max(1, round(thick * _FINE)))
    opacity = cv2.resize(fine, (wide, tall), interpolation=cv2.INTER_AREA) * (share / 255)
    part = luma[low[1] : high[1], low[0] : high[0]]
    part += (light - part) * opacity

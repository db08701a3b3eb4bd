"""Scenes of moving layers whose true picture is known at any time: motion that films lack.

A background and up to four cut-outs, all from photographs, each turning, growing and moving in its
own way, at up to tens of pixels a frame; now and then a title that stands still over them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes
from vidgen.train.sources import to_planes

__all__ = ["scene"]

_SHRINK = 0.6  # of the photographs: hides their own blur and coding
_FASTEST = 40.0  # pixels a frame
_TITLED = 0.25  # share of scenes with a title


@dataclass(frozen=True, slots=True)
class _Layer:
    """A picture with its opacity, and how it lies in the frame over time."""

    picture: NDArray[Any]
    """(h, w, 4) float32: B, G, R in 8-bit steps and opacity in [0, 1], premultiplied."""
    place: NDArray[Any]
    """(x, y) of its centre at time 0."""
    speed: NDArray[Any]
    bend: NDArray[Any]
    """Pixels a frame, and change of that."""
    turn: float
    """Radians a frame."""
    growth: float
    """Of its size, in a frame."""

    def drawn(self, canvas: NDArray[Any], time: float) -> NDArray[Any]:
        """`canvas` (H, W, 3) with the layer over it."""
        height, width = self.picture.shape[:2]
        center = self.place + self.speed * time + self.bend * (time * time / 2)
        angle, size = self.turn * time, (1 + self.growth) ** time
        cos, sin = size * np.cos(angle), size * np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        shift = center - turn @ np.array([width / 2, height / 2])
        out = cv2.warpAffine(
            self.picture,
            np.column_stack([turn, shift]),
            (canvas.shape[1], canvas.shape[0]),
            flags=cv2.INTER_CUBIC,
        )
        return canvas * (1 - out[..., 3:]) + out[..., :3]


def scene(stills: Sequence[Path], side: int, rng: np.random.Generator) -> Callable[[float], Planes]:
    """`scene(...)(time)`: the square picture of `side` pixels at any time near 0, in frames."""
    pan = _speed(rng, 0.5)
    ground = _Layer(
        _opaque(_photograph(stills, rng), side, rng),
        np.full(2, side / 2),
        pan,
        rng.normal(0, 0.05, 2) * np.abs(pan),
        rng.normal(0, 0.004),
        rng.normal(0, 0.006),
    )
    layers = [ground, *(_cutout(stills, side, pan, rng) for _ in range(rng.integers(1, 5)))]
    title = _title(side, rng) if rng.uniform() < _TITLED else None

    def at(time: float) -> Planes:
        canvas = np.zeros((side, side, 3), np.float32)
        for layer in layers:
            canvas = layer.drawn(canvas, time)
        if title is not None:
            canvas = canvas * (1 - title[..., 3:]) + title[..., :3]
        return to_planes(np.clip(np.rint(canvas), 0, 255).astype(np.uint8))

    return at


def _speed(rng: np.random.Generator, share: float) -> NDArray[Any]:
    """Slow ones are more frequent than fast ones."""
    angle, length = rng.uniform(0, 2 * np.pi), share * _FASTEST * rng.uniform() ** 2
    return np.array([np.cos(angle), np.sin(angle)]) * length


def _photograph(stills: Sequence[Path], rng: np.random.Generator) -> NDArray[Any]:
    picture = cv2.imread(str(stills[int(rng.integers(len(stills)))]), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("a still cannot be read")
    scale = _SHRINK * rng.uniform(0.6, 1.2)
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _part(picture: NDArray[Any], side: int, rng: np.random.Generator) -> NDArray[Any]:
    """A square of it, mirrored at its edges where it is too small."""
    height, width = picture.shape[:2]
    down, right = max(side - height, 0), max(side - width, 0)
    if down or right:
        picture = cv2.copyMakeBorder(
            picture, 0, down, 0, right, cv2.BORDER_REFLECT if down < height else cv2.BORDER_WRAP
        )
    top = rng.integers(0, picture.shape[0] - side + 1)
    left = rng.integers(0, picture.shape[1] - side + 1)
    return picture[top : top + side, left : left + side].astype(np.float32)


def _opaque(picture: NDArray[Any], side: int, rng: np.random.Generator) -> NDArray[Any]:
    """A square larger than the frame, so that it covers it whichever way it moves."""
    part = _part(picture, 2 * side, rng)
    return np.dstack([part, np.ones(part.shape[:2], np.float32)])


def _cutout(
    stills: Sequence[Path], side: int, pan: NDArray[Any], rng: np.random.Generator
) -> _Layer:
    """A shape with a clean edge, with the texture of a photograph."""
    size = int(side * rng.uniform(0.15, 0.6))
    part = _part(_photograph(stills, rng), size, rng)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    waves = rng.normal(0, 0.12, (3, 2))
    radius = 0.36 + sum(
        waves[k, 0] * 0.3 * np.cos((k + 1) * angles) + waves[k, 1] * 0.3 * np.sin((k + 1) * angles)
        for k in range(3)
    )
    points = np.stack([np.cos(angles) * radius, np.sin(angles) * radius * rng.uniform(0.4, 1)], -1)
    mask = np.zeros((4 * size, 4 * size), np.uint8)
    cv2.fillPoly(mask, [np.rint((points + 0.5) * 4 * size).astype(np.int32)], 255)
    opacity = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    speed = pan + _speed(rng, 1.0) if rng.uniform() < 0.7 else _speed(rng, 1.0)
    return _Layer(
        np.dstack([part * opacity[..., None], opacity]),
        rng.uniform(0.1, 0.9, 2) * side,
        speed,
        rng.normal(0, 0.08, 2) * np.abs(speed),
        rng.normal(0, 0.03),
        rng.normal(0, 0.01),
    )


def _title(side: int, rng: np.random.Generator) -> NDArray[Any]:
    """(side, side, 4) premultiplied: some words, with a dark edge as subtitles have it."""
    words = "".join(chr(code) for code in rng.integers(65, 123, 14))
    spot = int(rng.integers(0, side // 3)), int(rng.integers(side // 4, side))
    font, scale = int(rng.integers(8)), float(rng.uniform(0.7, 2.0))
    black, white = (np.zeros((side, side), np.uint8) for _ in range(2))
    cv2.putText(black, words, spot, font, scale, 255, 6, cv2.LINE_AA)
    cv2.putText(white, words, spot, font, scale, 255, 2, cv2.LINE_AA)
    color = rng.uniform(160, 255, 3).astype(np.float32)
    inner = white[..., None].astype(np.float32) / 255
    return np.dstack([inner * color, np.maximum(black, white).astype(np.float32) / 255])

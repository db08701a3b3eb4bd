"""Fades and flashes: how the light of a whole picture changes from one to the next.

Luma becomes `gain * y + offset`, and chroma `gain` times its distance from grey. Where that
explains much of what the motion does not, both pictures are brought to the light of the wanted
instant before they are compared and mixed; else a fade looks like a picture that nowhere matches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes

__all__ = ["Light", "change_of_light"]

_LEAST_CHANGE = 1.5  # 8-bit steps of mean or spread, below which nothing is sought
_EXPLAINED = 0.6  # of the difference must go away
_GAINS = 0.25, 4.0
_TRIMMED = 2.0  # times the mean difference: what is further away is left out of the second fit
_FLAT = 4.0  # 8-bit steps of spread: a picture without structure tells no gain


@dataclass(frozen=True, slots=True)
class Light:
    """A change of light; luma in 8-bit steps."""

    gain: float
    offset: float

    def until(self, phase: float) -> Light:
        """The part of the change that is done at `phase` in [0, 1], linear in time."""
        return Light(1 + phase * (self.gain - 1), phase * self.offset)

    def since(self, phase: float) -> Light:
        """From the end back to `phase`."""
        there = self.until(phase)
        gain = there.gain / self.gain
        return Light(gain, there.offset - gain * self.offset)

    def on(self, planes: Planes) -> Planes:
        """`planes` in the changed light."""
        y, uv = planes
        codes = 256 if y.dtype == np.uint8 else 1024
        unit, steps = codes / 256, np.arange(codes)
        luma = self.gain * steps + self.offset * unit
        chroma = codes / 2 + self.gain * (steps - codes / 2)
        return _looked_up(y, luma), _looked_up(uv, chroma)


def _looked_up(plane: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    table = np.clip(np.rint(values), 0, len(values) - 1).astype(plane.dtype)
    return np.asarray(cv2.LUT(plane, table) if plane.dtype == np.uint8 else table[plane])


def change_of_light(first: NDArray[np.uint8], last: NDArray[np.uint8]) -> Light | None:
    """From `first` to `last`, luma (h, w) that shows the same at the same places; None for none.

    A least-squares fit, repeated without what it does not explain.
    """
    (mean, spread), (mean_last, spread_last) = (
        [float(part[0, 0]) for part in cv2.meanStdDev(each)] for each in (first, last)
    )
    if abs(mean - mean_last) + abs(spread - spread_last) < _LEAST_CHANGE:
        return None
    a, b = first.ravel().astype(np.float32), last.ravel().astype(np.float32)
    before = float(np.abs(a - b).mean())
    light = _fitted(a, b)
    apart = np.abs(light.gain * a + light.offset - b)
    near = apart <= _TRIMMED * apart.mean()
    light = _fitted(a[near], b[near])
    after = float(np.abs(light.gain * a + light.offset - b).mean())
    if after > _EXPLAINED * before or not _GAINS[0] < light.gain < _GAINS[1]:
        return None
    return light


def _fitted(a: NDArray[Any], b: NDArray[Any]) -> Light:
    mean_a, mean_b = float(a.mean()), float(b.mean())
    spread = float(((a - mean_a) ** 2).mean())
    gain = float(((a - mean_a) * (b - mean_b)).mean()) / spread if spread > _FLAT**2 else 1.0
    return Light(gain, mean_b - gain * mean_a)

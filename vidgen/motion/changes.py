"""What a frame is to the one before it: a new shot, a repetition, or the film going on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Change", "ChangeDetector"]


@dataclass(frozen=True, slots=True)
class Change:
    """The relation of a frame to the one before it."""

    cut: bool
    duplicate: bool


class ChangeDetector:
    """Decides frame by frame, causally and by content alone."""

    def __init__(self) -> None:
        self._previous: NDArray[np.uint8] | None = None

    def __call__(self, half: NDArray[np.uint8]) -> Change:
        """`half` is the half-resolution luma of the next frame, as of `half_luma`."""
        previous, self._previous = self._previous, half
        if previous is None or previous.shape != half.shape:
            return Change(cut=True, duplicate=False)
        size = (max(half.shape[1] // 4, 1), max(half.shape[0] // 4, 1))
        change = cv2.resize(cv2.absdiff(previous, half), size, interpolation=cv2.INTER_AREA)
        if change.max() <= 1:
            return Change(cut=False, duplicate=True)
        return Change(cut=float(change.mean()) > 40, duplicate=False)

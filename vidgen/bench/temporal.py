"""How steadily a film moves beside its reference: tOF, warp error, flicker where nothing moves.

All take luma planes (H, W) of neighbouring frames, and none is asked across a cut.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.motion.warp import pixel_grid, sample

__all__ = ["Flicker", "Luma", "Step", "tof", "warp_error"]

Luma = NDArray[Any]
"""(H, W) uint8, or uint16 with the value in the low bits."""

_NEW: Any = None  # "make the result", which OpenCV's type stubs do not know
_SMALLEST = 32  # pixels a side; DIS is not made for less

# Sundaram et al., "Dense point trajectories by GPU-accelerated large displacement optical flow",
# ECCV 2010, eq. 5: beyond this the two flows contradict each other
_STRAY_SHARE, _STRAY_PIXELS = 0.01, 0.5

_STILL_CODES = 1.0  # of 8 bits: the deviation that a codec leaves in a picture that stands still
_STILL_SHARE = 0.01  # of the picture; below, its mean says nothing


class Step:
    """Two neighbouring frames of the reference; its flows are estimated once, when asked for."""

    def __init__(self, before: Luma, now: Luma, bit_depth: int = 8) -> None:
        self.bit_depth = bit_depth
        self._before, self._now = (_bytes(luma, bit_depth) for luma in (before, now))

    @cached_property
    def flow(self) -> NDArray[np.float32]:
        """(H, W, 2) Farneback flow from the frame before to this one, in pixels."""
        return _farneback(self._before, self._now)

    @cached_property
    def path(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(H, W, 2) positions in the frame before of what is seen now; (H, W) where to trust them.

        DIS flow, medium preset; not trusted where flow there and back contradict each other, or
        where it comes from outside.
        """
        height, width = self._now.shape
        if min(height, width) < _SMALLEST:
            return pixel_grid(height, width), np.zeros((height, width), np.bool_)
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        back = np.asarray(dis.calc(self._now, self._before, _NEW), np.float32)
        forth = np.asarray(dis.calc(self._before, self._now, _NEW), np.float32)
        there = np.asarray(pixel_grid(height, width) + back, np.float32)
        return there, _agree(back, sample(forth, there)) & _inside(there)


def tof(step: Step, before: Luma, now: Luma) -> float:
    """Mean distance in pixels between the flow of the reference and that of the output.

    M. Chu et al., "Learning temporal coherence via self-supervision for GAN-based video generation"
    (TecoGAN), ACM TOG 39 (2020), section 5: Farneback flow from the frame before to this one, in
    either film, on luma. 0 means the same motion.
    """
    apart = step.flow - _farneback(*(_bytes(luma, step.bit_depth) for luma in (before, now)))
    return float(np.hypot(apart[..., 0], apart[..., 1]).mean(dtype=np.float64))


def warp_error(step: Step, before: Luma, now: Luma) -> float | None:
    """Mean squared step of the output along the motion of the reference, in 8-bit codes squared.

    W.-S. Lai et al., "Learning blind video temporal consistency", ECCV 2018, eq. 8, over the pixels
    of `Step.path` to be trusted; None where there are none. The reference itself does not reach 0:
    flow is not perfect, and light changes.
    """
    there, trusted = step.path
    if not trusted.any():
        return None
    moved = sample(before.astype(np.float32), there)
    error = (now.astype(np.float32) - moved)[trusted] / 2 ** (step.bit_depth - 8)
    return float(np.square(error).mean(dtype=np.float64))


class Flicker:
    """Temporal deviation of the output where the reference stands still, in 8-bit codes.

    Over each run of `LENGTH` frames of a shot: the mean, over all pixels whose reference deviates
    by at most one code, of the output's standard deviation. Give it every frame in order. The frame
    that begins a shot is in no run: what has a memory draws it without one, and the step to the
    next is not flicker.
    """

    LENGTH = 8
    """Frames of a run, a third of a second of film."""

    def __init__(self) -> None:
        self._frames = 0
        self._first: list[NDArray[Any]] = []
        self._sums: list[NDArray[Any]] = []

    def __call__(
        self, reference: Luma, output: Luma, *, cut: bool, bit_depth: int = 8
    ) -> float | None:
        """The figure of the run that this frame ends; None in its course, or if none is still."""
        if cut:
            self._frames = 0
            return None
        unit = np.float32(2 ** (bit_depth - 8))
        planes = [luma.astype(np.float32) / unit for luma in (reference, output)]
        if not self._frames:
            self._first = planes
            self._sums = [np.zeros_like(planes[0]) for _ in range(4)]
        self._frames += 1
        for index, (plane, first) in enumerate(zip(planes, self._first, strict=True)):
            away = plane - first  # small where still, so that the sums stay exact in float32
            self._sums[2 * index] += away
            self._sums[2 * index + 1] += away * away
        if self._frames < self.LENGTH:
            return None
        self._frames = 0
        ours, theirs = (self._deviation(*self._sums[i : i + 2]) for i in (0, 2))
        still = ours <= _STILL_CODES
        if still.mean() < _STILL_SHARE:
            return None
        return float(theirs[still].mean(dtype=np.float64))

    def _deviation(self, total: NDArray[Any], squares: NDArray[Any]) -> NDArray[Any]:
        mean = total / self.LENGTH
        return np.asarray(np.sqrt(np.maximum(squares / self.LENGTH - mean * mean, 0)))


def _bytes(luma: Luma, bit_depth: int) -> NDArray[np.uint8]:
    """Luma at 8 bits, rounded."""
    if bit_depth == 8:
        return luma
    return np.asarray(cv2.convertScaleAbs(luma, alpha=1 / 2 ** (bit_depth - 8)), np.uint8)


def _farneback(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W, 2), with the parameters of TecoGAN's own measurement."""
    flow = cv2.calcOpticalFlowFarneback(before, now, _NEW, 0.5, 3, 15, 3, 5, 1.2, 0)
    return np.asarray(flow, np.float32)


def _agree(flow: NDArray[Any], reverse: NDArray[Any]) -> NDArray[np.bool_]:
    """Where `flow` and the reverse flow at its end cancel out."""
    stray = np.square(flow + reverse).sum(2)
    lengths = np.square(flow).sum(2) + np.square(reverse).sum(2)
    return np.asarray(stray <= _STRAY_SHARE * lengths + _STRAY_PIXELS)


def _inside(positions: NDArray[np.float32]) -> NDArray[np.bool_]:
    height, width = positions.shape[:2]
    x, y = positions[..., 0], positions[..., 1]
    return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))

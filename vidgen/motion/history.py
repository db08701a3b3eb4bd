"""The engine's own previous output, brought to where the picture is now: what an upscaler recalls.

Where the frame before, moved along the flow, does not look like this one, the past is not to be
trusted. What is left of it is clamped to the neighbourhood of the present pixels (as temporal
anti-aliasing does, B. Karis, "High quality temporal supersampling", SIGGRAPH 2014), so that nothing
which is no longer there can linger. And what does not change is not drawn anew: a network that sees
its own output of the same picture over and over drifts. `vidgen.reference.history` has all of it in
NumPy, `vidgen.engines.recall` on GPUs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.engines import Engine
from vidgen.frame import Field, Planes
from vidgen.motion.flow import half_luma
from vidgen.motion.warp import pixel_grid, sample
from vidgen.reference.history import MARGIN_CODES, MARGIN_SHARE, MISMATCH, SAME_AROUND

__all__ = ["MARGIN_CODES", "MARGIN_SHARE", "HostMemory", "align", "settled", "trusted"]

_STRIP = 64  # rows of which positions stay in the cache while all planes are sampled
_WINDOW = 3  # half-resolution pixels a side over which pictures are compared


@dataclass(frozen=True)
class _Drawn:
    """A picture, and what was made of it."""

    engine: Engine
    y: NDArray[Any]
    half: NDArray[np.uint8]
    output: NDArray[Any]


class HostMemory:
    """What upscalers of one size recall, on the host; see `vidgen.engines.Memory`.

    Pictures are `factor` times as large as those that the flow is of.
    """

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._last: _Drawn | None = None

    def draw(
        self, engine: Engine, planes: Planes, flow: Callable[[], Field] | None, *, keep: bool
    ) -> Planes:
        """See `Memory`."""
        half, last = half_luma(planes[0]), self._last
        y, uv = engine(*planes, *self._recalled(engine, planes[0], half, flow))
        if flow is not None and last is not None and last.engine is engine:
            y = settled(last.y, planes[0], last.output, y)
        if keep:
            # copies: callers may draw into their pictures, and what is kept is shown again
            self._last = _Drawn(engine, planes[0].copy(), half, y.copy())
        return y, uv

    def forget(self) -> None:
        """The next picture has nothing to look back to."""
        self._last = None

    def _recalled(
        self,
        engine: Engine,
        y: NDArray[Any],
        half: NDArray[np.uint8],
        flow: Callable[[], Field] | None,
    ) -> list[NDArray[Any]]:
        """What the engine takes beside the picture: `history` and `confidence`, or nothing."""
        past = list(engine.inputs.values())[2:]
        if not past or flow is None or self._last is None:
            return [np.zeros(shape, dtype) for shape, dtype in past]
        steps, trust = trusted(self._last.half, half, _enlarged(flow(), self._factor, half))
        scale = isqrt(past[0][0][0])
        return [align(self._last.output, y, steps, scale), _resized(trust, y.shape)]


def _enlarged(flow: Field, factor: int, like: NDArray[Any]) -> Field:
    """`flow` for pictures `factor` times as large, its edges replicated to the size of `like`."""
    height, width = (side * factor for side in flow.shape[:2])
    if factor > 1:
        flow = _resized(flow, (height, width)) * np.float32(factor)
    down, right = like.shape[0] - height, like.shape[1] - width
    return np.pad(flow, ((0, down), (0, right), (0, 0)), "edge") if down or right else flow


def _resized(field: NDArray[Any], size: tuple[int, ...]) -> NDArray[Any]:
    return cv2.resize(field, size[::-1], interpolation=cv2.INTER_LINEAR)


def trusted(
    previous: NDArray[np.uint8], current: NDArray[np.uint8], flow: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The flow, put to rest where rest explains the picture as well, and the trust in it.

    `previous` and `current` are half-resolution luma (h, w); `flow` (h, w, 2) leads from `current`
    to `previous`, in full-resolution pixels. Trust (h, w) is 255 where both show the same. Rest
    keeps titles and logos apart from what moves behind them, and takes no sample between pixels.
    """
    places: NDArray[Any] = cv2.scaleAdd(flow, 0.5, pixel_grid(*flow.shape[:2]))
    moved, still = _apart(sample(previous, places), current), _apart(previous, current)
    at_rest = still <= moved
    apart = np.minimum(still, moved)
    trust = np.rint(255 / (1 + (apart / MISMATCH) ** 2)).astype(np.uint8)
    return np.where(at_rest[..., None], np.float32(0), flow), trust


def _apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w) mean difference around each pixel."""
    difference = cv2.absdiff(one, other).astype(np.float32)
    return np.asarray(cv2.blur(difference, (_WINDOW, _WINDOW)), np.float32)


def align(
    output: NDArray[Any], y: NDArray[Any], flow: NDArray[np.float32], scale: int
) -> NDArray[Any]:
    """(s * s, H, W), dtype of `y`: the previous `output` (s H, s W) at the pixels of `y` (H, W).

    Plane `s * a + b` holds rows `a`, columns `b` of every block of s x s pixels. `flow`
    (H/2, W/2, 2) is that of `y` to the frame before, in its pixels. Bilinear; edges replicated.
    """
    height, width = y.shape
    wide = _resized(flow, y.shape)
    grid, (low, high) = pixel_grid(height, width), _limits(y)
    planes = np.empty((scale**2, height, width), y.dtype)
    for top in range(0, height, _STRIP):
        rows = slice(top, top + _STRIP)
        corner: NDArray[Any] = cv2.addWeighted(wide[rows], scale, grid[rows], scale, 0)
        for number, plane in enumerate(planes):
            shifted = output[number // scale :, number % scale :]  # cheaper than to move positions
            moved = sample(shifted, corner)
            cv2.min(cv2.max(moved, low[rows], dst=moved), high[rows], dst=plane[rows])
    return planes


def settled(
    before: NDArray[Any], now: NDArray[Any], output: NDArray[Any], made: NDArray[Any]
) -> NDArray[Any]:
    """`made` (s H, s W) for `now` (H, W), but `output`, made for `before`, where nothing changed.

    That is where both pictures are the same, to the code, at all of the 5x5 pixels around that
    exist. All are of one dtype; `made` is written to.
    """
    around = np.ones((2 * SAME_AROUND + 1,) * 2, np.uint8)
    same = cv2.erode(cv2.compare(before, now, cv2.CMP_EQ), around)
    if not same.any():
        return made
    wide = cv2.resize(same, made.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.copyTo(output, wide, made))


def _limits(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The least and the most that may be recalled at each pixel, dtype of `y`."""
    around = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(y, around), cv2.dilate(y, around)
    margin = cv2.addWeighted(
        cv2.subtract(high, low), MARGIN_SHARE, y, 0, MARGIN_CODES << (0 if y.itemsize == 1 else 2)
    )
    high = cv2.add(high, margin)
    return cv2.subtract(low, margin), high if y.itemsize == 1 else np.minimum(high, 1023)

"""Both real pictures sampled along a velocity field and mixed: the picture that is shown.

OpenCV samples four channels in little more time than one. So each pixel is joined with those that
make up a block with it, 2x2 of luma or two pairs of chroma side by side, and a whole block of the
result is taken at one place. Within a block the motion is hardly another one: it is known at every
fourth luma pixel. Against a place for each pixel that takes half the time and costs no decibels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes
from vidgen.motion.warp import pixel_grid, sample

__all__ = ["Candidates", "Guess", "candidates", "draw"]

Field = NDArray[Any]
"""(h, w, 2) float32, (x, y) order."""
Scalars = NDArray[Any]
"""(h, w) float32."""

_LUMA_ROWS, _CHROMA_ROWS, _COLUMNS = 2, 1, 2  # of a block
_SAME, _UNLIKE = 1.0, 8.0  # 8-bit steps up to which nothing, and from which anything is added
_ONE = 1 << 14  # shares are int16 with 14 bits after the point


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """Where two pictures are sampled for a third, at a quarter of the resolution of luma."""

    steps: tuple[Field, Field]
    """From each pixel to its place in the first and in the last, in pixels of luma."""
    weight: Scalars
    """The share of the last, in [0, 1]."""
    difference: Scalars
    """How far both places differ, in 8-bit steps."""
    still: NDArray[Any] | None = None
    """(H, W), dtype of luma: all bits set where it stands still, whatever the steps say."""
    nearer: int = 0
    """0: what stands still is that of the first; 1: that of the last."""

    @property
    def loss(self) -> Scalars:
        """(h, w) in [0, 1/2]: the share of fine detail that sampling takes."""
        return np.asarray(
            _loss(self.steps[0]) * (1 - self.weight) + _loss(self.steps[1]) * self.weight
        )


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Two versions of one picture, by 2x2 pixels, and what is known of them: a network's input."""

    first: Planes
    """`y (H/2, W/2, 4)`, row by row, and `uv (H/2, W/2, 2)`; dtype of the pictures."""
    last: Planes
    guide: NDArray[np.uint8]
    """(H/2, W/2, 4): share of the last (255 is all); 4 times their difference in 8-bit steps; the
    loss of detail (255 is 1/2); how much may be added to the mix (255 is anything, 0 nothing)."""

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """In the order in which an engine takes them."""
        return *self.first, *self.last, self.guide


def draw(before: Planes, after: Planes, guess: Guess) -> Planes:
    """Both pictures sampled and mixed as `guess` says.

    Luma gets back the detail that sampling takes from it. The result belongs to the caller.
    """
    height, width = before[0].shape
    first, last = (_sampled(each) for each in zip((before, after), guess.steps, strict=True))
    y, uv = (_mixed(a, b, guess.weight) for a, b in zip(first, last, strict=True))
    pairs = np.ascontiguousarray(uv.reshape(height // 2, -1, 2)[:, : width // 2])
    luma = _sharpened(_unfolded(y, height, width), guess.loss)
    if guess.still is not None:
        real = (before, after)[guess.nearer]
        _put(luma, real[0], guess.still)
        _put(pairs, real[1], _whole(guess.still))
    return luma, pairs


def candidates(before: Planes, after: Planes, guess: Guess) -> Candidates:
    """Both pictures sampled as `guess` says, not mixed."""
    height, width = (side // 2 for side in before[0].shape)
    first, last = (
        (y, np.ascontiguousarray(uv.reshape(height, -1, 2)[:, :width]))
        for y, uv in (_sampled(each) for each in zip((before, after), guess.steps, strict=True))
    )
    loss = guess.loss
    gate = 2 * loss + np.maximum(guess.difference - _SAME, 0) * np.float32(1 / _UNLIKE)
    parts = guess.weight * 255, guess.difference * 4, loss * 510, gate * 255
    small = cv2.merge([cv2.convertScaleAbs(part) for part in parts])
    guide = np.asarray(cv2.resize(small, (width, height)), np.uint8)
    if guess.still is not None:
        still, whole = _folded(guess.still), _whole(guess.still)
        luma, chroma = (before, after)[guess.nearer]
        for y, uv in (first, last):
            _put(y, _folded(luma), still)
            _put(uv, chroma, whole)
        moves = (_together(guess.still, np.bitwise_or) == 0).astype(np.uint8) * np.uint8(255)
        guide &= cv2.merge([np.full_like(moves, 255), moves, moves, moves])
    return Candidates(first, last, guide)


def _sampled(each: tuple[Planes, Field]) -> Planes:
    """Blocks of luma (h, w, 4) and of chroma (h, w', 4), each taken at its place."""
    (y, uv), steps = each
    return _blocks_at(y, steps, _LUMA_ROWS, 1), _blocks_at(uv, steps, _CHROMA_ROWS, 0.5)


def _blocks_at(plane: NDArray[Any], steps: Field, rows: int, scale: float) -> NDArray[Any]:
    """(h, w, 4) blocks of `plane`, each moved by `scale` times the `steps` (any size) at it."""
    height, width = plane.shape[:2]
    size = (-(-width // _COLUMNS), height // rows)
    along = cv2.resize(steps, size, interpolation=cv2.INTER_LINEAR)
    places: Field = cv2.scaleAdd(along, scale, _corners(*size, rows))
    return sample(_blocks(plane, rows), places)


def _blocks(plane: NDArray[Any], rows: int) -> NDArray[Any]:
    """(H, W, 4): at each pixel the values of the block that starts there; edges replicated."""
    height, width = plane.shape[:2]
    wide = cv2.copyMakeBorder(plane, 0, rows - 1, 0, _COLUMNS - 1, cv2.BORDER_REPLICATE)
    shifts = [(down, right) for down in range(rows) for right in range(_COLUMNS)]
    return cv2.merge([wide[down : down + height, right : right + width] for down, right in shifts])


@lru_cache(maxsize=8)
def _corners(width: int, height: int, rows: int) -> Field:
    """(height, width, 2) float32: where each block begins, in pixels. Shared, read-only."""
    corners: Field = pixel_grid(height, width) * np.array([_COLUMNS, rows], np.float32)
    corners.flags.writeable = False
    return corners


def _put(made: NDArray[Any], real: NDArray[Any], bits: NDArray[Any]) -> None:
    """Put `real` into `made` where all `bits` are set."""
    made ^= (made ^ real) & bits


def _whole(still: NDArray[Any]) -> NDArray[Any]:
    """(H/2, W/2, 2): all bits set for blocks that stand still as a whole."""
    return np.asarray(cv2.merge([_together(still, np.bitwise_and)] * 2))


def _together(still: NDArray[Any], both: np.ufunc) -> NDArray[Any]:
    """(H/2, W/2): the four of each block joined by `both`."""
    rows = both(still[::2], still[1::2])
    return np.asarray(both(rows[:, ::2], rows[:, 1::2]))


def _folded(y: NDArray[Any]) -> NDArray[Any]:
    """(H/2, W/2, 4): the 2x2 pixels of each block, row by row."""
    return np.asarray(cv2.merge([y[d::2, r::2] for d in (0, 1) for r in (0, 1)]))


def _unfolded(blocks: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """(H, W) from rows of 2x2 blocks."""
    pair = np.dtype(f"u{2 * blocks.itemsize}")  # two neighbours in a row, moved as one
    rows = blocks.view(pair).reshape(height // 2, width // 2, 2).swapaxes(1, 2)
    return np.ascontiguousarray(rows).view(blocks.dtype).reshape(height, width)


def _mixed(first: NDArray[Any], last: NDArray[Any], weight: Scalars) -> NDArray[Any]:
    """(h, 4 * w): `first` plus `weight` times the step to `last`; equal values stay exact."""
    first, last = first.reshape(len(first), -1), last.reshape(len(last), -1)
    return _moved(first, cv2.subtract(last, first, dtype=cv2.CV_16S), weight)


def _loss(steps: Field) -> Scalars:
    """(h, w) in [0, 1/2]: the share of fine detail that bilinear sampling at `steps` pixels takes.

    At a fraction f of a pixel it damps a wave of w radians a pixel by f * (1 - f) * w**2 / 2, to
    second order. A blur by [1 2 1] / 4 takes w**2 / 4 of it; so that has to be given back
    2 * f * (1 - f) times, on the mean of both axes.
    """
    part = steps - np.floor(steps)
    part *= 1 - part
    return np.asarray(part[..., 0] + part[..., 1])


def _sharpened(plane: NDArray[Any], share: Scalars) -> NDArray[Any]:
    """`plane` plus `share` times what a blur by [1 2 1] / 4 takes from it; flat stays exact."""
    detail = cv2.subtract(plane, cv2.GaussianBlur(plane, (3, 3), 0), dtype=cv2.CV_16S)
    sharp = _moved(plane, detail, share)
    return sharp if sharp.dtype == np.uint8 else np.minimum(sharp, np.uint16(1023))


def _moved(plane: NDArray[Any], step: NDArray[Any], share: Scalars) -> NDArray[Any]:
    """`plane` (H, W) plus `share` in [0, 1] (any size) times `step`, int16; in its dtype."""
    size = (plane.shape[1], plane.shape[0])
    factor: NDArray[Any] = (share * np.float32(_ONE)).astype(np.int16)
    factor = cv2.resize(factor, size, interpolation=cv2.INTER_LINEAR)
    step = cv2.multiply(step, factor, scale=1 / _ONE, dtype=cv2.CV_16S)
    return cv2.add(plane, step, dtype=cv2.CV_8U if plane.dtype == np.uint8 else cv2.CV_16U)

"""Block search for what flow has lost: things that move further than they are large.

From coarse to fine, a ball or a post is gone at the scale at which its motion is small: flow never
finds it. What flow does not explain is looked for block by block, an eighth of luma's resolution,
within 128 pixels. A block that is found there far better than where flow leads takes that motion;
flow goes on from it. In most pairs of frames nothing is looked for.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.motion.warp import pixel_grid, sample

__all__ = ["put_far_matches"]

Field = NDArray[Any]
"""(h, w, 2) float32, (x, y) order."""

_BLOCK, _AROUND, _REACH = 4, 2, 16  # pixels of an eighth: a side, what is compared around, how far
_LOST = 18.0  # mean 8-bit difference of a block from where flow leads, from which it is sought
_FOUND = 0.6  # of the root mean square difference must be left at most
_FLAT = 6.0  # 8-bit steps of deviation: what has no structure is alike anywhere
_TAKEN = 0.5  # share of the place found to which other things are seen to go
_MOST = 64  # blocks sought, the worst ones: in a picture where nothing matches nothing is found


def put_far_matches(
    source: NDArray[np.uint8], target: NDArray[np.uint8], flow: Field, down: int
) -> bool:
    """Put what was lost into `flow` from `source` to `target`; whether there was any.

    Both are luma (h, w), `down` times finer than an eighth of the frame's; flow in their pixels.
    """
    height, width = source.shape
    size = max(width // down, 1), max(height // down, 1)
    first, last = (
        cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (source, target)
    )
    last = _in_the_light_of(first, last)
    led: Field = cv2.resize(flow, size, interpolation=cv2.INTER_AREA) * np.float32(1 / down)
    apart = cv2.absdiff(first, sample(last, pixel_grid(*first.shape) + led))
    lost = _worst_blocks(apart)
    if not lost:
        return False
    taken = cache(partial(_taken, led, apart))
    first, apart = (_framed(each, _AROUND) for each in (first, apart))
    last, any_found = _framed(last, _AROUND + _REACH), False
    for row, column in lost:
        step = _found(first, last, apart, _BLOCK * row, _BLOCK * column)
        if step is not None and not _is_taken(taken(), row, column, step):
            side = _BLOCK * down
            rows, columns = (slice(n * side, (n + 1) * side) for n in (row, column))
            flow[rows, columns], any_found = np.array(step, np.float32) * down, True
    return any_found


def _in_the_light_of(first: NDArray[Any], last: NDArray[Any]) -> NDArray[Any]:
    """`last` with the mean and the spread of `first`: in a fade nothing is lost."""
    (mean, spread), (mean_last, spread_last) = (
        [float(part[0, 0]) for part in cv2.meanStdDev(each)] for each in (first, last)
    )
    gain = spread / spread_last if spread_last > _FLAT else 1.0
    return cv2.convertScaleAbs(last, alpha=gain, beta=mean - gain * mean_last)


def _worst_blocks(apart: NDArray[Any]) -> list[tuple[int, int]]:
    """Row and column of whole blocks that differ too much."""
    rows, columns = (side // _BLOCK for side in apart.shape)
    if not rows or not columns:
        return []
    whole = apart[: rows * _BLOCK, : columns * _BLOCK]
    means = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA).ravel()
    lost = np.flatnonzero(means > _LOST)
    worst = lost[np.argsort(-means[lost].astype(int), kind="stable")[:_MOST]]
    return [divmod(int(n), columns) for n in worst]


def _taken(led: Field, apart: NDArray[Any]) -> NDArray[np.uint8]:
    """(h, w) 1 where something else is seen to have gone: what is alike there is another thing."""
    height, width = apart.shape
    places = np.rint(pixel_grid(height, width) + led)[apart < _LOST / 2].astype(np.int32)
    inside = ((places >= 0) & (places < (width, height))).all(1)
    taken = np.zeros((height, width), np.uint8)
    taken[places[inside, 1], places[inside, 0]] = 1
    return taken


def _is_taken(taken: NDArray[Any], row: int, column: int, step: tuple[int, int]) -> bool:
    """Whether most of where a block would go is, or lies outside the picture."""
    x, y = _BLOCK * column + step[0], _BLOCK * row + step[1]
    there = taken[max(y, 0) : y + _BLOCK, max(x, 0) : x + _BLOCK]
    return there.size == 0 or float(there.mean()) > _TAKEN


def _found(
    first: NDArray[Any], last: NDArray[Any], apart: NDArray[Any], y: int, x: int
) -> tuple[int, int] | None:
    """(x, y) from the block that begins at (y, x) to where it is seen; None: nowhere."""
    side = _BLOCK + 2 * _AROUND
    block = first[y : y + side, x : x + side]
    window = last[y : y + side + 2 * _REACH, x : x + side + 2 * _REACH]
    least, _, (right, down), _ = cv2.minMaxLoc(cv2.matchTemplate(window, block, cv2.TM_SQDIFF))
    now = cv2.norm(apart[y : y + side, x : x + side], cv2.NORM_L2SQR)
    if least >= _FOUND**2 * now or block.std() < _FLAT:
        return None
    return right - _REACH, down - _REACH


def _framed(plane: NDArray[Any], margin: int) -> NDArray[Any]:
    return cv2.copyMakeBorder(plane, margin, margin, margin, margin, cv2.BORDER_REPLICATE)

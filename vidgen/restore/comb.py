"""How far the fields of a film belong together, measured frame by frame.

Weave the top rows of one frame and the bottom rows of another: where both show the same instant the
result is a picture; where something has moved in between, every second row sticks out of the rows
above and below it (a comb). Vertical detail sticks out as well, but from the rows of its own field
too, and in the best woven of the frames around as well; that much is taken off. FFmpeg's idet
compares the same three weaves by second differences.

Rows are reduced by four horizontally first: a comb is as wide as what moved, noise is not.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Evidence", "Measure"]

Rows = NDArray[Any]
"""(H/2, W/4) uint8: the rows of one field; 10 bit becomes 8 first. OpenCV's uint8 arithmetic stops
at 0 and 255, which is what is wanted of differences here."""

_NARROWER = 4
_BLOCK = (8, 8)  # rows of a field, reduced columns: 16x32 pixels
_NOISE = 3  # 8-bit steps by which two rows may stick out together
_MOVED = 0.7  # mean 8-bit steps of a block, after that, from which it counts as combed
_REACH = 3  # frames before and after, among which is one without a comb in any pulldown
_DETAIL = 0.9  # how much of the least comb around is taken for detail
_STILL, _LIVELY = 2.0, 5.0  # change that says nothing: a coder's; change that says all
_ALIKE = 0.9  # best weave over worst: something fine moves, or something very fast; who knows
_UNSURE = 0.8  # comb of the worst weave: with noise, each of them is the worst somewhere
_FEW = 2e-3  # share of blocks that must speak for a frame to have a say
_SHIFT = 1.0  # mean difference of a block of the same parity from which it counts as moving


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a frame's fields go with each other and with those of the next frame.

    Combs are shares in [0, 1] of the strongest of the three weaves; all are 0 where nothing moves.
    """

    own: float
    """Comb of the frame's own top and bottom."""
    top_next: float
    """Comb of its bottom with the next frame's top: neighbours in time when the top is first."""
    bottom_next: float
    """Comb of its top with the next frame's bottom: neighbours when the bottom is first."""
    weight: float
    """In [0, 1]: how much moves, and so how far this can be relied on."""
    change: float
    """Mean difference of the next frame's fields from this one's, 8-bit steps, of the most changed
    thousandth of the picture."""


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Means over the blocks of a frame."""

    combs: NDArray[np.float32]
    """(3, n): of the frame's own fields, with the next top, with the next bottom."""
    change: NDArray[np.float32]
    """(n,): of the field of either parity that differs more from the next one."""


class Measure:
    """Takes frames one by one; evidence comes a few frames later, and the rest from `rest`."""

    def __init__(self) -> None:
        self._before: tuple[Rows, Rows] | None = None
        self._window: deque[_Blocks] = deque()
        self._at = 0  # of the frame in the window whose turn it is

    def __call__(self, y: NDArray[Any]) -> list[Evidence]:
        """`y` (H, W) uint8 or uint16 (10 bit) is the next frame."""
        fields = _fields(y)
        before, self._before = self._before, fields
        if before is None:
            return []
        self._window.append(_compared(before, fields))
        if len(self._window) <= self._at + _REACH:
            return []
        found = [self._evidence()]
        self._at += 1
        if self._at > _REACH:
            self._window.popleft()
            self._at -= 1
        return found

    def rest(self) -> list[Evidence]:
        """The evidence of the last frames; the very last one has no next one and gets none."""
        found = []
        while self._at < len(self._window):
            found.append(self._evidence())
            self._at += 1
        return found

    def _evidence(self) -> Evidence:
        now = self._window[self._at]
        around = list(self._window)[max(self._at - _REACH, 0) : self._at + _REACH + 1]
        detail = np.min([blocks.combs[0] for blocks in around], axis=0) * np.float32(_DETAIL)
        combs = np.maximum(now.combs - detail, 0)
        strongest = combs.max(axis=0)
        speaking = (strongest > _MOVED) & (now.change > _SHIFT)
        total = float(strongest[speaking].sum())
        shares = [float(comb[speaking].sum()) / total if total else 0.0 for comb in combs]
        count = max(now.change.size // 1000, 1)
        change = float(np.partition(now.change, -count)[-count:].mean())
        best, worst = min(shares), max(shares)
        weight = (
            _ramp(float(speaking.mean()), 0, _FEW)
            * _ramp(change, _STILL, _LIVELY)
            * _ramp(-best / max(worst, 1e-6), -_ALIKE, 0.15 - _ALIKE)
            * _ramp(worst, _UNSURE, _UNSURE + 0.12)
        )
        return Evidence(shares[0], shares[1], shares[2], weight, change)


def _ramp(value: float, start: float, end: float) -> float:
    """0 up to `start`, 1 from `end` on."""
    return min(max((value - start) / (end - start), 0.0), 1.0)


def _compared(now: tuple[Rows, Rows], following: tuple[Rows, Rows]) -> _Blocks:
    """A frame, as (top, bottom), beside the next."""
    weaves = (now, (following[0], now[1]), (now[0], following[1]))
    combs = np.stack([_blocks(_comb(top, bottom)).ravel() for top, bottom in weaves])
    changes = [_blocks(cv2.absdiff(a, b)).ravel() for a, b in zip(now, following, strict=True)]
    return _Blocks(combs, np.maximum(*changes))


def _fields(y: NDArray[Any]) -> tuple[Rows, Rows]:
    height, width = y.shape
    rows = cv2.resize(y, (max(width // _NARROWER, 1), height), interpolation=cv2.INTER_AREA)
    if rows.dtype != np.uint8:
        rows = cv2.convertScaleAbs(rows, alpha=0.25)
    return np.ascontiguousarray(rows[0::2]), np.ascontiguousarray(rows[1::2])


def _comb(top: Rows, bottom: Rows) -> Rows:
    """How far each row sticks out of its neighbours of the other field, beyond its own field's."""
    outside = cv2.add(_outside(bottom, top, _below(top)), _outside(top, _above(bottom), bottom))
    own = cv2.addWeighted(_curve(top), 0.5, _curve(bottom), 0.5, _NOISE)
    return cv2.subtract(outside, own)


def _outside(rows: Rows, above: Rows, below: Rows) -> Rows:
    """By how much `rows` leave the range between `above` and `below`."""
    over = cv2.subtract(rows, cv2.max(above, below))
    return cv2.max(over, cv2.subtract(cv2.min(above, below), rows))


def _curve(rows: Rows) -> Rows:
    """How far the rows of a field stick out within it: what vertical detail alone may do."""
    return _outside(rows, _above(rows), _below(rows))


def _above(rows: Rows) -> Rows:
    return np.concatenate([rows[:1], rows[:-1]])


def _below(rows: Rows) -> Rows:
    return np.concatenate([rows[1:], rows[-1:]])


def _blocks(rows: Rows) -> NDArray[np.float32]:
    """Means over blocks; what is no whole block at the lower and right edge is left out."""
    high, wide = (max(side // block, 1) for side, block in zip(rows.shape, _BLOCK, strict=True))
    whole = rows[: high * _BLOCK[0], : wide * _BLOCK[1]]  # OpenCV takes a quarter of the time then
    return np.asarray(
        cv2.resize(whole.astype(np.float32), (wide, high), interpolation=cv2.INTER_AREA), np.float32
    )

"""Which candidate for a missing row to believe, pixel by pixel: a fitted rule of 450 numbers.

Each place is described by how well things agree there (differences of fields and of pictures moved
along the flow, in logarithms, so that ratios count), and by the means of all that over the picture,
which tell how noisy it is. A perceptron with one hidden layer turns that into weights of the
candidates, which are positive and sum to 1: nothing is made that no candidate holds. The numbers
are in `fusion.json`; `python -m benchmarks.interlace_fit` fits them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.restore.fields import Rows, beside

__all__ = ["CANDIDATES", "Rule", "describe", "rules"]

CANDIDATES = 6

_SOFT = 0.5  # 8-bit steps: differences below count as none
_BLOCK = 4096  # places at a time: so few stay in the cache, and BLAS starts no threads for them
_WINDOW = (3, 3)  # over which differences are averaged, after columns are halved


@dataclass(frozen=True, slots=True)
class Rule:
    """A perceptron from features, and their means over the picture, to weights; all float32."""

    hidden: NDArray[np.float32]
    """(16, 2 F): F for the place, then F for the picture."""
    hidden_bias: NDArray[np.float32]
    """(16, 1)"""
    out: NDArray[np.float32]
    """(6, 16)"""
    out_bias: NDArray[np.float32]
    """(6, 1)"""

    def weights(self, features: list[Rows]) -> list[Rows]:
        """One (h, w) float32 for each candidate, in [0, 1]; they sum to 1 everywhere."""
        count, places = len(features), [feature.ravel() for feature in features]
        means = np.array([[feature.mean()] for feature in features], np.float32)
        bias = self.hidden[:, count:] @ means + self.hidden_bias
        shares = np.empty((len(self.out), places[0].size), np.float32)
        for begin in range(0, places[0].size, _BLOCK):
            block = slice(begin, begin + _BLOCK)
            inner = self.hidden[:, :count] @ np.stack([each[block] for each in places]) + bias
            scores = self.out @ np.maximum(inner, 0, out=inner) + self.out_bias
            scores = np.exp(scores - scores.max(axis=0))
            np.divide(scores, scores.sum(axis=0), out=shares[:, block])
        return [share.reshape(features[0].shape) for share in shares]


@cache
def rules() -> tuple[Rule, Rule, Rule]:
    """For fields without flow; for the first pass, whose neighbours are interpolated fields; for
    the second."""
    numbers = json.loads((Path(__file__).parent / "fusion.json").read_text("utf-8"))
    first, second = map(_rule, numbers["passes"])
    return _rule(numbers["still"]), first, second


def _rule(numbers: dict[str, list[Any]]) -> Rule:
    arrays = {name: np.array(value, np.float32) for name, value in numbers.items()}
    return Rule(
        arrays["hidden"],
        arrays["hidden_bias"][:, None],
        arrays["out"],
        arrays["out_bias"][:, None],
    )


def describe(
    rows: Rows,
    parity: int,
    around: tuple[Rows, ...],
    moved: list[NDArray[Any]],
    tried: list[Rows],
) -> list[Rows]:
    """Features of the missing rows of luma, (h, w/2) float32 each.

    `rows` is the field; `around` the fields two and one before, one and two after it; `moved` the
    two neighbouring pictures along the flow, whole; `tried` the candidates.
    """
    known = [_agreement(picture[parity::2], rows) for picture in moved]
    missing = [picture[1 - parity :: 2] for picture in moved]
    alone, still, _, first, last, detailed = tried
    motion = cv2.addWeighted(first, 0.5, last, 0.5, 0)
    found = [
        *(beside(each, parity) for each in known),
        _agreement(*missing),
        _agreement(around[1], around[2]),
        beside(_change(rows, around), parity),
        _agreement(alone, still),
        _agreement(alone, motion),
        _agreement(still, motion),
        _agreement(detailed, motion),
        _agreement(beside(rows.astype(np.float32), parity), alone),
    ]
    return _logarithms(found, rows)


def _change(rows: Rows, around: tuple[Rows, ...]) -> Rows:
    """From the fields of the same parity before and after."""
    return cv2.max(_agreement(around[0], rows), _agreement(around[3], rows))


def _logarithms(found: list[Rows], rows: Rows) -> list[Rows]:
    scale = 1.0 if rows.dtype == np.uint8 else 0.25
    return [cv2.log(each * np.float32(scale) + np.float32(_SOFT)) for each in found]


def _agreement(first: Rows, last: Rows) -> Rows:
    return _smooth(cv2.absdiff(first, last))


def _smooth(rows: Rows) -> Rows:
    """Means over a window, at half the columns, float32."""
    size = (max(rows.shape[1] // 2, 1), rows.shape[0])
    half = cv2.resize(rows, size, interpolation=cv2.INTER_AREA)
    mean: NDArray[Any] = cv2.boxFilter(half, cv2.CV_32F, _WINDOW, borderType=cv2.BORDER_REPLICATE)
    return mean

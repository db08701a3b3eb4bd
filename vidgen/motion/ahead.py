"""The picture after the last one: the motion of the past goes on.

What lay at x in the last picture moves by v in the next interval, as it did in the one before. At
the wanted instant each pixel takes what has moved there; where several things have, the one that
moves least like the whole picture, which is in front more often than not. What is uncovered was
never seen: its surroundings are stretched over it.

Whether it can be told at all is measured on the last picture, which the one before should have told
in the same way. Where that failed, the picture stays as it is. Twelve training films, one, two and
three intervals ahead, with fine flow: 4.8, 3.9 and 3.1 dB above a repetition. That speeds change as
they did before is not believed: half of the change loses 0.15 dB, all of it more, for it is the
difference of two estimates.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Motion, Planes
from vidgen.motion.draw import Candidates, Guess, candidates, draw
from vidgen.motion.flow import agreement, half_luma, halved
from vidgen.motion.still import standing
from vidgen.motion.warp import pixel_grid, sample
from vidgen.reference.splat import claims_reference, splat_reference

__all__ = ["Ahead"]

Field = NDArray[Any]
"""(h, w, 2) float32, (x, y) order."""
Scalars = NDArray[Any]
"""(h, w) float32."""

_WINDOW = 5  # quarter-resolution pixels a side over which the past is compared
_UNLIKE = 20.0  # mean 8-bit steps between the last picture and the one before, moved: a cut missed
_DOUBTFUL = 0.75  # share of rest beyond which the whole picture is left as it is
# How much the errors of motion count beside those of rest, an interval ahead: things go on more
# often than they stop. Further ahead that is less sure. Counted alike: 0.17, 0.06, 0.02 dB less.
_CAUTION = 0.25
_NOISE = 1.0  # 8-bit steps by which a picture differs from what explains it fully


class Ahead:
    """What comes after `last`, by its `motion` to the picture before, `previous`.

    `earlier` is the motion of `previous` to the one before that, over an interval `ratio` times as
    long; None where there is none. Times are counted in intervals from `previous` to `last`, from
    `last` on. Arrays that are given out belong to the caller.
    """

    def __init__(
        self,
        previous: Planes,
        last: Planes,
        motion: Motion,
        earlier: Motion | None = None,
        ratio: float = 1.0,
    ) -> None:
        self.previous, self.last, self.given = previous, last, motion
        self._earlier, self._ratio = earlier, ratio
        self._guess: tuple[float, Guess] | None = None

    def picture(self, time: float) -> Planes:
        """The planes at `time`, by warping alone."""
        return draw(self.last, self.last, self.guess(time))

    def candidates(self, time: float) -> Candidates:
        """The last picture moved to `time`, and as it is: what a network makes one of."""
        return candidates(self.last, self.last, self.guess(time))

    def agrees(self) -> bool:
        """Whether the past is of the same shot, and tells more than it leaves as it is."""
        if float(self._missed(self._velocity).mean()) > _UNLIKE:
            return False
        return float(_doubt(*self._errors).mean()) < _DOUBTFUL

    def motion(self, time: float) -> Motion:
        """Motion from the picture at `time` to `last`."""
        guess, shape = self.guess(time), self.given.flow.shape

        def check() -> tuple[Scalars, Scalars]:
            trust = agreement(np.zeros_like(guess.steps[0]), guess.steps[0]) * (1 - guess.weight)
            return _enlarged(trust, shape), self.given.confidence

        moved = self.given.flow * np.float32(-time)
        return Motion(_enlarged(guess.steps[0], shape), lambda: moved, check)

    def guess(self, time: float) -> Guess:
        """Where to sample the last picture for `time`, moved and at rest; the last one is kept."""
        if self._guess is None or self._guess[0] != time:
            self._guess = time, self._guessed(time)
        return self._guess[1]

    @cached_property
    def _velocity(self) -> Field:
        """Of each pixel of the last picture in the last interval, at a quarter of resolution."""
        return halved(self.given.flow) * np.float32(-0.25)

    @cached_property
    def _expected(self) -> Field:
        """The velocity that the same things had in the interval before."""
        if self._earlier is None:
            return self._velocity
        before = halved(self._earlier.flow) * np.float32(-0.25 / self._ratio)
        return sample(before, _at(self._velocity, -1))

    @cached_property
    def _errors(self) -> tuple[Scalars, Scalars]:
        """How far off the last picture was, as expected before it and as it was, in 8-bit steps."""
        return self._missed(self._expected), self._missed(np.zeros_like(self._velocity))

    @cached_property
    def _lumas(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Luma at a quarter of its resolution."""
        return halved(half_luma(self.previous[0])), halved(half_luma(self.last[0]))

    def _missed(self, velocity: Field) -> Scalars:
        """(h, w) how far the last picture is from the one before, moved, in 8-bit steps."""
        before, now = self._lumas
        return _window_mean(cv2.absdiff(sample(before, _at(velocity, -1)), now))

    @cached_property
    def _still(self) -> NDArray[Any] | None:
        """What stands still before all that moves."""
        return standing(self.previous[0], self.last[0], self._velocity)

    def _guessed(self, time: float) -> Guess:
        steps = self._velocity * np.float32(time)
        moved, still = self._errors
        carried, seen = _carried(np.dstack([steps, moved, still]), steps)
        steps, moved, still = carried[..., :2], carried[..., 2], carried[..., 3]
        weight = _doubt(moved, still, time * _CAUTION)
        weight = np.where(seen, weight, np.maximum(weight, 0.5))
        back = np.ascontiguousarray(steps * np.float32(-4))
        return Guess(
            (back, np.zeros_like(back)), np.asarray(weight, np.float32), moved, self._still
        )


def _doubt(moved: Scalars, still: Scalars, caution: float = 1) -> Scalars:
    """(h, w) in [0, 1]: the share of rest, by how far off motion and rest were."""
    doubt, rest = caution * (moved**2 + _NOISE**2 / 4), still**2 + _NOISE**2 / 4
    return np.asarray(doubt / (doubt + rest))


def _carried(values: Field, steps: Field) -> tuple[Field, NDArray[np.bool_]]:
    """`values` (h, w, n) where their `steps` lead, and where any did; holes are filled around."""
    whole = np.median(steps.reshape(-1, 2), 0)
    carried, seen = splat_reference(values, claims_reference(steps, whole))
    return _filled(carried, seen), seen


def _filled(values: Field, seen: NDArray[np.bool_]) -> Field:
    """`values` with means of what is around where nothing was seen, from near to far."""
    known = seen.astype(np.float32)
    size = 3
    while not known.all() and size < 2 * max(seen.shape):
        around = cv2.boxFilter(known, -1, (size, size), borderType=cv2.BORDER_CONSTANT)
        sums = cv2.boxFilter(values, -1, (size, size), borderType=cv2.BORDER_CONSTANT)
        new = (known == 0) & (around > 0)
        values = np.where(new[..., None], sums / np.maximum(around, 1e-6)[..., None], values)
        known[new] = 1
        size = 2 * size + 1
    return np.asarray(values, np.float32)


def _at(velocity: Field, share: float) -> Field:
    """Absolute positions: each pixel's own plus `share` of its velocity."""
    return cv2.scaleAdd(velocity, share, pixel_grid(*velocity.shape[:2]))


def _enlarged(field: Scalars, shape: tuple[int, ...]) -> Scalars:
    return cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def _window_mean(picture: NDArray[Any]) -> Scalars:
    return cv2.boxFilter(picture, cv2.CV_32F, (_WINDOW, _WINDOW))

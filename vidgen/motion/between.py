"""The picture between two real ones, by motion-compensated warping from both sides.

The motion at the wanted instant is searched at quarter resolution, which is as fine as the flow
itself is estimated. Written v, in pixels over the whole interval: what lies at x at that instant
lay at x - phase * v in the first picture and lies at x + (1 - phase) * v in the last. Each pixel
chooses between the flow of either picture, followed to the instant, and rest (titles and logos over
a moving picture), by how well both ends match. Both pictures are then sampled at full resolution.
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
from vidgen.motion.lettering import lines_that_change
from vidgen.motion.light import Light, change_of_light
from vidgen.motion.still import standing
from vidgen.motion.warp import pixel_grid, sample

__all__ = ["Between"]

Field = NDArray[Any]
"""(h, w, 2) float32, (x, y) order."""
Scalars = NDArray[Any]
"""(h, w) float32."""

_WINDOW = 3  # quarter-resolution pixels a side over which both ends are compared
_MATCHED, _MISMATCHED = 15.0, 40.0  # mean 8-bit difference of both ends: surely same, surely not
# Share of the picture that surely does not match, beyond which none is made: in ten training films
# it is at most 0.08 for frames two apart; between unlike pictures it is 0.5.
_DOUBTFUL = 0.3
_OWN_MOTION_PIXELS = 1.0  # at quarter resolution: a sample that moves so much else counts half
_LEAST_TRUST = 0.02  # where neither end moves as it should, the nearer one gets the more weight


class Between:
    """Two real pictures and what lies between them; all instants share what does not depend on one.

    `motion` is that of `after` to `before`. A phase lies in (0, 1), from `before` (0) to `after`
    (1). Arrays that are given out belong to the caller.
    """

    def __init__(self, before: Planes, after: Planes, motion: Motion) -> None:
        self.before, self.after, self.given = before, after, motion
        self._guess: tuple[float, Guess] | None = None

    def picture(self, phase: float) -> Planes:
        """The planes at `phase`, by warping alone."""
        return draw(*self._lit(phase), self.guess(phase))

    def candidates(self, phase: float) -> Candidates:
        """Both pictures as they would be at `phase`: what a network makes one of."""
        return candidates(*self._lit(phase), self.guess(phase))

    def agrees(self, phase: float) -> bool:
        """Whether enough of both pictures matches for one to be made between them."""
        return float(_doubt(self.guess(phase).difference).mean()) < _DOUBTFUL

    def motion(self, phase: float) -> Motion:
        """Motion from the picture at `phase` to `before`.

        It is trusted where both ends of the motion look alike and where what lies at its end in
        `before` moves, by its own flow, to where it came from.
        """
        guess = self.guess(phase)
        steps, shape = guess.steps[0], self.given.flow.shape

        def check() -> tuple[Scalars, Scalars]:
            velocity = steps / np.float32(-4 * phase)
            stray = 4 * phase * (sample(self._flows[0], _at(velocity, -phase)) - velocity)
            trust = agreement(stray, steps) * (1 - _doubt(guess.difference))
            return _enlarged(trust, shape), self.given.reverse_confidence

        reverse = self.given.reverse * np.float32(phase)
        return Motion(_enlarged(steps, shape), lambda: reverse, check)

    def guess(self, phase: float) -> Guess:
        """Where to sample both pictures for `phase`, and in which shares; the last one is kept."""
        if self._guess is None or self._guess[0] != phase:
            self._guess = phase, self._guessed(phase)
        return self._guess[1]

    def _lit(self, phase: float) -> tuple[Planes, Planes]:
        """Both pictures in the light of that instant."""
        if self.light is None:
            return self.before, self.after
        return self.light.until(phase).on(self.before), self.light.since(phase).on(self.after)

    @cached_property
    def light(self) -> Light | None:
        """How the light changes from one picture to the other; None where it does not."""
        first, last = self._lumas
        return change_of_light(sample(first, _at(self._flows[1], -1)), last)

    @cached_property
    def _lumas(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Luma at a quarter of its resolution."""
        return halved(half_luma(self.before[0])), halved(half_luma(self.after[0]))

    @cached_property
    def _ends(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The same in one light, to be compared."""
        if self.light is None:
            return self._lumas
        changes = self.light.until(0.5), self.light.since(0.5)
        first, last = (c.on((y, y))[0] for c, y in zip(changes, self._lumas, strict=True))
        return first, last

    @cached_property
    def _flows(self) -> tuple[Field, Field]:
        """The velocity by the flow of the first picture, and by that of the last."""
        back, forth = np.float32(-0.25), np.float32(0.25)
        return halved(self.given.reverse) * forth, halved(self.given.flow) * back

    @cached_property
    def _at_rest(self) -> Scalars:
        """How far the pictures differ where nothing moves."""
        return _window_mean(cv2.absdiff(*self._ends))

    def _guessed(self, phase: float) -> Guess:
        velocity = self._velocity(phase)
        difference = self._difference(velocity, phase)
        weight = self._weight_of_last(velocity, difference, phase)
        steps = velocity * np.float32(-4 * phase), velocity * np.float32(4 * (1 - phase))
        return Guess(steps, weight, difference, self._still, int(phase > 0.5))

    @cached_property
    def _still(self) -> NDArray[Any] | None:
        """What stands still before all that moves, and letters that come or go."""
        still = standing(self.before[0], self.after[0], self._flows[1])
        first, last = self._ends
        apart = (
            cv2.absdiff(first, sample(last, _at(self._flows[0], 1))),
            cv2.absdiff(last, sample(first, _at(self._flows[1], -1))),
        )
        lines = lines_that_change(self.before[0], self.after[0], apart)
        if still is None or lines is None:
            return lines if still is None else still
        return np.asarray(still | lines)

    def _velocity(self, phase: float) -> Field:
        """At each pixel the motion whose ends match best, freed of single outliers."""
        chosen, least = np.zeros_like(self._flows[0]), self._at_rest
        for flow, share in zip(self._flows, (-phase, 1 - phase), strict=True):
            followed = sample(flow, _at(flow, share))  # from the end it starts at to the instant
            difference = self._difference(followed, phase)
            cv2.copyTo(followed, cv2.compare(difference, least, cv2.CMP_LT), chosen)
            least = np.minimum(difference, least)
        return cv2.merge([cv2.medianBlur(part, 5) for part in cv2.split(chosen)])

    def _difference(self, velocity: Field, phase: float) -> Scalars:
        """(h, w) how far both ends of `velocity` differ, in 8-bit steps, over a small window."""
        first = sample(self._ends[0], _at(velocity, -phase))
        last = sample(self._ends[1], _at(velocity, 1 - phase))
        return _window_mean(cv2.absdiff(first, last))

    def _weight_of_last(self, velocity: Field, difference: Scalars, phase: float) -> Scalars:
        """(h, w) in [0, 1]: `phase` where both ends agree; where not, the end that moves that way.

        What is uncovered or covered between the pictures is seen in one of them only. There the
        sample from the other belongs to something else, and its own flow goes elsewhere.
        """
        trust_first = _trust(self._flows[0], velocity, -phase) * np.float32(1 - phase)
        trust_last = _trust(self._flows[1], velocity, 1 - phase) * np.float32(phase)
        chosen = trust_last / (trust_first + trust_last)
        return np.asarray(phase + (chosen - phase) * _doubt(difference), np.float32)


def _enlarged(field: Scalars, shape: tuple[int, ...]) -> Scalars:
    """A quarter-resolution field at the size of `shape`."""
    return cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def _at(velocity: Field, share: float) -> Field:
    """Absolute positions: each pixel's own plus `share` of its velocity."""
    return cv2.scaleAdd(velocity, share, pixel_grid(*velocity.shape[:2]))


def _window_mean(picture: NDArray[Any]) -> Scalars:
    return cv2.boxFilter(picture, cv2.CV_32F, (_WINDOW, _WINDOW))


def _doubt(difference: Scalars) -> Scalars:
    """(h, w) in [0, 1]: 0 where both ends look alike, 1 where they surely do not."""
    return np.clip((difference - _MATCHED) / (_MISMATCHED - _MATCHED), 0, 1)


def _trust(flow: Field, velocity: Field, share: float) -> Scalars:
    """(h, w) in (0, 1]: whether the sample at that end moves, by `flow`, as `velocity` says."""
    stray = sample(flow, _at(velocity, share)) - velocity
    squared = stray[..., 0] ** 2 + stray[..., 1] ** 2
    return np.asarray(1 / (1 + squared / _OWN_MOTION_PIXELS**2) + _LEAST_TRUST, np.float32)

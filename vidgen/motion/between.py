"""The picture between two real ones, by motion-compensated warping from both sides.

The motion at the wanted instant is searched at quarter resolution, which is as fine as the flow
itself is estimated. Written v, in pixels over the whole interval: what lies at x at that instant
lay at x - phase * v in the first picture and lies at x + (1 - phase) * v in the last. Each pixel
chooses between the flow of either picture, followed to the instant, and rest (titles and logos over
a moving picture), by how well both ends match. Both pictures are then sampled at full resolution.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Motion, Planes
from vidgen.motion.draw import draw
from vidgen.motion.flow import agreement, half_luma, halved
from vidgen.motion.warp import pixel_grid, sample

__all__ = ["motion_between", "picture_between"]

Field = NDArray[Any]
"""(h, w, 2) float32, (x, y) order."""
Scalars = NDArray[Any]
"""(h, w) float32."""

_WINDOW = 3  # quarter-resolution pixels a side over which both ends are compared
_MATCHED, _MISMATCHED = 15.0, 40.0  # mean 8-bit difference of both ends: surely same, surely not
_OWN_MOTION_PIXELS = 1.0  # at quarter resolution: a sample that moves so much else counts half
_LEAST_TRUST = 0.02  # where neither end moves as it should, the nearer one gets the more weight


def picture_between(before: Planes, after: Planes, motion: Motion, phase: float) -> Planes:
    """The planes at `phase` in (0, 1) from `before` (0) to `after` (1).

    `motion` is that of `after` to `before`. The result belongs to the caller.
    """
    first, last = _quarter_luma(before), _quarter_luma(after)
    forth, back = _quarter_flows(motion)
    velocity = _velocity(forth, back, first, last, phase)
    weight = _weight_of_last(velocity, forth, back, first, last, phase)
    return draw(before, after, velocity, weight, phase)


def motion_between(before: Planes, after: Planes, motion: Motion, phase: float) -> Motion:
    """Motion from the picture at `phase` in (0, 1), as of `picture_between`, to `before`.

    It is trusted where both ends of the motion look alike and where what lies at its end in
    `before` moves, by its own flow, to where it came from.
    """
    first, last = _quarter_luma(before), _quarter_luma(after)
    forth, back = _quarter_flows(motion)
    velocity = _velocity(forth, back, first, last, phase)
    steps = velocity * np.float32(-4 * phase)  # full-resolution pixels
    shape = motion.flow.shape

    def check() -> tuple[Scalars, Scalars]:
        stray = 4 * phase * (sample(forth, _at(velocity, -phase)) - velocity)
        doubt = _doubt(_difference(first, last, velocity, phase))
        return _enlarged(agreement(stray, steps) * (1 - doubt), shape), motion.reverse_confidence

    return Motion(_enlarged(steps, shape), lambda: motion.reverse * np.float32(phase), check)


def _enlarged(field: Scalars, shape: tuple[int, ...]) -> Scalars:
    """A quarter-resolution field at the size of `shape`."""
    return cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def _quarter_luma(planes: Planes) -> NDArray[np.uint8]:
    return halved(half_luma(planes[0]))


def _quarter_flows(motion: Motion) -> tuple[Field, Field]:
    """The velocity by the flow of the first picture and by that of the last."""
    return halved(motion.reverse) * np.float32(0.25), halved(motion.flow) * np.float32(-0.25)


def _velocity(
    forth: Field, back: Field, first: NDArray[np.uint8], last: NDArray[np.uint8], phase: float
) -> Field:
    """At each pixel the motion whose ends match best, freed of single outliers."""
    chosen = np.zeros_like(forth)
    least = _window_mean(cv2.absdiff(first, last))
    for flow, share in ((forth, -phase), (back, 1 - phase)):
        followed = sample(flow, _at(flow, share))  # from the end that it starts at to the instant
        difference = _difference(first, last, followed, phase)
        cv2.copyTo(followed, cv2.compare(difference, least, cv2.CMP_LT), chosen)
        least = np.minimum(difference, least)
    return cv2.merge([cv2.medianBlur(part, 5) for part in cv2.split(chosen)])


def _at(velocity: Field, share: float) -> Field:
    """Absolute positions: each pixel's own plus `share` of its velocity."""
    return cv2.scaleAdd(velocity, share, pixel_grid(*velocity.shape[:2]))


def _difference(
    first: NDArray[np.uint8], last: NDArray[np.uint8], velocity: Field, phase: float
) -> Scalars:
    """(h, w) how far both ends of `velocity` differ, in 8-bit steps, over a small window."""
    ends = sample(first, _at(velocity, -phase)), sample(last, _at(velocity, 1 - phase))
    return _window_mean(cv2.absdiff(*ends))


def _window_mean(picture: NDArray[Any]) -> Scalars:
    return cv2.boxFilter(picture, cv2.CV_32F, (_WINDOW, _WINDOW))


def _weight_of_last(
    velocity: Field,
    forth: Field,
    back: Field,
    first: NDArray[np.uint8],
    last: NDArray[np.uint8],
    phase: float,
) -> Scalars:
    """(h, w) in [0, 1]: `phase` where both ends agree; where not, the end that moves that way.

    What is uncovered or covered between the pictures is seen in one of them only. There the sample
    from the other belongs to something else, and its own flow goes elsewhere.
    """
    trust_first = _trust(forth, velocity, -phase) * np.float32(1 - phase)
    trust_last = _trust(back, velocity, 1 - phase) * np.float32(phase)
    chosen = trust_last / (trust_first + trust_last)
    doubt = _doubt(_difference(first, last, velocity, phase))
    return np.asarray(phase + (chosen - phase) * doubt, np.float32)


def _doubt(difference: Scalars) -> Scalars:
    """(h, w) in [0, 1]: 0 where both ends look alike, 1 where they surely do not."""
    return np.clip((difference - _MATCHED) / (_MISMATCHED - _MATCHED), 0, 1)


def _trust(flow: Field, velocity: Field, share: float) -> Scalars:
    """(h, w) in (0, 1]: whether the sample at that end moves, by `flow`, as `velocity` says."""
    stray = sample(flow, _at(velocity, share)) - velocity
    squared = stray[..., 0] ** 2 + stray[..., 1] ** 2
    return np.asarray(1 / (1 + squared / _OWN_MOTION_PIXELS**2) + _LEAST_TRUST, np.float32)

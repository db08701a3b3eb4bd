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
from vidgen.motion.flow import agreement, half_luma, halved
from vidgen.motion.warp import pixel_grid, sample, sample_sharp

__all__ = ["motion_between", "picture_between"]

Field = NDArray[Any]
"""(h, w, 2) float32, (x, y) order."""
Scalars = NDArray[Any]
"""(h, w) float32."""

_WINDOW = 3  # quarter-resolution pixels a side over which both ends are compared
_MATCHED, _MISMATCHED = 15.0, 40.0  # mean 8-bit difference of both ends: surely same, surely not
_OWN_MOTION_PIXELS = 1.0  # at quarter resolution: a sample that moves so much else counts half
_LEAST_TRUST = 0.02  # where neither end moves as it should, the nearer one gets the more weight
_ONE = 1 << 14  # weights are int16 with 14 bits after the point


def picture_between(before: Planes, after: Planes, motion: Motion, phase: float) -> Planes:
    """The planes at `phase` in (0, 1) from `before` (0) to `after` (1).

    `motion` is that of `after` to `before`. The result belongs to the caller.
    """
    first, last = _quarter_luma(before), _quarter_luma(after)
    forth, back = _quarter_flows(motion)
    velocity = _velocity(forth, back, first, last, phase)
    weight = _weight_of_last(velocity, forth, back, first, last, phase)
    return _draw(before, after, velocity, weight, phase)


def motion_between(before: Planes, after: Planes, motion: Motion, phase: float) -> Motion:
    """Motion from the picture at `phase` in (0, 1), as of `picture_between`, to `before`.

    It is trusted where both ends of the motion look alike and where what lies at its end in
    `before` moves, by its own flow, to where it came from.
    """
    first, last = _quarter_luma(before), _quarter_luma(after)
    forth, back = _quarter_flows(motion)
    velocity = _velocity(forth, back, first, last, phase)
    steps = velocity * np.float32(-4 * phase)  # full-resolution pixels
    stray = 4 * phase * (sample(forth, _at(velocity, -phase)) - velocity)
    doubt = _doubt(_difference(first, last, velocity, phase))
    shape = motion.flow.shape
    return Motion(
        flow=_enlarged(steps, shape),
        confidence=_enlarged(agreement(stray, steps) * (1 - doubt), shape),
        reverse=motion.reverse * np.float32(phase),
        reverse_confidence=motion.reverse_confidence,
    )


def _quarter_luma(planes: Planes) -> NDArray[np.uint8]:
    return halved(half_luma(planes[0]))


def _quarter_flows(motion: Motion) -> tuple[Field, Field]:
    """The velocity by the flow of the first picture and by that of the last."""
    return halved(motion.reverse) * np.float32(0.25), halved(motion.flow) * np.float32(-0.25)


def _velocity(
    forth: Field, back: Field, first: NDArray[np.uint8], last: NDArray[np.uint8], phase: float
) -> Field:
    motions = (_follow(forth, -phase), _follow(back, 1 - phase), np.zeros_like(forth))
    return _best(motions, first, last, phase)


def _at(velocity: Field, share: float) -> Field:
    """Absolute positions: each pixel's own plus `share` of its velocity."""
    return cv2.scaleAdd(velocity, share, pixel_grid(*velocity.shape[:2]))


def _follow(flow: Field, share: float) -> Field:
    """The velocity field `flow` of one end, moved to the instant `share` of the way to that end."""
    return sample(flow, _at(flow, share))


def _difference(
    first: NDArray[np.uint8], last: NDArray[np.uint8], velocity: Field, phase: float
) -> Scalars:
    """(h, w) how far both ends of `velocity` differ, in 8-bit steps, over a small window."""
    ends = sample(first, _at(velocity, -phase)), sample(last, _at(velocity, 1 - phase))
    return cv2.blur(cv2.absdiff(*ends).astype(np.float32), (_WINDOW, _WINDOW))


def _best(
    motions: tuple[Field, ...], first: NDArray[np.uint8], last: NDArray[np.uint8], phase: float
) -> Field:
    """At each pixel the motion whose ends match best, freed of single outliers."""
    chosen = motions[0]
    least = _difference(first, last, chosen, phase)
    for motion in motions[1:]:
        difference = _difference(first, last, motion, phase)
        chosen = np.where((difference < least)[..., None], motion, chosen)
        least = np.minimum(difference, least)
    return cv2.merge([cv2.medianBlur(part, 5) for part in cv2.split(chosen)])


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


def _draw(before: Planes, after: Planes, velocity: Field, weight: Scalars, phase: float) -> Planes:
    """Both pictures sampled along `velocity` and mixed.

    Luma is sampled bicubically: made frames that are softer than the real ones between them would
    be seen to pulse. It gains 0.19 dB over bilinear samples, for 4 ms at 540p.
    """
    along = _enlarged(velocity, before[0].shape) * np.float32(4)
    y = _mix(
        sample_sharp(before[0], _at(along, -phase)),
        sample_sharp(after[0], _at(along, 1 - phase)),
        _enlarged(weight, before[0].shape),
    )
    along = _enlarged(velocity, before[1].shape) * np.float32(2)
    uv = _mix(
        sample(before[1], _at(along, -phase)),
        sample(after[1], _at(along, 1 - phase)),
        _enlarged(weight, before[1].shape),
    )
    return y, uv


def _enlarged(field: Scalars, shape: tuple[int, ...]) -> Scalars:
    """A quarter-resolution field at the size of a plane."""
    return cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def _mix(first: NDArray[Any], last: NDArray[Any], weight: Scalars) -> NDArray[Any]:
    """`first` plus `weight` times the step to `last`, in their dtype; equal values stay exact."""
    share: NDArray[Any] = (weight * _ONE).astype(np.int16)
    if first.ndim == 3:
        share = cv2.merge([share, share])
    step: NDArray[Any] = cv2.subtract(last, first, dtype=cv2.CV_16S)
    step = cv2.multiply(step, share, scale=1 / _ONE, dtype=cv2.CV_16S)
    return cv2.add(first, step, dtype=cv2.CV_8U if first.dtype == np.uint8 else cv2.CV_16U)

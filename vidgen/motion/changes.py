"""What a frame is to the one before it: a new shot, a repetition, or the film going on.

Everything is decided on thumbnails, causally: by this frame and the one before it alone, so that a
film cut into pieces gives the same shots as the whole. A flash or a fade changes brightness and
leaves structure; a pan moves structure. Only where most of the picture's structure is found nowhere
near, and the distribution of its brightness is another one, does a new shot begin. A flash that
wipes out all structure looks like two cuts, one frame apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.motion.warp import warp
from vidgen.reference.changes import difference_reference, histogram_reference

__all__ = ["Change", "ChangeDetector"]

Thumbnail = NDArray[Any]
"""(_ROWS, w) uint8."""

_ROWS = 72  # 1/8 of a picture of 576 rows; detail below that is grain as often as content
_NARROWEST, _WIDEST = 32, 256  # columns; DIS needs some, a damaged aspect ratio could ask for many
_NEW: Any = None  # "make the result", which OpenCV's type stubs do not know

# The same picture, up to coding noise: a slow fade passes the bound on the peak, not on the mean.
_SAME_PEAK, _SAME_MEAN = 2, 0.5  # 8-bit steps

# A new shot. On 22 training films, pairs of neighbours within a shot have at most 0.23 of unmatched
# blocks, pairs two frames apart 0.41; their 8 cuts and 210 joints of different films, darkened to a
# quarter or not, at least 0.7.
_STILL_MEAN = 5.0  # 8-bit steps on average, below which nothing further is looked at
_UNMATCHED_SHARE = 0.55
_HISTOGRAM_DISTANCE = 0.08  # keeps grain, water and confetti, which never match, in their shot
_BLOCK = 8  # thumbnail pixels a side
_FINEST_SCALE = 1  # of DIS: finer flow makes unlike pictures alike
_MATCHED_CORRELATION = 0.5
_TEXTURE_VARIANCE = 9.0  # blocks flatter than that, in either picture, say nothing
_STRUCTURE_VARIANCE = 100.0  # unless the other has so much: more than the last step of a fade


@dataclass(frozen=True, slots=True)
class Change:
    """The relation of a frame to the one before it."""

    cut: bool
    duplicate: bool


class ChangeDetector:
    """Decides frame by frame; keeps the thumbnail of the one before."""

    def __init__(self) -> None:
        self._previous: Thumbnail | None = None
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._dis.setFinestScale(_FINEST_SCALE)

    def __call__(self, half: NDArray[Any]) -> Change:
        """`half` is the half-resolution luma of the next frame, as of `half_luma`."""
        current = _thumbnail(half)
        previous, self._previous = self._previous, current
        if previous is None or previous.shape != current.shape:
            return Change(cut=True, duplicate=False)
        total, greatest = difference_reference(previous, current)
        mean = total / current.size
        if mean <= _SAME_MEAN and greatest <= _SAME_PEAK:
            return Change(cut=False, duplicate=True)
        return Change(mean > _STILL_MEAN and self._is_cut(previous, current), duplicate=False)

    def _is_cut(self, previous: Thumbnail, current: Thumbnail) -> bool:
        if _histogram_distance(previous, current) <= _HISTOGRAM_DISTANCE:
            return False
        flow: NDArray[Any] = self._dis.calc(current, previous, _NEW)
        return _unmatched_share(warp(previous, flow), current) > _UNMATCHED_SHARE


def _thumbnail(half: NDArray[Any]) -> Thumbnail:
    height, width = half.shape
    columns = min(max(round(width * _ROWS / height), _NARROWEST), _WIDEST)
    return cv2.resize(half, (columns, _ROWS), interpolation=cv2.INTER_AREA)


def _histogram_distance(first: Thumbnail, last: Thumbnail) -> float:
    """Share of pixels, in [0, 1], by which the brightness of two pictures is spread differently."""
    bins = [histogram_reference(picture) for picture in (first, last)]
    smooth = [np.convolve(counts, (0.25, 0.5, 0.25), "same") for counts in bins]
    return float(np.abs(smooth[0] - smooth[1]).sum()) / (2 * first.size)


def _unmatched_share(first: Thumbnail, last: Thumbnail) -> float:
    """Share of the textured blocks, in [0, 1], that do not correlate; 0 where all is flat."""
    a, b = first.astype(np.float32), last.astype(np.float32)
    mean_a, mean_b = _block_means(a), _block_means(b)
    variance_a = np.maximum(_block_means(a * a) - mean_a * mean_a, 0)
    variance_b = np.maximum(_block_means(b * b) - mean_b * mean_b, 0)
    together = _block_means(a * b) - mean_a * mean_b
    unmatched = together < _MATCHED_CORRELATION * np.sqrt(variance_a * variance_b + 1)
    textured = np.minimum(variance_a, variance_b) > _TEXTURE_VARIANCE
    textured |= np.maximum(variance_a, variance_b) > _STRUCTURE_VARIANCE
    return float((unmatched & textured).sum() / max(textured.sum(), 1))


def _block_means(picture: NDArray[Any]) -> NDArray[Any]:
    size = (picture.shape[1] // _BLOCK, picture.shape[0] // _BLOCK)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)

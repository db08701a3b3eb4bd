"""Fit: exact resampling of the planes to the size that was asked for, chroma where it belongs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Frame, Planes, VideoFormat
from vidgen.surface import GpuPictures

__all__ = ["Fit", "chroma_site", "resample"]

_SITES = {1: (-0.5, 0.0), 3: (-0.5, -0.5), 4: (0.0, -0.5), 5: (-0.5, 0.5), 6: (0.0, 0.5)}
"""AVChromaLocation -> how far right of and below the middle of its four luma pixels a chroma sample
of 4:2:0 lies, in luma pixels; 2, the middle, and what is not here lie in it."""
_LEFT, _UNSPECIFIED = 1, 0  # players take what is not specified for left, as H.264 and MPEG-2 do
_LOBES = 4
_NEAR = 1e-6  # of a sample: a shift that is none


@dataclass(frozen=True)
class Fit:
    """Resample every frame to the size of `target`, whose pixel shape the output has too.

    What comes in may have been enlarged `grown` times by networks, to which every plane is a
    picture of its own whose edges stay where they are. So chroma beside the middle of its four
    pixels by `a` luma pixels has come to lie beside it by `a * grown`, and would move to the right
    (left-sited 4:2:0, doubled: by half a pixel). Here it is put back to `a`.
    """

    target: VideoFormat
    grown: int = 1
    enlarge: int = cv2.INTER_LANCZOS4
    """OpenCV's kernel where the picture grows; INTER_CUBIC takes a sixth of the time."""
    pictures: GpuPictures | None = None
    """Where there is nothing to resample, pictures may lie on its GPU, and stay there."""

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` at the target's size and sample aspect ratio."""
        return replace(
            source,
            width=self.target.width,
            height=self.target.height,
            sample_aspect_ratio=self.target.sample_aspect_ratio,
        )

    def resamples(self, source: VideoFormat) -> bool:
        """Whether frames of `source` come out at another size, and chroma is not all that moves."""
        return (source.width, source.height) != (self.target.width, self.target.height)

    def changes(self, source: VideoFormat) -> bool:
        """Whether frames of `source` come out other than they go in."""
        return self.output(source) != source or any(
            abs(shift) > _NEAR for shift in self._shift(source.width, source.height)
        )

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame at the new size; a held picture is resampled once."""
        before: Planes | None = None
        after: Planes | None = None
        for frame in frames:
            if before is None or after is None or frame.y is not before[0]:
                before = frame.planes
                after = self._fitted(before)
            yield frame.with_planes(after)

    def _fitted(self, planes: Planes) -> Planes:
        y, uv = planes
        target, shift = self.target, self._shift(y.shape[1], y.shape[0])
        top = (1 << target.bit_depth) - 1
        if self.pictures is not None and not isinstance(uv, np.ndarray):
            return y, self.pictures.shifted(uv, *map(_taps, shift), top)
        uv = _shifted(uv, *shift, top)
        return resample((y, uv), target.width, target.height, target.bit_depth, self.enlarge)

    def _shift(self, width: int, height: int) -> tuple[float, float]:
        """Where chroma is to be read, in samples right of and below its own place, before planes
        are resampled with their edges kept.

        Output sample J lies at luma 2J + 1 + a of the output, which is (2J + 1 + a) / s of what
        comes in, s times smaller; there sample k lies at 2k + 1 + a * grown. Edges kept, k would be
        (J + 1/2) / s - 1/2: short of the place by (a / s - a * grown) / 2.
        """
        across, down = chroma_site(self.target.color.chroma_location)
        wider, taller = self.target.width / width, self.target.height / height
        return across * (1 / wider - self.grown) / 2, down * (1 / taller - self.grown) / 2


def chroma_site(location: int) -> tuple[float, float]:
    """Where chroma of that AVChromaLocation lies, right of and below the middle of its pixels."""
    return _SITES.get(_LEFT if location == _UNSPECIFIED else location, (0.0, 0.0))


def _shifted(uv: NDArray[Any], right: float, below: float, top: int) -> NDArray[Any]:
    """`uv (H, W, 2)` read `right` and `below` of each sample, values in [0, top]; edges repeat."""
    if abs(right) < _NEAR and abs(below) < _NEAR:
        return uv
    taps = _taps(right), _taps(below)
    if uv.itemsize == 1:  # which OpenCV rounds and saturates itself
        return np.asarray(cv2.sepFilter2D(uv, -1, *taps, borderType=cv2.BORDER_REPLICATE))
    # No sample has the sixteenth bit, and OpenCV is three times faster with signed numbers.
    signed = cv2.sepFilter2D(uv.view(np.int16), -1, *taps, borderType=cv2.BORDER_REPLICATE)
    return np.clip(signed, 0, top).view(np.uint16)


def _taps(shift: float) -> NDArray[np.float32]:
    """Lanczos weights, of sum 1, of the samples around `shift`; the middle one is at 0."""
    if abs(shift) < _NEAR:
        return np.ones(1, np.float32)
    reach = _LOBES + int(np.ceil(abs(shift)))
    away = np.arange(-reach, reach + 1) - shift
    weights = np.where(abs(away) < _LOBES, np.sinc(away) * np.sinc(away / _LOBES), 0.0)
    return np.asarray(weights / weights.sum(), np.float32)


def resample(
    planes: Planes, width: int, height: int, bit_depth: int, enlarge: int = cv2.INTER_LANCZOS4
) -> Planes:
    """Both planes at `width` x `height` luma pixels, edges kept, in their own dtype.

    The kernel `enlarge` (Lanczos with four lobes) where the picture grows; pixel-area averaging
    where it shrinks, since a fixed-size kernel would alias. Values stay in [0, 2**bit_depth).
    """
    y, uv = planes
    if y.shape == (height, width):
        return planes
    shrinks = width * height < y.shape[1] * y.shape[0]
    kernel = cv2.INTER_AREA if shrinks else enlarge
    y = cv2.resize(y, (width, height), interpolation=kernel)
    size = width // 2, height // 2
    if kernel == cv2.INTER_CUBIC:  # takes a third of the time with one channel
        uv = cv2.merge([cv2.resize(part, size, interpolation=kernel) for part in cv2.split(uv)])
    else:
        uv = cv2.resize(uv, size, interpolation=kernel)
    if bit_depth == 8:  # OpenCV saturates uint8 itself
        return y, uv
    top = np.uint16((1 << bit_depth) - 1)
    return np.minimum(y, top), np.minimum(uv, top)

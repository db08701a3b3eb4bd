"""ToneMap: HDR planes become SDR planes, as an SDR screen should show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.errors import UsageError
from vidgen.frame import Color, Frame, Planes, VideoFormat
from vidgen.light import (
    BRIGHTEST,
    HLG,
    HLG_PEAK,
    PQ,
    SDR_GAMMA,
    gain,
    hlg_scene,
    luma_weights,
    pq_light,
    rgb_matrix,
)
from vidgen.stages.fit import chroma_site

__all__ = ["ToneMap"]

_LIMITED, _FULL, _BT709, _BT2020 = 1, 2, 1, 9
_STEPS = 1 << 14  # of the tables: a quarter of a step of 12-bit PQ
_STRIP = 16  # rows at a time, which stay in the processor's cache: 0.11 s a 1080p picture, not 0.5
_BITS = 10
_HLG_GAMMA = 1.2
_NEAR = np.float32(1e-6)  # of white: a colour that is grey

Floats = NDArray[Any]
"""float32."""


@dataclass(frozen=True)
class ToneMap:
    """Show frames of `source`, which is PQ or HLG, as BT.709 with the light of an SDR screen.

    Each pixel's red, green and blue become light of the master's screen; the greatest of them goes
    through BT.2390's EETF, from the master's peak to 100 cd/m2, and the others are scaled alike, so
    hue and saturation stay; then primaries become those of BT.709, and what lies outside them moves
    towards the grey of its own luminance until it does not. The peak is what the film states, else
    1000 cd/m2. HLG is shown as on a screen of that peak, with BT.2100's system gamma.

    Frames come out in 10 bits, limited range, whatever they were. Raises UsageError for a matrix or
    primaries that are not BT.709's, BT.2020's or (primaries) P3's.
    """

    source: VideoFormat

    def __post_init__(self) -> None:
        color = self.source.color
        if color.matrix not in (_BT709, _BT2020) or color.primaries not in (1, 9, 12):
            raise UsageError(
                f"--hdr sdr: the film's matrix {color.matrix} and primaries {color.primaries} "
                f"(H.273) are not known here, BT.2020 and BT.709 are; leave it out"
            )

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` in 10 bits, with the tags of BT.709, without a word on its light."""
        color = Color(_LIMITED, _BT709, _BT709, _BT709, source.color.chroma_location)
        return replace(source, bit_depth=_BITS, color=color, peak=0)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame as SDR; a held picture is mapped once."""
        before: Planes | None = None
        after: Planes | None = None
        for frame in frames:
            if before is None or after is None or frame.y is not before[0]:
                before = frame.planes
                after = self.mapped(before)
            yield replace(frame.with_planes(after), scene=b"")

    def mapped(self, planes: Planes) -> Planes:
        """The planes of one picture."""
        y, uv = planes
        site = chroma_site(self.source.color.chroma_location)
        wide = _at_every_pixel(uv, site)
        luma, chroma = np.empty_like(y, np.uint16), np.empty((*y.shape, 2), np.float32)
        for begin in range(0, y.shape[0], _STRIP):
            rows = slice(begin, begin + _STRIP)
            codes = np.stack([y[rows], wide[rows, :, 0], wide[rows, :, 1]]).astype(np.float32)
            shown = _affine(self._to_yuv, self._shown(codes.reshape(3, -1)))
            luma[rows] = np.rint(shown[0]).reshape(-1, y.shape[1])
            chroma[rows] = shown[1:].T.reshape(-1, y.shape[1], 2)
        return luma, np.rint(_subsampled(chroma, site)).astype(np.uint16)

    def _shown(self, codes: Floats) -> Floats:
        """Codes of Y, U, V (3, N) to R'G'B' of an SDR screen (3, N) in [0, 1]."""
        light = self._light(_affine(self._to_rgb, codes))
        most = light.max(axis=0)
        light *= _looked_up(self._gain, np.sqrt(np.sqrt(most * np.float32(1 / BRIGHTEST))))
        light = _in_gamut(self._to_709 @ light, self._weights)
        return np.asarray(cv2.pow(light, 1 / SDR_GAMMA))

    def _light(self, coded: Floats) -> Floats:
        """cd/m2 (3, N) of R'G'B' in [0, 1]."""
        light = _looked_up(self._curve, coded)
        if self.source.color.transfer == HLG:
            scene = luma_weights(self.source.color.primaries).astype(np.float32) @ light
            light *= self._peak * cv2.pow(np.maximum(scene, 1e-6), _HLG_GAMMA - 1).ravel()
        return light

    @property
    def _peak(self) -> float:
        if self.source.color.transfer == HLG:
            return HLG_PEAK
        return min(float(self.source.peak or HLG_PEAK), BRIGHTEST)

    @cached_property
    def _curve(self) -> Floats:
        """Of code values from 0 to 1: cd/m2, for HLG light of the scene in [0, 1]."""
        codes = np.linspace(0, 1, _STEPS + 1)
        curve = pq_light if self.source.color.transfer == PQ else hlg_scene
        return curve(codes).astype(np.float32)

    @cached_property
    def _gain(self) -> Floats:
        """Of fourth roots of light from 0 to 1, which is 10,000 cd/m2: see `gain`."""
        return gain(BRIGHTEST * np.linspace(0, 1, _STEPS + 1) ** 4, self._peak).astype(np.float32)

    @cached_property
    def _to_709(self) -> Floats:
        return rgb_matrix(self.source.color.primaries, _BT709).astype(np.float32)

    @cached_property
    def _weights(self) -> Floats:
        return luma_weights(_BT709).astype(np.float32)

    @cached_property
    def _to_rgb(self) -> Floats:
        """Code values of Y, U, V to R'G'B' in [0, 1]; see `_affine`."""
        color = self.source.color
        to_codes = _rgb_to_codes(color.matrix, self.source.bit_depth, full=color.range == _FULL)
        inverse = np.linalg.inv(to_codes[:, :3])
        return np.column_stack([inverse, -inverse @ to_codes[:, 3]]).astype(np.float32)

    @cached_property
    def _to_yuv(self) -> Floats:
        return _rgb_to_codes(_BT709, _BITS, full=False).astype(np.float32)


def _rgb_to_codes(matrix: int, bits: int, *, full: bool) -> NDArray[np.float64]:
    """R'G'B' in [0, 1] to code values of Y, U, V (BT.709 and BT.2020, section on quantization)."""
    red, green, blue = luma_weights(matrix)
    luma = np.array([red, green, blue])
    u = (np.array([0, 0, 1]) - luma) / (2 * (1 - blue))
    v = (np.array([1, 0, 0]) - luma) / (2 * (1 - red))
    unit, middle = 1 << (bits - 8), 1 << (bits - 1)
    wide, tall, black = (
        ((1 << bits) - 1, (1 << bits) - 1, 0) if full else (219 * unit, 224 * unit, 16 * unit)
    )
    return np.column_stack([np.stack([wide * luma, tall * u, tall * v]), [black, middle, middle]])


def _looked_up(table: Floats, places: Floats) -> Floats:
    """The nearest entries of a table over [0, 1]."""
    at = np.clip(places * np.float32(_STEPS) + np.float32(0.5), 0, _STEPS)
    return np.asarray(np.take(table, at.astype(np.int32)))


def _affine(matrix: Floats, values: Floats) -> Floats:
    """(3, N) through a matrix (3, 4), whose last column is added."""
    out = matrix[:, :3] @ values
    out += matrix[:, 3:]
    return np.asarray(out)


def _in_gamut(light: Floats, weights: Floats) -> Floats:
    """Linear RGB (3, N) moved towards its own luminance as far as it takes to lie in [0, 1]."""
    grey = np.clip(weights @ light, 0, 1)
    below, above = grey - light.min(axis=0), light.max(axis=0) - grey
    room = np.minimum(grey / np.maximum(below, _NEAR), (1 - grey) / np.maximum(above, _NEAR))
    light -= grey
    light *= np.minimum(room, 1)
    light += grey
    return np.asarray(np.clip(light, 0, 1, out=light))


def _at_every_pixel(uv: NDArray[Any], site: tuple[float, float]) -> Floats:
    """4:2:0 chroma (H/2, W/2, 2) at the places of luma (H, W, 2), linear between samples."""
    height, width = uv.shape[:2]
    back = np.array([[0.5, 0, -0.25 - site[0] / 2], [0, 0.5, -0.25 - site[1] / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = 2 * width, 2 * height
    return np.asarray(
        cv2.warpAffine(
            uv.astype(np.float32), back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
    )


def _subsampled(chroma: Floats, site: tuple[float, float]) -> Floats:
    """(H, W, 2) at the places of 4:2:0 chroma: the mean of the pixels around each."""
    across, down = _around(site[0]), _around(site[1])
    filtered = cv2.sepFilter2D(chroma, -1, across, down, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(filtered[::2, ::2])


def _around(away: float) -> Floats:
    """Weights of five pixels, the middle one of even number, of a sample `away` from the middle
    between that one and the next."""
    taps = {-0.5: (0, 1, 2, 1, 0), 0.0: (0, 0, 2, 2, 0), 0.5: (0, 0, 1, 2, 1)}
    return np.array(taps[away], np.float32) / 4

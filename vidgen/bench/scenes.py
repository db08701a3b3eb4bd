"""A scene drawn by code, whose true picture is known at any time and at any size.

Wires, a turning ball and a sign move at different speeds over hills and clouds; at `Scene.cut` the
shot changes. Every edge is anti-aliased over one pixel and every texture is a sum of sine waves
averaged over the pixel, so a small picture is what a small sensor would see of the large one, and
the picture between two frames is drawn like any other.

Lengths are in picture heights: x runs from 0 to width / height, y from 0 (top) to 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from vidgen.bench.canvas import Array, Canvas, Texture, text_mask, yuv
from vidgen.frame import Color, Frame, Planes, VideoFormat, dtype_of
from vidgen.timing import common_time_base, grid

__all__ = ["Scene"]

_BT709 = Color(range=1, matrix=1, primaries=1, transfer=1, chroma_location=1)


@dataclass(frozen=True)
class _Shot:
    """Colours (8-bit R'G'B') and speeds (picture heights a second) of one shot."""

    seed: int
    sky: tuple[Array, Array]
    hill: Array
    petals: tuple[Array, Array]
    words: str
    pan: float
    ball: tuple[float, float]
    turn: float  # radians a second
    place: tuple[float, float] = (0.0, 0.0)  # of its clouds and ground in their textures


_DAY = _Shot(
    seed=1,
    sky=(yuv(70, 120, 190), yuv(205, 222, 235)),
    hill=yuv(74, 110, 58),
    petals=(yuv(214, 60, 44), yuv(245, 240, 226)),
    words="vidgen 0123456789",
    pan=0.12,
    ball=(0.34, 1.9),
    turn=1.7,
)
_DUSK = _Shot(
    seed=2,
    sky=(yuv(46, 40, 92), yuv(236, 150, 92)),
    hill=yuv(52, 48, 66),
    petals=(yuv(250, 196, 66), yuv(40, 88, 140)),
    words="Aa Ee Gg Kk Rr Ss",
    pan=-0.2,
    ball=(-0.3, 2.6),
    turn=-1.1,
    place=(5.7, 3.1),  # far off: shots that share structure are one to who looks for cuts
)


@dataclass(frozen=True)
class Scene:
    """Pictures of `width` x `height` luma pixels (even) at any time; see the module."""

    width: int
    height: int
    bit_depth: int = 8
    cut: Fraction | None = Fraction(2)
    """Seconds at which the second shot begins; None for one shot without end."""

    def planes(self, time: Fraction) -> Planes:
        """`y (H, W)` and `uv (H/2, W/2, 2)` at `time` seconds, limited range, BT.709."""
        y, uv = (self._paint(canvas, time) for canvas in self._canvases)
        return self._quantized(y[..., 0]), self._quantized(uv)

    def frames(self, fps: Fraction, seconds: Fraction) -> Iterator[Frame]:
        """One frame at each n / fps below `seconds`; `Frame.cut` is not set."""
        time_base = common_time_base(1 / fps)
        ticks = int(1 / fps / time_base)
        for n in grid(Fraction(0), seconds, fps, Fraction(0)):
            yield Frame(*self.planes(n / fps), n * ticks, ticks, time_base)

    def format(self, fps: Fraction) -> VideoFormat:
        """What `frames` yields."""
        return VideoFormat(self.width, self.height, fps, self.bit_depth, color=_BT709)

    def ball(self, time: Fraction) -> tuple[float, float, float]:
        """Centre (x, y) and radius of the ball in luma pixels at `time` seconds."""
        x, y, radius = self._ball(self._shot(time), float(time))
        return x * self.height, y * self.height, radius * self.height

    def _shot(self, time: Fraction) -> _Shot:
        return _DAY if self.cut is None or time < self.cut else _DUSK

    @cached_property
    def _canvases(self) -> tuple[Canvas, Canvas]:
        """Luma, and chroma sited as MPEG does: on every second luma column, between two rows."""
        step = 1 / self.height
        luma = Canvas(self.width, self.height, step, 0.5 * step, slice(0, 1))
        chroma = Canvas(self.width // 2, self.height // 2, 2 * step, 0.5 * step, slice(1, 3))
        return luma, chroma

    @cached_property
    def _aspect(self) -> float:
        return self.width / self.height

    def _quantized(self, picture: Array) -> NDArray[np.uint8 | np.uint16]:
        levels = picture * 2.0 ** (self.bit_depth - 8) + 0.5
        top = 2**self.bit_depth - 1
        return np.ascontiguousarray(np.clip(levels, 0, top).astype(dtype_of(self.bit_depth)))

    def _paint(self, canvas: Canvas, time: Fraction) -> Array:
        """(H, W, channels of `canvas`) float32 in units of 8-bit levels."""
        shot, seconds = self._shot(time), float(time)  # a drawing is not a clock: one float is fine
        picture = _sky(canvas, shot, seconds)
        _add_hills(picture, canvas, shot, seconds)
        _add_wires(picture, canvas, shot, seconds)
        _add_ball(picture, canvas, shot, seconds, self._ball(shot, seconds))
        _add_sign(picture, canvas, shot, self._aspect / 2 + 0.1 * sin(0.9 * seconds + shot.seed))
        return picture

    def _ball(self, shot: _Shot, seconds: float) -> tuple[float, float, float]:
        """Centre and radius in heights: to and fro in x, a bounce drawn as a sine in y."""
        speed, beat = shot.ball
        half = self._aspect / 2
        reach = 0.62 * half
        x = half + reach * sin(speed * seconds / reach - 0.8)
        return x, 0.46 - 0.14 * cos(beat * seconds), 0.17


def _sky(canvas: Canvas, shot: _Shot, seconds: float) -> Array:
    """A vertical gradient, lightened by drifting clouds."""
    upper, lower = (color[canvas.channels] for color in shot.sky)
    rows = upper + (lower - upper) * np.clip(canvas.y, 0, 1)[:, None]
    picture = np.repeat(rows[:, None].astype(np.float32), len(canvas.x), axis=1)
    x, y = shot.place
    clouds = _CLOUDS.sample(canvas, x + shot.pan * seconds, y)
    white = yuv(250, 248, 244)[canvas.channels]
    picture += np.clip(0.35 * clouds + 0.2, 0, 0.8)[..., None] * (white - picture)
    return picture


def _add_hills(picture: Array, canvas: Canvas, shot: _Shot, seconds: float) -> None:
    """A skyline, its ground textured in luma only."""
    x = canvas.x + 2 * shot.pan * seconds
    height = 0.74 - 0.06 * np.sin(2.1 * x + shot.seed) - 0.025 * np.sin(5.3 * x)
    slope = -0.06 * 2.1 * np.cos(2.1 * x + shot.seed) - 0.025 * 5.3 * np.cos(5.3 * x)
    inside = (canvas.y[:, None] - height) / np.sqrt(1 + slope * slope)
    top = max(int(np.searchsorted(canvas.y, height.min())) - 2, 0)
    ground = np.empty((*inside[top:].shape, picture.shape[2]), np.float32)
    ground[:] = shot.hill[canvas.channels]
    if canvas.channels.start == 0:
        across, down = shot.place
        grass = _GRASS.sample(canvas, across + 2 * shot.pan * seconds, down)
        ground[..., 0] += 9 * grass[top:]
    canvas.over(picture[top:], inside[top:], ground)


def _add_wires(picture: Array, canvas: Canvas, shot: _Shot, seconds: float) -> None:
    """Poles, and three thin wires that sag between them."""
    dark = yuv(30, 30, 34)[canvas.channels]
    span = (canvas.x + 3.5 * shot.pan * seconds) % 0.9 - 0.45  # from the middle between two poles
    pole = 0.008 - (0.45 - np.abs(span))
    bottom = 0.95 - canvas.y
    canvas.over(
        picture, np.minimum(np.minimum(pole, (canvas.y - 0.08)[:, None]), bottom[:, None]), dark
    )
    for number in range(3):
        height = 0.12 + 0.035 * number + 0.05 * (1 - (span / 0.45) ** 2)
        slope = -0.1 * span / 0.45**2
        away = np.abs(canvas.y[:, None] - height) / np.sqrt(1 + slope * slope)
        canvas.over(picture, 0.0012 - away, dark)


def _add_ball(
    picture: Array, canvas: Canvas, shot: _Shot, seconds: float, place: tuple[float, float, float]
) -> None:
    """A turning ball of twelve petals, shaded towards its rim."""
    x, y, radius = place
    rows, columns = canvas.window(x, y, radius + 2 * canvas.step)
    dx, dy = canvas.x[columns] - x, (canvas.y[rows] - y)[:, None]
    away = np.sqrt(dx * dx + dy * dy)
    angle = np.arctan2(dy, dx) + shot.turn * seconds
    first, second = (color[canvas.channels] for color in shot.petals)
    ball = np.empty((*away.shape, picture.shape[2]), np.float32)
    ball[:] = first
    canvas.over(ball, away * np.sin(6 * angle) / 6, second)
    canvas.over(ball, 0.03 - away, first)
    if canvas.channels.start == 0:
        ball[..., 0] -= 60 * (away / radius) ** 3
    canvas.over(picture[rows, columns], radius - away, ball)


def _add_sign(picture: Array, canvas: Canvas, shot: _Shot, x: float) -> None:
    """A plate with words on it, `x` its centre."""
    mask = text_mask(canvas.step, shot.words, 0.07)
    width, height = canvas.extent(mask)
    y = 0.87
    inside = np.minimum(
        (0.045 + width / 2 - np.abs(canvas.x - x)), (0.06 - np.abs(canvas.y - y))[:, None]
    )
    canvas.over(picture, inside, yuv(238, 236, 228)[canvas.channels])
    canvas.stamp(picture, mask, x - width / 2, y - height / 2, yuv(24, 26, 40)[canvas.channels])


_CLOUDS = Texture(seed=11, waves=160, lowest=0.7, highest=45.0, slope=1.4)
_GRASS = Texture(seed=12, waves=160, lowest=6.0, highest=120.0, slope=0.5)

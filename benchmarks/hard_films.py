"""Six films at 24 frames a second in which frames are hard to make, for `benchmarks.hard_places`.

Each is drawn from photographs that move under code's control, so the true picture is known at any
time: a fast pan behind something that stands, cuts, subtitles over a moving picture, a drawn scene
on twos, a dissolve, a flash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.bench.scenes import Scene
from vidgen.frame import Planes
from vidgen.media.rgb import from_rgb

__all__ = ["FILMS", "FPS", "HEIGHT", "PHOTOS", "WIDTH", "HardFilm", "over", "photo", "picture"]

WIDTH, HEIGHT, FPS = 640, 360, Fraction(24)
PHOTOS = Path("../shared/data/train/stills-photos")  # CC0
SCENE = Scene(WIDTH, HEIGHT, cut=None)
FIRST_SUBTITLE, SECOND_SUBTITLE, NO_SUBTITLE = 6, 14, 22  # frames at which each begins

Rgb = NDArray[Any]
"""(HEIGHT, WIDTH, 3) float32 in [0, 255]."""


@dataclass(frozen=True)
class HardFilm:
    """A film, and which of its frames to look at."""

    planes: Callable[[float], Planes]
    """What it shows at a time in frames, which need not be whole."""
    frames: int
    shown: tuple[int, ...]
    """Frames after which a picture is made and shown."""
    shots: int = 0
    """Frames from cut to cut; 0 for one shot."""
    twice: bool = False
    """Whether every picture is shown for two frames."""


def pan(time: float) -> Planes:
    """Nine frames each at 16, 40 and 72 pixels a frame, behind a disc that nearly stands."""
    gone = 16 * min(time, 9) + 40 * min(max(time - 9, 0), 9) + 72 * max(time - 18, 0)
    behind = photo("old_airplane", 1.3, gone, 20)
    return picture(over(behind, photo("blossom", 1.2, 0.5 * time, 0), 420, 190, 90))


def cuts(time: float) -> Planes:
    names = "London_Eye", "bike_wheel", "living_room", "harmonica"
    return picture(photo(names[int(time) // 12], 1.4, 5 * time, 2 * time))


def subtitled(time: float) -> Planes:
    shown = photo("antigue_building", 1.4, 11 * time, 0)
    if time < FIRST_SUBTITLE or time >= NO_SUBTITLE:
        return picture(shown)
    words = "We leave at dawn," if time < SECOND_SUBTITLE else "or not at all."
    for width, level in ((7, 8.0), (2, 242.0)):
        mask = lettering(words, width)[..., None]
        shown = shown + mask * (level - shown)
    return picture(shown)


def on_twos(time: float) -> Planes:
    return SCENE.planes(Fraction(time) / FPS)


def dissolve(time: float) -> Planes:
    share = np.float32(min(max((time - 6) / 12, 0), 1))
    first = photo("walk-to-the-gate", 1.3, 7 * time, 0)
    return picture(first + share * (photo("one-way", 1.3, -5 * time, 30) - first))


def flash(time: float) -> Planes:
    """One frame of a flash that goes out over three more, on a moving picture."""
    light = np.interp(time, [5, 6, 7, 8, 9], [0, 1, 0.6, 0.3, 0])
    shown = 0.55 * over(
        photo("alley-antique", 1.2, 8 * time, 0), photo("fish", 1, 0, 0), 200 + 9 * time, 200, 70
    )
    return picture(shown * (1 + 1.2 * light) + 60 * light)


FILMS = {
    "pan": HardFilm(pan, 27, (4, 12, 20, 22)),
    "cuts": HardFilm(cuts, 48, (10, 11, 12, 23), shots=12),
    "subtitles": HardFilm(subtitled, 28, (5, 9, 13, 21)),
    "twos": HardFilm(on_twos, 48, (10, 11, 12, 13), twice=True),
    "dissolve": HardFilm(dissolve, 24, (6, 9, 12, 16)),
    "flash": HardFilm(flash, 16, (4, 5, 6, 7)),
}


def photo(name: str, zoom: float, x: float, y: float) -> Rgb:
    """A part of a photograph that begins at (x, y); `zoom` is its height in pictures."""
    whole = _loaded(name, zoom)
    columns = np.arange(WIDTH, dtype=np.float32) + np.float32(x)
    rows = np.arange(HEIGHT, dtype=np.float32) + np.float32(y)
    places = np.meshgrid(columns, rows)
    return cv2.remap(whole, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


@cache
def _loaded(name: str, zoom: float) -> Rgb:
    path = next(PHOTOS.glob(f"{name}*"))
    whole = cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32)
    height = round(zoom * HEIGHT)
    size = (round(whole.shape[1] * height / len(whole)), height)
    return cv2.resize(whole, size, interpolation=cv2.INTER_AREA)


def over(behind: Rgb, front: Rgb, x: float, y: float, radius: float) -> Rgb:
    """`front` in a disc before `behind`, its edge as wide as a pixel."""
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    inside = np.clip(radius - np.hypot(columns - x, rows - y) + 0.5, 0, 1)[..., None]
    return np.asarray(behind + inside * (front - behind), np.float32)


@cache
def lettering(words: str, width: int) -> NDArray[Any]:
    """(HEIGHT, WIDTH) in [0, 1]: `words` at the foot of the picture, in strokes of that width."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    (long, _), _ = cv2.getTextSize(words, font, 1, 2)
    cv2.putText(mask, words, ((WIDTH - long) // 2, 325), font, 1, 255, width, cv2.LINE_AA)
    return mask / np.float32(255)


def picture(rgb: Rgb) -> Planes:
    return from_rgb(np.clip(np.rint(rgb), 0, 255).astype(np.uint8))

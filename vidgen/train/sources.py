"""Good pictures to learn from: runs of frames from clips, moving stills and drawings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.errors import InputError
from vidgen.frame import Planes
from vidgen.media import Decoder
from vidgen.train.degrade import shrink

__all__ = ["cropped", "drawing_run", "find", "halved", "still_run", "to_planes", "video_runs"]

_VIDEO = {".mp4", ".mkv", ".webm", ".mpg", ".264"}
_STILLS = {".jpg", ".png"}


def find(folder: Path, exclude: Collection[str] = ()) -> tuple[list[Path], list[Path]]:
    """All clips and all stills below `folder`, sorted, but for those in folders named in `exclude`.

    Raises InputError where there are none.
    """
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    files = [path for path in found if path.parent.name not in exclude]
    videos = [path for path in files if path.suffix in _VIDEO]
    stills = [path for path in files if path.suffix in _STILLS]
    if not videos and not stills:
        raise InputError(
            f"{folder}: no clips or stills to train on; name their folder in the recipe's [data]"
        )
    return videos, stills


def video_runs(path: Path, length: int) -> Iterator[list[Planes]]:
    """Runs of `length` consecutive frames, one for each second of the clip."""
    run: list[Planes] = []
    with Decoder(path) as decoder:
        every = max(length, round(decoder.format.fps or 25))
        for number, frame in enumerate(decoder):
            if number % every < length:
                run.append(cropped(frame.planes))
            if len(run) == length:
                yield run
                run = []


def cropped(planes: Planes, multiple: int = 8) -> Planes:
    """The top left part with sides divisible by `multiple`."""
    y, uv = planes
    height, width = y.shape[0] // multiple * multiple, y.shape[1] // multiple * multiple
    return y[:height, :width], uv[: height // 2, : width // 2]


def halved(run: list[Planes]) -> list[Planes]:
    """The run at half size: cleaner than the source, which has been through a codec."""
    return [cropped(shrink(planes)) for planes in run]


def still_run(
    path: Path,
    length: int,
    side: int,
    rng: np.random.Generator,
    shrunk: tuple[float, float],
) -> list[Planes]:
    """`length` frames of a camera that pans and zooms over the still, at most `side` pixels wide.

    The window moves by whole pixels of the full still and is shrunk by area, so every frame is
    sharp and the motion is sub-pixel: by a factor between those of `shrunk`. Stills too small to be
    shrunk are panned pixel by pixel.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(f"{path}: cannot be read as a picture")
    height, width = picture.shape[:2]
    shrink = rng.uniform(*shrunk) if min(height, width) >= 900 else 1.0
    out = int(min(side, 0.9 * min(height, width) / shrink)) // 8 * 8
    window = round(out * shrink)
    grow = 0.0 if shrink == 1.0 else rng.uniform(-0.01, 0.01)
    speed = rng.uniform(-4, 4, 2) * shrink
    room = np.array([height, width]) - window * (1 + abs(grow) * length) - 1
    start = rng.uniform(0, np.maximum(room, 1))
    frames = []
    for number in range(length):
        size = round(window * (1 + grow * number))
        top, left = np.clip(start + speed * number, 0, np.array([height, width]) - size).astype(int)
        part = picture[top : top + size, left : left + size]
        frames.append(to_planes(cv2.resize(part, (out, out), interpolation=cv2.INTER_AREA)))
    return frames


def drawing_run(length: int, side: int, rng: np.random.Generator) -> list[Planes]:
    """Titles, lines and shapes on a gradient, panned: what photographs do not teach."""
    canvas = _drawing(side + 64, rng)
    steps = rng.integers(-3, 4, 2)
    corner = np.array([32, 32])
    frames = []
    for number in range(length):
        top, left = np.clip(corner + steps * number, 0, 64)
        frames.append(to_planes(canvas[top : top + side, left : left + side]))
    return frames


def _drawing(side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(side, side, 3) BGR, drawn at four times the size and shrunk by area."""
    big = 4 * side
    ends = rng.integers(0, 256, (2, 2, 3)).astype(np.float32)
    canvas = cv2.resize(ends, (big, big), interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    for _ in range(40):
        color = tuple(int(value) for value in rng.integers(0, 256, 3))
        a, b = (tuple(int(value) for value in rng.integers(0, big, 2)) for _ in range(2))
        kind, thick = rng.integers(4), int(rng.integers(2, 20))
        if kind == 0:
            cv2.line(canvas, a, b, color, thick, cv2.LINE_AA)
        elif kind == 1:
            cv2.circle(canvas, a, int(rng.integers(20, 400)), color, thick, cv2.LINE_AA)
        elif kind == 2:
            cv2.rectangle(canvas, a, b, color, thick)
        else:
            words = "".join(chr(code) for code in rng.integers(33, 127, 12))
            cv2.putText(canvas, words, a, int(rng.integers(8)), float(rng.uniform(2, 8)), color,
                        thick, cv2.LINE_AA)  # fmt: skip
    small = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def to_planes(bgr: NDArray[Any]) -> Planes:
    """A BGR picture (H, W, 3) uint8, sides divisible by 2, as BT.709 limited-range 4:2:0 planes."""
    b, g, r = (channel.astype(np.float32) for channel in cv2.split(bgr))
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    color = np.stack([(b - luma) / 1.8556, (r - luma) / 1.5748], -1)
    half = cv2.resize(color, (luma.shape[1] // 2, luma.shape[0] // 2), interpolation=cv2.INTER_AREA)
    y = np.rint(16 + luma * (219 / 255)).astype(np.uint8)
    return y, np.clip(np.rint(128 + half * (224 / 255)), 0, 255).astype(np.uint8)

"""Pictures that move, and the fields and frames that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import cv2
import numpy as np
import pytest

from vidgen.frame import Frame, Planes
from vidgen.restore import Watcher
from vidgen.scan import Scan

NTSC = Fraction(30000, 1001)


@pytest.fixture(scope="session")
def pictures() -> list[Planes]:
    """90 pictures of 192x144 in which a texture moves right and down and a bright disc left."""
    return drawn(90)


def drawn(count: int, depth: int = 8) -> list[Planes]:
    rng = np.random.default_rng(7)
    ground = cv2.GaussianBlur(rng.uniform(0, 255, (600, 600)).astype(np.float32), (0, 0), 1.6)
    ground = np.clip((ground - 128) * 2.5 + 128, 16, 235)
    made = []
    for number in range(count):
        shift = np.array([[1, 0, -(1.7 * number) - 20], [0, 1, -(0.9 * number) - 20]], np.float32)
        y = cv2.warpAffine(ground, shift, (192, 144), flags=cv2.INTER_CUBIC)
        middle = (round((170 - 2.3 * number) * 16) % (192 * 16), 70 * 16)
        cv2.circle(y, middle, 18 * 16, 220.0, -1, cv2.LINE_AA, 4)
        uv = cv2.resize(y, (96, 72), interpolation=cv2.INTER_AREA)
        chroma = np.dstack([uv / 2 + 60, 200 - uv / 2])
        scale, dtype = (1, np.uint8) if depth == 8 else (4, np.uint16)
        top = 255 if depth == 8 else 1023
        made.append(
            tuple(np.clip(np.rint(plane * scale), 0, top).astype(dtype) for plane in (y, chroma))
        )
    return made


def woven(top: Planes, bottom: Planes) -> Planes:
    y, uv = top[0].copy(), top[1].copy()
    y[1::2], uv[1::2] = bottom[0][1::2], bottom[1][1::2]
    return y, uv


def in_frames(fields: Sequence[Planes], top_first: bool = True) -> list[Planes]:
    """Frames of two fields each, given the picture that each field is of."""
    pairs = zip(fields[0::2], fields[1::2], strict=False)
    return [woven(a, b) if top_first else woven(b, a) for a, b in pairs]


def pulled_down(count: int, cycle: Sequence[int]) -> list[int]:
    """The number of the picture of each field."""
    fields = [n for n in range(count) for _ in range(cycle[n % len(cycle)])]
    return fields[: len(fields) // 2 * 2]


def film_of(
    frames: Sequence[Planes], time_base: Fraction = 1 / NTSC, rate: Fraction = NTSC, flag=False
) -> list[Frame]:
    """Frames at a constant rate, stamped as a container of that clock does."""
    stamps = [round(n / rate / time_base) for n in range(len(frames) + 1)]
    return [
        Frame(*planes, stamps[n], stamps[n + 1] - stamps[n], time_base, interlaced=flag)
        for n, planes in enumerate(frames)
    ]


def watched(
    frames: Sequence[Frame], rate: Fraction | None = NTSC, forced=False, rows: int | None = None
) -> Scan:
    watcher = Watcher(rate, forced, rows)
    for frame in frames:
        watcher(frame)
    return watcher.scan()


def numbers(shown: Sequence[Frame], pictures: Sequence[Planes]) -> list[int | None]:
    """Which of the pictures each frame shows, bit for bit; None for one that is none of them."""
    keys = {picture[0].tobytes() + picture[1].tobytes(): n for n, picture in enumerate(pictures)}
    return [keys.get(frame.y.tobytes() + frame.uv.tobytes()) for frame in shown]

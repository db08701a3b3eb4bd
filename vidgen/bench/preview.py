"""A few moments of a film before and after, side by side, as one picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.bench.compare import pair
from vidgen.bench.picture import beside, crop, most_different, to_bgr, write_png
from vidgen.errors import InputError
from vidgen.frame import Frame, Planes, VideoFormat
from vidgen.job import Settings
from vidgen.media import Decoder
from vidgen.stages.fit import resample

__all__ = ["write_before_after"]

_MOMENTS = 3
_PANEL = 640, 360  # pixels of a picture, at most: a detail at its own size says more than the whole


def write_before_after(settings: Settings) -> Path:
    """`OUT-before-after.png` beside the result of a run. Raises VidgenError."""
    target = settings.target
    path = target.with_name(f"{target.stem}-before-after.png")
    rows = []
    with (
        Decoder(settings.source, start=settings.start, end=settings.end) as source,
        Decoder(target) as made,
    ):
        length = (settings.end or Fraction(0)) - (settings.start or Fraction(0))
        wanted = [length * (2 * n + 1) / (2 * _MOMENTS) for n in range(_MOMENTS)]
        for time, before, after in pair(source, made):
            if wanted and time >= wanted[0] and before is not None:
                wanted.pop(0)
                rows.append(_row(time, before, source.format, after, made.format))
        if not rows:
            raise InputError(f"{target}: holds no picture to show")
    write_png(path, beside(rows))
    return path


def _row(
    time: Fraction, before: Frame, source: VideoFormat, after: Frame, made: VideoFormat
) -> list[tuple[str, NDArray[np.uint8]]]:
    """What the source shows, enlarged by Lanczos, and what was made of it."""
    plain = resample(before.planes, made.width, made.height, source.bit_depth)
    bgr = [_shown(plain, source), _shown(after.planes, made)]
    place = most_different(bgr[0][..., 1], bgr[1][..., 1])
    labels = [f"before, at {float(time):.2f} s", "after"]
    return [(label, crop(each, place, _PANEL)) for label, each in zip(labels, bgr, strict=True)]


def _shown(planes: Planes, video: VideoFormat) -> NDArray[Any]:
    return to_bgr(planes, video.color, video.bit_depth)

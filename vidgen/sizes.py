"""Picture sizes: what `--scale` and `--size` mean for a source, and the network passes needed."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from fractions import Fraction
from math import log2

from vidgen.errors import UsageError
from vidgen.frame import VideoFormat

__all__ = ["SIZES", "network_passes", "target_format"]

SIZES = {
    "480p": (854, 480),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "1440p": (2560, 1440),
    "2160p": (3840, 2160),
    "4k": (3840, 2160),
    "8k": (7680, 4320),
}
"""Named boxes (width, height) that a picture is fitted into; turned where it is upright."""

_LARGEST = 16384  # HEVC and AV1 level limits lie below; a typing error should not ask for terabytes


def target_format(source: VideoFormat, scale: int | None, size: str | None) -> VideoFormat:
    """The format of the output; raises UsageError.

    A named size fits the picture, as shown, into its box with square pixels; `WxH` is exact and the
    pixels become non-square where needed to keep the display aspect ratio.
    """
    if scale is not None and size is not None:
        raise UsageError("--scale and --size exclude each other; give one of them")
    if size is None:
        factor = 2 if scale is None else scale
        return source.resized(source.width * factor, source.height * factor)
    if size.lower() in SIZES:
        return _fitted(source, *SIZES[size.lower()])
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    if match is None:
        near = difflib.get_close_matches(size.lower(), SIZES, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(f"--size {size}: unknown{hint}; give WxH or one of {', '.join(SIZES)}")
    width, height = int(match[1]), int(match[2])
    if width % 2 or height % 2 or not (16 <= width <= _LARGEST and 16 <= height <= _LARGEST):
        raise UsageError(f"--size {size}: give even sides from 16 to {_LARGEST}")
    return _square(source.resized(width, height))


def network_passes(source: VideoFormat, target: VideoFormat, scale: int) -> int:
    """How often a network of that scale runs before the exact resampling to `target`.

    Any growth runs it at least once; beyond that the nearest power of `scale` wins, so that neither
    the network's work nor the resampling after it is much larger than needed.
    """
    ratio = max(target.width / source.width, target.height / source.height)
    return max(1, round(log2(ratio) / log2(scale))) if ratio > 1 else 0


def _fitted(source: VideoFormat, width: int, height: int) -> VideoFormat:
    """The largest even size of `source`'s display aspect ratio inside the box, square pixels."""
    shown = source.width * source.sample_aspect_ratio
    if shown < source.height:  # upright: 1080p is 1080x1920, as phones and video sites have it
        width, height = height, width
    factor = min(Fraction(width) / shown, Fraction(height, source.height))
    even = (2 * round(side * factor / 2) for side in (shown, Fraction(source.height)))
    fitted = source.resized(*(max(side, 16) for side in even))
    return replace(fitted, sample_aspect_ratio=Fraction(1))


def _square(video: VideoFormat) -> VideoFormat:
    """Square pixels where rounding to whole pixels is the only reason that they are not."""
    error = abs(video.sample_aspect_ratio - 1) * max(video.width, video.height)
    return replace(video, sample_aspect_ratio=Fraction(1)) if error <= 2 else video

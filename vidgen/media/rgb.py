"""RGB pictures of other libraries made into planes, and planes into RGB, at the very edge.

Both take BT.709 in limited range whatever the size, so that they undo each other around a filter
that changes it; chroma is that of four pixels, in their middle.
"""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from vidgen.errors import UsageError
from vidgen.frame import Color, Planes
from vidgen.media.color import FULL, LIMITED, picture

__all__ = ["RGB", "from_rgb", "to_rgb"]

RGB = Color(range=LIMITED, matrix=1, primaries=1, transfer=1, chroma_location=2)
"""The tags of planes that `from_rgb` makes."""

_SWS_BT709 = 1
_SCALE = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""Without the last, swscale's short way to RGB loses 2 of 255 everywhere."""


def from_rgb(rgb: NDArray[Any], *, bgr: bool = False) -> Planes:
    """`rgb` (H, W, 3) uint8, H and W even, as 8-bit planes; `bgr` is OpenCV's order of channels.

    Raises UsageError.
    """
    *size, channels = rgb.shape
    if rgb.dtype != np.uint8 or channels != 3 or len(size) != 2 or any(n % 2 for n in size):
        raise UsageError(f"{rgb.dtype} of {rgb.shape}: give (H, W, 3) uint8, H and W even")
    layout = "bgr24" if bgr else "rgb24"
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format=layout)
    made = frame.reformat(
        format="nv12",
        dst_colorspace=_SWS_BT709,
        src_color_range=FULL,
        dst_color_range=LIMITED,
        interpolation=_SCALE,
    ).to_ndarray()
    height, width = rgb.shape[:2]
    return made[:height].copy(), made[height:].reshape(height // 2, width // 2, 2).copy()


def to_rgb(planes: Planes, *, bgr: bool = False) -> NDArray[Any]:
    """Planes of 8 or 10 bits as (H, W, 3) uint8; `bgr` is OpenCV's order of channels."""
    y, uv = planes
    frame = picture((y, uv), "yuv420p" if y.itemsize == 1 else "yuv420p10le")
    return frame.reformat(
        format="bgr24" if bgr else "rgb24",
        src_colorspace=_SWS_BT709,
        src_color_range=LIMITED,
        dst_color_range=FULL,
        interpolation=_SCALE,
    ).to_ndarray()

"""NVDEC and NVENC where there is no GPU, beside `standin`: FFmpeg's own decoders and x264.

Only the edge to FFmpeg's hardware is another one. A decoded picture is handed over as a surface in
memory, its rows longer than the picture and its chroma rows further on, with noise between them;
x264 is given the frames that NVENC would be given, of the same memory. The rest is vidgen's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import av
import numpy as np

from vidgen.media import encode, nvidia
from vidgen.media.codecs import CODECS
from vidgen.media.hardware import HARDWARE
from vidgen.surface import Surface

__all__ = ["media_standin"]

_LAID_OUT = {"yuv420p": ("nv12", np.uint8), "yuv420p10le": ("p010le", np.uint16)}
_LOSSLESS = (("x264-params", "qp=0"),)
"""Of some pictures of 64x64 x264 makes one packet or another, by what lay in its memory before."""
_BESIDE, _BETWEEN = 48, 3  # samples after each row, rows between luma and chroma


@contextmanager
def media_standin(decodes: bool = True, encodes: bool = True) -> Iterator[None]:
    """Both are here, or one of them."""
    x264, real = CODECS["x264"], encode.video_stream

    def video_stream(output: Any, codec: Any, *words: Any) -> Any:
        return real(output, replace(codec, pix_fmts=x264.pix_fmts), *words)

    with ExitStack() as stack:
        if decodes or encodes:
            stack.enter_context(patch.object(nvidia, "HWAccel", lambda *words, **more: None))
        if decodes:
            stack.enter_context(patch.object(nvidia, "surface_of", surface_of))
        words = {
            word: replace(
                x264, word=word, pix_fmts=each.pix_fmts, options=_LOSSLESS, on_nvidia=encodes
            )
            for word, each in HARDWARE.items()
            if each.on_nvidia
        }
        stack.enter_context(patch.dict(HARDWARE, words))
        stack.enter_context(patch.object(encode, "video_stream", video_stream))
        yield


def surface_of(picture: av.VideoFrame) -> Surface | None:
    """In place of `nvidia.surface_of`: the picture in memory as a GPU's decoder lays it out."""
    if picture.format.name not in _LAID_OUT:
        return None
    pix_fmt, dtype = _LAID_OUT[picture.format.name]
    laid_out = picture.reformat(format=pix_fmt)
    height, width, chroma_row = picture.height, picture.width, picture.height + _BETWEEN
    whole = np.random.default_rng(0).integers(0, 255, (chroma_row + height // 2, width + _BESIDE))
    whole = whole.astype(dtype)
    for first, plane in zip((0, chroma_row), laid_out.planes, strict=True):
        rows = np.frombuffer(plane, dtype).reshape(plane.height, -1)
        whole[first : first + plane.height, :width] = rows[:, :width]
    size = height, width, whole.itemsize
    return Surface(whole.ctypes.data, whole.strides[0], chroma_row, *size, whole)

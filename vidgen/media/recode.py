"""Pictures through a real codec and back, in memory: how training and benchmarks degrade them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from vidgen.errors import UsageError
from vidgen.frame import Planes

__all__ = ["recode"]

_DECODERS = {"libx264": "h264", "libx265": "hevc", "mpeg2video": "mpeg2video"}


def recode(
    frames: Sequence[Planes],
    codec: str,
    quality: float,
    *,
    preset: str = "medium",
    fps: Fraction = Fraction(25),
) -> list[Planes]:
    """`frames` (8-bit planes, one size, in order) encoded with `codec` and decoded again.

    `quality` is the CRF of libx264 or libx265, or the constant quantiser scale (1 to 31) of
    mpeg2video; `preset` is that of the former two. Raises UsageError for another codec.
    """
    if codec not in _DECODERS:
        raise UsageError(f"codec {codec!r}: unknown here; give {', '.join(_DECODERS)}")
    encoder = _encoder(frames[0], codec, quality, preset, fps)
    decoder = av.CodecContext.create(_DECODERS[codec], "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1  # results do not depend on it, and callers run beside others
    packets = []
    for number, planes in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(_packed(planes), format="yuv420p")
        picture.pts, picture.time_base = number, 1 / fps
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    pictures = [picture for packet in packets for picture in decoder.decode(packet)]
    pictures += decoder.decode(None)
    return [_planes(picture) for picture in pictures]


def _encoder(
    planes: Planes, codec: str, quality: float, preset: str, fps: Fraction
) -> av.VideoCodecContext:
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.height, encoder.width = planes[0].shape
    encoder.pix_fmt = "yuv420p"
    encoder.time_base, encoder.framerate = 1 / fps, fps
    encoder.thread_count = 1  # more slices or threads would change the pictures
    if codec == "libx265":
        quiet = "log-level=error:pools=1:frame-threads=1"
        encoder.options = {"crf": str(quality), "preset": preset, "x265-params": quiet}
    elif codec == "libx264":
        encoder.options = {"crf": str(quality), "preset": preset}
    else:
        encoder.qmin = encoder.qmax = round(quality)
        encoder.gop_size, encoder.max_b_frames = 12, 2
    return encoder


def _packed(planes: Planes) -> NDArray[np.uint8]:
    """NV12 planes as the (H * 3/2, W) array that PyAV calls yuv420p."""
    y, uv = planes
    return np.concatenate([y.ravel(), uv[..., 0].ravel(), uv[..., 1].ravel()]).reshape(
        -1, y.shape[1]
    )


def _planes(picture: av.VideoFrame) -> Planes:
    array = picture.to_ndarray(format="yuv420p")
    height, width = picture.height, picture.width
    chroma = array[height:].reshape(2, height // 2, width // 2)
    return array[:height], np.ascontiguousarray(chroma.transpose(1, 2, 0))

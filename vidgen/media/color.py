"""Pictures across the edge: `av.VideoFrame` to planes and back, with the colour tags kept right.

8-bit 4:2:0 takes the short way: luma is the decoder's own memory where its rows are not padded, and
chroma is interleaved in one pass (`cv2.merge`: 59 us at 1080p on Zen 3, where NumPy's strided
assignment takes 460 and swscale 128). Everything else goes once through swscale, which changes
neither range nor matrix here; RGB alone is given them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import av
import cv2
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from vidgen.errors import InputError
from vidgen.frame import Color, Planes, VideoFormat, dtype_of

__all__ = [
    "FULL",
    "LIMITED",
    "LimitedRange",
    "PictureReader",
    "bit_depth",
    "color_of",
    "picture",
    "what_is_given_up",
]

LIMITED, FULL = 1, 2
_BT709, _BT601, _UNSPECIFIED = 1, 6, 2
_MIDDLE = 2  # AVChromaLocation: where swscale puts the chroma that it makes of 4:4:4
# They say nothing, and some encoders refuse them: 3 and most 0 are reserved; matrix 0 is RGB's own.
_RESERVED = (0, 3)
_SWS_MATRIX = {_BT709: 1, _BT601: 5}  # swscale numbers its matrices in its own way
_HD_HEIGHT = 720  # at and above it untagged RGB is taken to BT.709, below to BT.601

_PLANAR = {"yuv420p", "yuvj420p", "yuva420p", "yuv420p10le", "yuva420p10le"}
_GRAY = {"gray", "gray10le"}
_FULL_RANGE_GRAY = {
    "png",
    "ffv1",
    "rawvideo",
    "mjpeg",
    "bmp",
    "tiff",
    "utvideo",
    "huffyuv",
    "ffvhuff",
}
_SCALE = Interpolation.BICUBIC | Interpolation.ACCURATE_RND


def bit_depth(picture_format: av.VideoFormat) -> int:
    """8 or 10: how many bits a sample of that pixel format is given here."""
    return 10 if max(component.bits for component in picture_format.components) > 8 else 8


def color_of(frame: av.VideoFrame, context: av.VideoCodecContext, chroma_location: int) -> Color:
    """The tags the planes of `frame` will have; what the picture does not say, its stream may."""
    tags = Color(
        range=frame.color_range or context.color_range,
        matrix=_stated(frame.colorspace, context.colorspace),
        primaries=_stated(frame.color_primaries, context.color_primaries),
        transfer=_stated(frame.color_trc, context.color_trc),
        chroma_location=chroma_location,
    )
    name = frame.format.name
    if frame.format.is_rgb or frame.format.has_palette:
        matrix = _BT709 if frame.height >= _HD_HEIGHT else _BT601
        return replace(tags, range=LIMITED, matrix=matrix, chroma_location=_MIDDLE)
    if _subsampling(frame.format) == "4:4:4":
        tags = replace(tags, chroma_location=_MIDDLE)
    if name.startswith("yuvj") or (
        _is_gray(name) and not tags.range and context.name in _FULL_RANGE_GRAY
    ):
        return replace(tags, range=FULL)
    return tags


def _stated(frame: int, stream: int) -> int:
    stated = int(frame if frame != _UNSPECIFIED else stream)
    return _UNSPECIFIED if stated in _RESERVED else stated


def _is_gray(name: str) -> bool:
    return name.startswith(("gray", "ya8", "ya16", "mono"))


def what_is_given_up(frame: av.VideoFrame) -> list[str]:
    """Notes for the report: what turning this picture into even 4:2:0 planes loses."""
    picture_format, notes = frame.format, []
    bits = max(component.bits for component in picture_format.components)
    name = picture_format.name
    if bits > 10:
        notes.append(f"{bits} bits ({name}) become 10")
    if any(component.is_alpha for component in picture_format.components):
        notes.append(f"the alpha plane of {name} is dropped")
    if picture_format.is_rgb or picture_format.has_palette:
        matrix = "BT.709" if frame.height >= _HD_HEIGHT else "BT.601"
        notes.append(f"RGB ({name}) becomes 4:2:0 with the {matrix} matrix, limited range")
    elif _is_gray(name):
        notes.append(f"{name} becomes 4:2:0 with neutral chroma")
    elif (subsampling := _subsampling(picture_format)) != "4:2:0":
        notes.append(f"{subsampling} ({name}) becomes 4:2:0")
    if frame.width % 2 or frame.height % 2:
        even = f"{frame.width + frame.width % 2}x{frame.height + frame.height % 2}"
        notes.append(f"{frame.width}x{frame.height} is padded to {even}")
    return notes


def _subsampling(picture_format: av.VideoFormat) -> str:
    """`4:2:2` and so on, from how a 16x16 picture's chroma would measure."""
    across, down = 16 // picture_format.chroma_width(16), 16 // picture_format.chroma_height(16)
    names = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (4, 1): "4:1:1", (1, 2): "4:4:0"}
    return names.get((across, down), f"chroma 1/{across} by 1/{down}")


class PictureReader:
    """Turns decoded pictures into planes of one format; keeps swscale's context between them."""

    def __init__(self, video: VideoFormat) -> None:
        self._video = video
        self._scaler = VideoReformatter()
        self.notes: list[str] = []
        """Changes of the picture size in mid-stream."""

    def __call__(self, frame: av.VideoFrame) -> Planes:
        """`y (H, W)`, `uv (H/2, W/2, 2)` of the format's size and depth, C-contiguous.

        8-bit luma may be the decoder's own buffer, which lives as long as the array does and must
        not be written to. Raises InputError for a pixel format that swscale does not read.
        """
        dtype = dtype_of(self._video.bit_depth)
        same_size = self._is_same_size(frame)
        if not (same_size and self._is_direct(frame)):
            frame = self._converted(frame, same_size)
        y = _view(frame.planes[0], dtype)
        missing = self._video.height - frame.height, self._video.width - frame.width
        if any(missing):
            y = np.pad(y, ((0, missing[0]), (0, missing[1])), mode="edge")
        return np.ascontiguousarray(y), self._chroma(frame, dtype)

    def _is_same_size(self, frame: av.VideoFrame) -> bool:
        """Whether the picture is of the format's size, or one short of it where that is padding."""
        width, height = frame.width + frame.width % 2, frame.height + frame.height % 2
        if (width, height) == (self._video.width, self._video.height):
            return True
        note = (
            f"pictures of {frame.width}x{frame.height} in mid-stream are scaled to the first's size"
        )
        if note not in self.notes:
            self.notes.append(note)
        return False

    def _is_direct(self, frame: av.VideoFrame) -> bool:
        name = frame.format.name
        known = name in _PLANAR or name in _GRAY or name == "nv12"
        return known and bit_depth(frame.format) == self._video.bit_depth

    def _chroma(self, frame: av.VideoFrame, dtype: np.dtype[Any]) -> NDArray[Any]:
        name = frame.format.name
        if name in _GRAY:
            shape = (self._video.height // 2, self._video.width // 2, 2)
            return np.full(shape, 1 << (self._video.bit_depth - 1), dtype)
        if name == "nv12":
            uv = _view(frame.planes[1], dtype, channels=2)
            return np.ascontiguousarray(uv).reshape(uv.shape[0], -1, 2)
        merged: NDArray[Any] = cv2.merge(
            (_view(frame.planes[1], dtype), _view(frame.planes[2], dtype))
        )
        return merged

    def _converted(self, frame: av.VideoFrame, same_size: bool) -> av.VideoFrame:
        """The picture as 4:2:0 of this depth; its own size, unless it is not the format's."""
        tags: dict[str, Any] = {}
        if frame.format.is_rgb or frame.format.has_palette:
            tags = {
                "dst_colorspace": _SWS_MATRIX.get(self._video.color.matrix),
                "dst_color_range": LIMITED,
            }
        elif _is_gray(frame.format.name) or frame.format.name.startswith("yuvj"):
            tags = {"src_color_range": FULL, "dst_color_range": FULL}
        else:
            stated = self._video.color.range or LIMITED
            tags = {"src_color_range": stated, "dst_color_range": stated}
        # swscale refuses tags that it does not know, though it needs none of them here.
        frame.colorspace = frame.color_primaries = frame.color_trc = _UNSPECIFIED
        try:
            return self._scaler.reformat(
                frame,
                width=frame.width if same_size else self._video.width,
                height=frame.height if same_size else self._video.height,
                format="nv12" if self._video.bit_depth == 8 else "yuv420p10le",
                interpolation=_SCALE,
                **tags,
            )
        except (av.FFmpegError, ValueError) as error:
            raise InputError(
                f"pixel format {frame.format.name}: cannot become 4:2:0; convert the film first"
            ) from error


def _view(plane: VideoPlane, dtype: np.dtype[Any], channels: int = 1) -> NDArray[Any]:
    """The picture area of a plane, without the padding of its rows; no copy."""
    rows: NDArray[Any] = np.frombuffer(plane, dtype)  # type: ignore[call-overload]
    rows = rows.reshape(plane.height, -1)
    if plane.line_size < 0:  # stored bottom up
        rows = rows[::-1]
    return rows[:, : plane.width * channels]


def picture(planes: Planes, pix_fmt: str) -> av.VideoFrame:
    """Planes as a frame of `pix_fmt`: nv12, yuv420p (8 bit), yuv420p10le, p010le (10 bit).

    p010le has the value in the high bits. nv12 shares the memory of the planes where it can, and
    keeps it alive; the others are copies.
    """
    y, uv = planes
    if pix_fmt == "nv12" and y.flags.c_contiguous and y.flags.writeable and uv.flags.writeable:
        shared: av.VideoFrame = av.VideoFrame.from_dlpack(
            (y, np.ascontiguousarray(uv)), format="nv12"
        )
        return shared
    height, width = y.shape
    frame = av.VideoFrame(width, height, pix_fmt)
    targets = frame.planes
    if pix_fmt == "p010le":
        y, uv = y << 6, uv << 6
    _view(targets[0], y.dtype)[:] = y
    if pix_fmt in ("nv12", "p010le"):
        _view(targets[1], y.dtype, channels=2)[:] = uv.reshape(height // 2, width)
    else:
        cv2.split(uv, [_view(targets[1], y.dtype), _view(targets[2], y.dtype)])
    return frame


class LimitedRange:
    """Turns pictures of either range into limited range of a pixel format.

    They come without tags, by which swscale would convert more; those are set on what comes out.
    """

    def __init__(self, pix_fmt: str, color_range: int) -> None:
        self._pix_fmt, self._range = pix_fmt, color_range or LIMITED
        self._scaler = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """`frame`, without tags, as the other format."""
        return self._scaler.reformat(
            frame,
            format=self._pix_fmt,
            src_color_range=self._range,
            dst_color_range=LIMITED,
            interpolation=_SCALE,
        )

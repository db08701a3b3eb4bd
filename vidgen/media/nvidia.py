"""NVDEC and NVENC with pictures that stay on the GPU: how FFmpeg is asked for that, and answers.

FFmpeg shares the CUDA context that CuPy has made, the device's primary one. It takes it as the
current one of the thread: asked for the primary one it refuses, since CuPy made that with other
flags. Its own copy of a picture is made out of NVDEC's few surfaces, so pictures may be kept.
"""

from __future__ import annotations

from typing import Any

import av
from av.codec.hwaccel import HWAccel
from av.video.frame import CudaContext

from vidgen.frame import Planes, VideoFormat
from vidgen.media.color import PictureReader
from vidgen.surface import GpuPictures, Surface

__all__ = ["Feeder", "Landing", "exact", "on_host", "shared", "surface_of", "why_not"]

_EXACT = ("h264", "hevc", "vp8", "vp9", "av1")
"""Codecs whose pictures are laid down to the code; the others' differ from decoder to decoder."""
_BYTES = {"nv12": 1, "p010le": 2}
_DEPTHS = {1: 8, 2: 10}


def shared(device: int) -> HWAccel:
    """What FFmpeg is to open a decoder or an encoder with, in the CUDA context that is current."""
    options: dict[str, object] = {"primary_ctx": "0", "current_ctx": "1"}
    return HWAccel("cuda", device, True, options=options, is_hw_owned=True)


def exact(codec: str) -> bool:
    """Whether NVDEC gives the pictures of FFmpeg's own decoder of that name, to the code."""
    return codec in _EXACT


def surface_of(picture: av.VideoFrame) -> Surface | None:
    """Where the picture lies on the GPU; None where it does not, or not as NV12 or P010."""
    itemsize = _BYTES.get(picture.sw_format.name) if picture.sw_format else None
    if picture.format.name != "cuda" or itemsize is None:
        return None
    luma, chroma = picture.planes
    pitch, apart = luma.line_size, chroma.buffer_ptr - luma.buffer_ptr
    if pitch != chroma.line_size or apart % pitch:
        return None
    size = picture.height, picture.width
    return Surface(luma.buffer_ptr, pitch, apart // pitch, *size, itemsize, picture)


def on_host(picture: av.VideoFrame) -> av.VideoFrame:
    """The same picture where the processor sees it."""
    return picture.reformat(format=picture.sw_format.name) if picture.sw_format else picture


def why_not(picture: av.VideoFrame, video: VideoFormat) -> str:
    """Why the picture cannot be taken as planes of that format on the GPU; empty where it can."""
    surface = surface_of(picture)
    if surface is None:
        laid_out = (picture.sw_format or picture.format).name
        return f"NVDEC does not take its {laid_out}"
    depth, size = _DEPTHS[surface.itemsize], (surface.width, surface.height)
    if depth != video.bit_depth or size != (video.width, video.height):
        return f"NVDEC gives it as {size[0]}x{size[1]} in {depth} bits"
    return ""


class Landing:
    """Turns decoded pictures into planes on the GPU; what cannot be one there comes to the host."""

    def __init__(self, video: VideoFormat, gpu: GpuPictures) -> None:
        self._video, self._gpu = video, gpu
        self._host = PictureReader(video)
        self._brought_down = 0

    def __call__(self, picture: av.VideoFrame) -> Planes:
        """As `PictureReader`, with arrays of CuPy."""
        surface = surface_of(picture)
        if surface is None or why_not(picture, self._video):
            self._brought_down += 1
            return self._host(on_host(picture))
        return self._gpu.planes(surface)

    @property
    def notes(self) -> list[str]:
        """Changes in mid-stream."""
        if not self._brought_down:
            return []
        told = "pictures in mid-film that NVDEC does not take, which came by the host"
        return [*self._host.notes, f"{told}: {self._brought_down}"]


class Feeder:
    """Gives pictures that lie on the GPU to NVENC."""

    def __init__(self, gpu: GpuPictures) -> None:
        self._gpu = gpu
        self._context = CudaContext(gpu.device, primary_ctx=False, current_ctx=True)

    def __call__(self, planes: Planes, pix_fmt: str) -> av.VideoFrame:
        """Planes there as a frame of `pix_fmt`, nv12 or p010le, on the GPU, too."""
        surface: tuple[Any, Any] = self._gpu.surface(planes)
        with self._gpu.current():
            frame: av.VideoFrame = av.VideoFrame.from_dlpack(
                surface, format=pix_fmt, cuda_context=self._context
            )
        return frame

"""The file that is written and the video stream in it, with every tag that they can carry."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.codec.context import Flags
from av.codec.hwaccel import HWAccel
from av.container import OutputContainer
from av.video.stream import VideoStream

from vidgen.errors import OutputError, UsageError
from vidgen.frame import VideoFormat
from vidgen.media.codecs import Codec, Container, quiet_svt
from vidgen.media.source import CHROMA_LOCATIONS

__all__ = ["create", "fitting", "lost_tags", "require_folder", "video_stream"]

_RATE_WHEN_UNKNOWN = Fraction(25)  # what rate control assumes; times of frames do not depend on it
_LARGEST = 2**31 - 1  # FFmpeg's fractions are of 32-bit integers
_INTERLEAVE = "1000000"  # us that the muxer holds back for a sparse subtitle stream; FFmpeg's 10 s
#                          of lossless 4K would be gigabytes


def lost_tags(video: VideoFormat, container: Container) -> list[str]:
    """Notes on what the container cannot tell a player."""
    notes, suffix = [], container.suffix
    if video.rotation and not container.rotation:
        notes.append(
            f"{suffix} cannot say that the picture is shown turned by {video.rotation} degrees"
        )
    return [f"{note}; use .mp4 or another codec" for note in notes]


def fitting(time_base: Fraction) -> Fraction:
    """`time_base` if FFmpeg can hold it, else the finest clock it can."""
    if time_base.numerator <= _LARGEST and time_base.denominator <= _LARGEST:
        return time_base
    return Fraction(1, _LARGEST)


def require_folder(target: Path) -> None:
    """Raise OutputError where no file of that name can be."""
    folder = target.parent
    if not folder.is_dir():
        raise OutputError(f"{target}: the folder {folder} does not exist; make it first")
    if target.is_dir():
        raise OutputError(f"{target}: is a directory; give a file name")


def create(target: Path, container: Container) -> OutputContainer:
    """The file, open for writing; a file that was there is overwritten."""
    options = {**dict(container.options), "max_interleave_delta": _INTERLEAVE}
    return av.open(f"file:{target}", "w", format=container.muxer, container_options=options)


def video_stream(
    output: OutputContainer,
    codec: Codec,
    video: VideoFormat,
    options: dict[str, str],
    time_base: Fraction,
    container: Container,
    hwaccel: HWAccel | None = None,
) -> VideoStream:
    """The stream to encode to, with every tag that the container or the codec can carry.

    With `hwaccel` its encoder takes pictures of that hardware, too.
    """
    quiet_svt()
    location = video.color.chroma_location
    if location and codec.word != "prores":  # 4:2:2 has no location to tell
        options = {**options, "chroma_sample_location": CHROMA_LOCATIONS[location]}
    stream = output.add_stream(
        codec.encoder,
        rate=(video.fps or _RATE_WHEN_UNKNOWN).limit_denominator(1_000_000),
        options=options,
        hwaccel=hwaccel,
        width=video.width,
        height=video.height,
        time_base=time_base,
        pix_fmt=codec.pix_fmts[video.bit_depth],
    )
    if not isinstance(stream, VideoStream):
        raise UsageError(f"--codec {codec.word}: not a video encoder")
    context = stream.codec_context
    context.sample_aspect_ratio = video.sample_aspect_ratio.limit_denominator(1_000_000)
    context.color_range, context.colorspace = video.color.range, video.color.matrix
    context.color_primaries, context.color_trc = video.color.primaries, video.color.transfer
    context.flags |= Flags.global_header  # the same packets, whatever the container
    context.thread_type = "AUTO"  # PyAV's default, slices, costs x264 quality and speed
    if codec.word == "x265" and container.muxer in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # what Apple's players ask for
    if video.rotation:
        stream.set_display_rotation(video.rotation)
    return stream

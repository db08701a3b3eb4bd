"""What a file holds, without decoding more than its first picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition, Stream

from vidgen.frame import VideoFormat
from vidgen.media.decode import Decoder
from vidgen.media.source import container_duration, film_start, is_picture, main_video, open_source

__all__ = ["Chapter", "MediaInfo", "StreamInfo", "probe"]

_PROGRESSIVE = (0, 1)  # AVFieldOrder: unknown, progressive; what is above is interlaced


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One stream of a file, in FFmpeg's words."""

    index: int
    type: str
    """`video`, `audio`, `subtitle`, `data`, `attachment` or `unknown`."""
    codec: str
    """FFmpeg's name of the codec; empty where there is none."""
    language: str
    """ISO 639-2, as tagged; empty where it is not."""
    title: str
    default: bool
    forced: bool
    attached_pic: bool
    """True for cover art."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named range of the film."""

    start: Fraction
    """Seconds from the beginning of the film."""
    end: Fraction
    title: str


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What `probe` finds."""

    path: Path
    container: str
    """FFmpeg's name of the format."""
    duration: Fraction | None
    """Seconds, as stated or estimated from the data; None where neither is possible."""
    start: Fraction
    """Seconds on the container's clock at which the film begins; users' times count from it."""
    video: VideoFormat
    """The planes that a Decoder yields, with the colour tags that the film has."""
    codec: str
    pix_fmt: str
    frames: int | None
    """How many pictures, as stated, else estimated from duration and rate."""
    interlaced: bool
    streams: tuple[StreamInfo, ...]
    chapters: tuple[Chapter, ...]
    tags: dict[str, str]


def probe(source: Path) -> MediaInfo:
    """Open `source`, decode one picture, say what is there. Raises InputError."""
    with Decoder(source) as decoder:
        video = replace(decoder.format, color=decoder.tagged)
    with open_source(source) as container:
        stream = main_video(container, source)
        context = stream.codec_context
        duration = container_duration(container)
        return MediaInfo(
            path=source,
            container=container.format.name,
            duration=duration,
            start=film_start(container),
            video=video,
            codec=context.codec.canonical_name,
            pix_fmt=context.pix_fmt or "",
            frames=stream.frames
            or (round(duration * video.fps) if duration and video.fps else None),
            interlaced=context.field_order not in _PROGRESSIVE,
            streams=tuple(_stream_info(stream) for stream in container.streams),
            chapters=_chapters(container),
            tags=dict(container.metadata),
        )


def _stream_info(stream: Stream) -> StreamInfo:
    context = stream.codec_context
    return StreamInfo(
        index=stream.index,
        type=stream.type,
        codec=context.codec.canonical_name
        if context is not None
        else getattr(stream, "name", "") or "",
        language=_tag(stream, "language").replace("und", ""),
        title=_tag(stream, "title"),
        default=bool(stream.disposition & Disposition.default),
        forced=bool(stream.disposition & Disposition.forced),
        attached_pic=is_picture(stream),
    )


def _tag(stream: Stream, name: str) -> str:
    return next((value for key, value in stream.metadata.items() if key.lower() == name), "")


def _chapters(container: InputContainer) -> tuple[Chapter, ...]:
    zero = film_start(container)
    return tuple(
        Chapter(
            entry["start"] * entry["time_base"] - zero,
            entry["end"] * entry["time_base"] - zero,
            entry["metadata"].get("title", ""),
        )
        for entry in container.chapters()
        if entry["time_base"]
    )

"""What a film's container says of it: read once, and handed on to all that need it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition, Stream

from vidgen.errors import InputError
from vidgen.frame import VideoFormat
from vidgen.media.extras import dolby_vision
from vidgen.media.joins import TS_DISCONT
from vidgen.media.source import film_start, is_picture, main_video
from vidgen.media.whole import film_seconds

__all__ = ["Chapter", "MediaInfo", "StreamInfo", "media_info", "require_showable"]

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
    """What a film is, beside its pictures."""

    path: Path
    container: str
    """FFmpeg's name of the format."""
    duration: Fraction | None
    """Seconds from the film's beginning, as stated or estimated; None where neither is possible."""
    start: Fraction
    """Seconds on the container's clock at which the film begins; users' times count from it."""
    video: VideoFormat
    """The planes that a Decoder yields, with the colour tags that the film has."""
    codec: str
    pix_fmt: str
    frames: int | None
    """How many pictures, as stated, else estimated from duration and rate."""
    interlaced: bool
    """Whether it is flagged so; what its fields are is another question."""
    clock_may_jump: bool
    """Whether the format allows a clock that begins anew on the way, as transport streams do."""
    dolby_vision: tuple[int, int] | None
    """Its profile, and as what others may show the picture: 0 nothing, 1 HDR10, 2 SDR, 4 HLG."""
    streams: tuple[StreamInfo, ...]
    chapters: tuple[Chapter, ...]
    tags: dict[str, str]


def media_info(source: Path, container: InputContainer, video: VideoFormat) -> MediaInfo:
    """What `container`, which is `source` opened, says; its planes are `video`."""
    stream = main_video(container, source)
    context = stream.codec_context
    duration = film_seconds(container, source)
    return MediaInfo(
        path=source,
        container=container.format.name,
        duration=duration,
        start=film_start(container),
        video=video,
        codec=context.codec.canonical_name,
        pix_fmt=context.pix_fmt or "",
        frames=stream.frames or (round(duration * video.fps) if duration and video.fps else None),
        interlaced=context.field_order not in _PROGRESSIVE,
        clock_may_jump=bool(container.format.flags & TS_DISCONT),
        dolby_vision=dolby_vision(container, source),
        streams=tuple(_stream_info(stream) for stream in container.streams),
        chapters=_chapters(container),
        tags=dict(container.metadata),
    )


def require_showable(info: MediaInfo) -> None:
    """Raise InputError for Dolby Vision whose picture is nothing without its data (profile 5)."""
    profile, shown_as = info.dolby_vision or (0, None)
    if shown_as == 0:
        raise InputError(
            f"{info.path}: Dolby Vision profile {profile}; only its own players show its colours, "
            f"and they cannot be kept; convert it to HDR10 first, as FFmpeg's libplacebo does"
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

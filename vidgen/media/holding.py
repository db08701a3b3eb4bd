"""What a container can hold, asked of its muxer before anything is written."""

from __future__ import annotations

import io
from collections.abc import Collection
from enum import Enum

import av
from av.audio.codeccontext import AudioCodecContext
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from vidgen.errors import OutputError
from vidgen.media.codecs import CONTAINERS, Container
from vidgen.media.sound_codecs import SoundCodec, sounds_of
from vidgen.media.source import is_picture
from vidgen.media.subtitles import text_codec

__all__ = ["Fate", "fates"]

# MPEG-TS takes any codec as private data that no player reads; these it has a place for.
_IN_TS = {
    "aac", "aac_latm", "mp1", "mp2", "mp3", "ac3", "eac3", "dts", "truehd", "opus", "h264", "hevc",
    "mpeg1video", "mpeg2video", "dvb_subtitle", "dvb_teletext", "klv",
}  # fmt: skip


class Fate(Enum):
    """What becomes of a stream of the source."""

    MAIN = "encoded anew"
    COPY = "copied by packet"
    SOUND = "sound, encoded anew"
    TEXT = "text subtitles, said in the container's own form"
    ATTACHMENT = "cover art, attached as a file"
    LEFT = "left behind"


def fates(
    source: InputContainer,
    video: VideoStream,
    container: Container,
    wanted: Collection[int],
    sound: SoundCodec | None = None,
) -> tuple[dict[int, Fate], list[str]]:
    """The fate of every stream by index, and notes on those of `wanted` that are left behind.

    Sound becomes what `sound` makes, unless it is that. Raises OutputError naming a video, sound or
    subtitle stream that cannot be held, and a container that can. Data, attachments, cover art and
    what no container can hold are left behind instead.
    """
    found, notes = {}, []
    for stream in source.streams:
        if stream.index != video.index and stream.index not in wanted:
            found[stream.index] = Fate.LEFT
            continue
        fate = Fate.MAIN if stream.index == video.index else _fate(stream, container)
        if sound and stream.type == "audio" and _codec(stream) != sound.word:
            _require_decodable(stream)
            fate = Fate.SOUND
        if fate is Fate.LEFT and not _is_made_anew(stream, source):
            others = [c.suffix for c in CONTAINERS.values() if _fate(stream, c) is not Fate.LEFT]
            use = f"; use {' or '.join(others)}" if others else ""
            if use and stream.type == "audio" and (sounds := sounds_of(container.suffix)):
                use += f", or --audio {' or '.join(sounds)}"
            cannot = f"{container.suffix} cannot hold {_named(stream)}{use}"
            is_heard_or_seen = stream.type in ("video", "audio", "subtitle")
            if others and is_heard_or_seen and not is_picture(stream):
                raise OutputError(cannot)
            notes.append(f"{cannot}; it is left out")
        found[stream.index] = fate
        if fate is Fate.TEXT:
            codec = text_codec(stream, container.muxer)
            notes.append(f"{_named(stream)} becomes {codec}, the form of {container.suffix}")
        elif fate is Fate.COPY and stream.type == "video" and not is_picture(stream):
            notes.append(f"{_named(stream)}, another video, is copied as it is")
    return found, notes


def _require_decodable(stream: Stream) -> None:
    context = stream.codec_context
    if not isinstance(context, AudioCodecContext) or not context.sample_rate:
        raise OutputError(
            f"{_named(stream)} cannot be decoded; leave it out by --map=-0:{stream.index}, or give "
            f"--audio copy"
        )


def _fate(stream: Stream, container: Container) -> Fate:
    if is_picture(stream) and container.cover_as_attachment:
        return Fate.ATTACHMENT
    if _holds(container, stream):
        return Fate.COPY
    return Fate.TEXT if text_codec(stream, container.muxer) else Fate.LEFT


def _holds(container: Container, stream: Stream) -> bool:
    """Whether the muxer writes a header with that stream."""
    if stream.type == "unknown" or (stream.type == "attachment" and not container.attachments):
        return False
    if is_picture(stream) and container.muxer not in ("mp4", "mov"):
        return False
    if stream.type == "data" and "timecode" in stream.metadata:
        return False  # made anew by the muxer, from the tag of the video
    if container.muxer == "mpegts" and _codec(stream) not in _IN_TS:
        return False
    trial = av.open(io.BytesIO(), "w", format=container.muxer)
    try:
        trial.add_stream_from_template(stream, opaque=True)
        trial.start_encoding()
        return True
    except (ValueError, av.FFmpegError):
        return False
    finally:
        trial.close()


def _is_made_anew(stream: Stream, source: InputContainer) -> bool:
    """True for QuickTime's data tracks that the muxer writes by itself: timecode, chapters."""
    if stream.type != "data" or "mov" not in source.format.name:
        return False
    return "timecode" in stream.metadata or (stream.name == "bin_data" and bool(source.chapters()))


def _codec(stream: Stream) -> str:
    context = stream.codec_context
    return (
        context.codec.canonical_name
        if context is not None
        else getattr(stream, "name", "") or "unknown"
    )


def _named(stream: Stream) -> str:
    kind = "cover art" if is_picture(stream) else stream.type
    language = f", {stream.language}" if stream.language not in (None, "und") else ""
    return f"stream {stream.index} ({kind}, {_codec(stream)}{language})"

"""Text subtitles from one container's form to another's: words, bold, italics, line breaks."""

from __future__ import annotations

from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

__all__ = ["TextConverter", "text_codec"]

_PLAIN_TEXT = {"subrip", "mov_text", "webvtt", "text"}
"""Codecs whose content the others can say; ASS is not: its fonts and places would be lost."""
_TEXT_OF = {"matroska": "subrip", "mp4": "mov_text", "mov": "mov_text", "webm": "webvtt"}


def text_codec(stream: Stream, muxer: str) -> str:
    """The codec that holds the text of `stream` in that muxer's container; empty if none does."""
    context = stream.codec_context
    if stream.type != "subtitle" or context is None:
        return ""
    return _TEXT_OF.get(muxer, "") if context.codec.canonical_name in _PLAIN_TEXT else ""


class TextConverter:
    """Decodes the packets of a text stream and encodes them for a new stream of `output`."""

    def __init__(self, stream: SubtitleStream, output: OutputContainer, codec: str) -> None:
        self._decoder = stream.codec_context
        self._decoder.open(strict=False)
        copy = output.add_stream(codec)
        assert isinstance(copy, SubtitleStream)
        self.stream = copy
        self._encoder = copy.codec_context
        self._encoder.subtitle_header = self._decoder.subtitle_header

    def __call__(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        """The retimed `packet` in the new form; None where it says nothing (a gap)."""
        lines = self._decoder.decode2(packet)
        if lines is None or not len(lines):
            return None
        converted = self._encoder.encode_subtitle(lines)
        converted.pts, converted.dts, converted.duration = packet.pts, packet.pts, packet.duration
        converted.time_base = packet.time_base
        converted.is_keyframe = True
        return converted

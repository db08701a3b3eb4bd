"""Likes of a source's streams that outlive its connection: what a sink is laid out by."""

from __future__ import annotations

from io import BytesIO

import av
from av.container import OutputContainer
from av.stream import Stream

__all__ = ["Twins", "kind"]

_HOLDERS = ("nut", "matroska", "mov", "mpegts")  # each holds codecs that those before it do not


def kind(stream: Stream) -> str:
    """Type and codec, to tell whether a later connection sends the same."""
    return f"{stream.type} {stream.codec_context.name if stream.codec_context else 'unknown'}"


class Twins:
    """Containers that are never written: they keep the streams."""

    def __init__(self) -> None:
        self._holders: dict[str, OutputContainer] = {}

    def of(self, stream: Stream) -> Stream | None:
        """The like of `stream`; None where no container can hold its codec."""
        for name in _HOLDERS:
            if name not in self._holders:
                self._holders[name] = av.open(BytesIO(), "w", format=name)
            try:
                return self._holders[name].add_stream_from_template(stream, opaque=True)
            except (ValueError, av.FFmpegError):
                continue
        return None

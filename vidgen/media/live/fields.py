"""Interlaced pictures of a live stream made whole: FFmpeg's bwdif, a picture for each frame."""

from __future__ import annotations

from collections.abc import Iterator

import av
from av.filter import Graph

__all__ = ["Deinterlacer"]


class Deinterlacer:
    """Takes pictures of one size and format; pictures that are not flagged pass as they are.

    Each comes out when the one after it is known; `None` gives the last one.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(template=stream)
        fields = self._graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        sink = self._graph.add("buffersink")
        source.link_to(fields)
        fields.link_to(sink)
        self._graph.configure()

    def __call__(self, picture: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """What is ready after `picture`."""
        self._graph.vpush(picture)
        while True:
            try:
                yield self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return

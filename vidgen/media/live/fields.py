"""Interlaced pictures of a live stream made whole: FFmpeg's bwdif, a picture for each frame."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.filter import Graph

__all__ = ["Deinterlacer"]


class Deinterlacer:
    """Takes pictures of any size and format; pictures that are not flagged pass as they are.

    Each comes out when the one after it is known; `None` gives the last one. `time_base` is that
    of the pictures' times.
    """

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base
        self._shape: tuple[int, int, str] | None = None
        self._graph: Graph | None = None

    def __call__(self, picture: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """What is ready after `picture`."""
        shape = (picture.width, picture.height, picture.format.name) if picture else None
        if shape != self._shape:  # bwdif would read beyond a picture that is smaller than its first
            yield from self._push(None)
            self._shape, self._graph = shape, _graph(shape, self._time_base) if shape else None
        if picture is not None:
            yield from self._push(picture)

    def _push(self, picture: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        if self._graph is None:
            return
        self._graph.vpush(picture)
        while True:
            try:
                yield self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return


def _graph(shape: tuple[int, int, str], time_base: Fraction) -> Graph:
    width, height, name = shape
    pix_fmt = av.VideoFormat(name, width, height)
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format=pix_fmt, time_base=time_base)
    fields = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(fields)
    fields.link_to(sink)
    graph.configure()
    return graph

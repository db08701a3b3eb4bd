"""Interlaced and telecined films made of progressive ones, so that the truth is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.filter import Graph

from vidgen.frame import Planes
from vidgen.media import Decoder

__all__ = ["coded", "filtered", "frame_of", "pictures_of", "planes_of", "telecined", "woven_frames"]

RATE = Fraction(30000, 1001)


def pictures_of(film: Path, height: int | None = None) -> Iterator[Planes]:
    """The pictures of a film, reduced by pixel area to `height` rows where they have more."""
    with Decoder(film) as decoder:
        for frame in decoder:
            rows, columns = frame.y.shape
            if height is None or rows <= height:
                rows, columns = rows // 4 * 4, columns // 4 * 4
                y, uv = frame.y[:rows, :columns], frame.uv[: rows // 2, : columns // 2]
                yield np.ascontiguousarray(y), np.ascontiguousarray(uv)
                continue
            columns = round(columns * height / rows / 4) * 4
            size, half = (columns, height), (columns // 2, height // 2)
            yield (
                cv2.resize(frame.y, size, interpolation=cv2.INTER_AREA),
                cv2.resize(frame.uv, half, interpolation=cv2.INTER_AREA),
            )


def woven_frames(pictures: Sequence[Planes], top_first: bool = True) -> list[Planes]:
    """Frames whose fields are one picture each, in order."""
    return [
        _woven(first, last) if top_first else _woven(last, first)
        for first, last in zip(pictures[0::2], pictures[1::2], strict=False)
    ]


def telecined(
    pictures: Sequence[Planes], cycle: Sequence[int] = (2, 3), top_first: bool = True
) -> list[Planes]:
    """Frames of fields that each hold a picture, the first for cycle[0] fields, and so on."""
    fields = [
        picture
        for number, picture in enumerate(pictures)
        for _ in range(cycle[number % len(cycle)])
    ]
    return woven_frames(fields, top_first)


def _woven(top: Planes, bottom: Planes) -> Planes:
    y, uv = top[0].copy(), top[1].copy()
    y[1::2], uv[1::2] = bottom[0][1::2], bottom[1][1::2]
    return y, uv


def coded(frames: Sequence[Planes], crf: int, top_first: bool = True) -> Iterator[Planes]:
    """The frames after an interlaced H.264 encoder and decoder."""
    encoder = av.CodecContext.create("libx264", "w")
    height, width = frames[0][0].shape
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = 1 / RATE, RATE
    order = "tff" if top_first else "bff"
    encoder.options = {"crf": str(crf), "preset": "veryfast", "x264-params": f"{order}=1"}
    decoder = av.CodecContext.create("h264", "r")
    packets = [
        packet for frame in [*map(frame_of, frames), None] for packet in encoder.encode(frame)
    ]
    for number, packet in enumerate([*packets, None]):
        del number
        for picture in decoder.decode(packet):
            yield planes_of(picture)


def frame_of(planes: Planes) -> av.VideoFrame:
    """Planes as a frame of FFmpeg's."""
    y, uv = planes
    height, width = y.shape
    parts = (y, np.ascontiguousarray(uv[..., 0]), np.ascontiguousarray(uv[..., 1]))
    rows = np.concatenate([part.reshape(-1) for part in parts]).reshape(height * 3 // 2, width)
    return av.VideoFrame.from_ndarray(rows, format="yuv420p")


def planes_of(frame: av.VideoFrame) -> Planes:
    """A yuv420p frame as planes."""
    rows: Any = frame.to_ndarray(format="yuv420p")
    height, width = frame.height, frame.width
    chroma = rows[height:].reshape(2, height // 2, width // 2)
    return rows[:height].copy(), cv2.merge([chroma[0], chroma[1]])


def filtered(frames: Iterable[Planes], name: str, words: str) -> Iterator[Planes]:
    """What one of FFmpeg's filters makes of the frames."""
    graph, source = Graph(), None
    for number, planes in enumerate([*frames, None]):
        picture = None if planes is None else frame_of(planes)
        if picture is not None:
            picture.pts, picture.time_base = number, 1 / RATE
            if source is None:
                height, width = picture.height, picture.width
                source = graph.add_buffer(
                    width=width, height=height, format="yuv420p", time_base=1 / RATE
                )
                nodes = [source, graph.add(name, words), graph.add("buffersink")]
                graph.link_nodes(*nodes).configure()
        graph.vpush(picture)
        while True:
            try:
                yield planes_of(graph.vpull())
            except (BlockingIOError, av.EOFError):
                break

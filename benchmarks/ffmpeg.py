"""FFmpeg's filters between its own decoder and x264: `python -m benchmarks.ffmpeg NAME ...`.

What `vidgen upscale` is measured against. Nothing of vidgen is imported. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any

import av
from av.filter import Graph

X264 = {"preset": "veryfast", "crf": "18"}
FPS = Fraction(24)


def lanczos(source: str, target: str, width: str, height: str) -> dict[str, Any]:
    """Swscale's Lanczos to that size."""
    return filtered(Path(source), Path(target), "scale", f"{width}:{height}:flags=lanczos")


def minterpolate(source: str, target: str, frames: str) -> dict[str, Any]:
    """Motion-compensated interpolation to twice the rate, of the first `frames` pictures."""
    with av.open(source) as container:
        fps = 2 * Fraction(container.streams.video[0].average_rate or FPS)
    words = f"fps={fps}:mi_mode=mci"
    return filtered(Path(source), Path(target), "minterpolate", words, int(frames))


def filtered(
    source: Path, target: Path, name: str, words: str, limit: int | None = None
) -> dict[str, Any]:
    """`source` through one FFmpeg filter and x264, all with FFmpeg's own threads."""
    count = 0
    with av.open(source) as reader, av.open(target, "w") as writer:
        stream = reader.streams.video[0]
        stream.thread_type = "AUTO"
        graph = Graph()
        nodes = [graph.add_buffer(stream), graph.add(name, words), graph.add("buffersink")]
        graph.link_nodes(*nodes).configure()
        encoder = None
        pictures = islice(reader.decode(stream), limit)
        for picture in chain(pictures, [None]):
            graph.vpush(picture)
            for made in drained(graph):
                if encoder is None:
                    encoder = x264(writer, made, rate_of(made))
                writer.mux(encoder.encode(made))
                count += 1
        if encoder is None:
            raise RuntimeError(f"{source}: no picture came out of {name}")
        writer.mux(encoder.encode(None))
    return {"frames": count}


def drained(graph: Graph) -> Iterator[av.VideoFrame]:
    """What the graph can give now."""
    while True:
        try:
            yield graph.vpull()
        except (BlockingIOError, av.EOFError):
            return


def rate_of(picture: av.VideoFrame) -> Fraction:
    """A filter's clock ticks once a frame, or its frames last as the decoder's did."""
    time_base = picture.time_base or 1 / FPS
    return 1 / (time_base * (picture.duration or 1))


def x264(writer: av.container.OutputContainer, first: av.VideoFrame, rate: Fraction) -> Any:
    """The encoder that `vidgen upscale --preset veryfast` uses."""
    stream = writer.add_stream("libx264", rate=rate.limit_denominator(100_000), options=X264)
    stream.width, stream.height, stream.pix_fmt = first.width, first.height, "yuv420p"
    stream.codec_context.time_base = first.time_base or 1 / rate
    stream.codec_context.thread_type = "AUTO"
    return stream


JOBS: dict[str, Callable[..., dict[str, Any]]] = {"lanczos": lanczos, "minterpolate": minterpolate}


if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](*sys.argv[2:])))

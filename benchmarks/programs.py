"""Programs that `benchmarks.end_to_end` measures: `python -m benchmarks.programs NAME ...`.

Whole jobs: `upscale` (the real command line, with a watch on its frames), `lanczos` and
`minterpolate` (FFmpeg's filters between the same decoder and encoder). `source` and `join` make
the films. Each prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain, islice
from math import ceil
from pathlib import Path
from typing import Any

import av
from av.filter import Graph

import vidgen.pipeline
from benchmarks.stages_alone import STAGES
from vidgen.bench.film import write_scene
from vidgen.bench.scenes import Scene
from vidgen.cli import main as vidgen_main
from vidgen.job import Progress, Report, Settings

Said = dict[str, Any]

X264 = {"preset": "veryfast", "crf": "18"}
FPS = Fraction(24)


def upscale(*words: str) -> Said:
    """`vidgen upscale WORDS`, noting when frames were written; times are `time.monotonic()`."""
    stamps: list[float] = []
    reports: list[Report] = []
    run = vidgen.pipeline.run

    def watched(settings: Settings, progress: Callable[[Progress], None]) -> Report:
        """The pipeline as the command line calls it."""

        def note(done: Progress) -> None:
            stamps.append(time.monotonic())
            progress(done)

        reports.append(run(settings, note))
        stamps.append(time.monotonic())
        return reports[0]

    vidgen.pipeline.run = watched  # type: ignore[assignment]
    code = vidgen_main(["upscale", *words, "--quiet"])
    if code:
        sys.exit(code)
    return {
        "frames": len(stamps) - 1,
        "first": stamps[0],
        "last": stamps[-1],
        "engine": reports[0].engine,
        "step_seconds": reports[0].step_seconds,
    }


def lanczos(source: str, target: str, width: str, height: str) -> Said:
    """Swscale's Lanczos to that size."""
    return filtered(Path(source), Path(target), "scale", f"{width}:{height}:flags=lanczos")


def minterpolate(source: str, target: str, frames: str) -> Said:
    """Motion-compensated interpolation to twice the rate, of the first `frames` pictures."""
    with av.open(source) as container:
        fps = 2 * Fraction(container.streams.video[0].average_rate or FPS)
    words = f"fps={fps}:mi_mode=mci"
    return filtered(Path(source), Path(target), "minterpolate", words, int(frames))


def filtered(source: Path, target: Path, name: str, words: str, limit: int | None = None) -> Said:
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


def source(target: str, width: str, height: str, frames: str, film: str) -> Said:
    """An H.264 film (CRF 23) of that size: from `film` (area averages), or drawn if it is `-`."""
    size = int(width), int(height)
    if film == "-":
        scene = Scene(*size, cut=Fraction(int(frames), 2) / FPS)
        seconds = int(frames) / FPS
        write_scene(Path(target), scene, fps=FPS, seconds=seconds, crf=23, preset="medium")
        return {"from": "vidgen.bench.scenes"}
    with av.open(film) as reader, av.open(target, "w") as writer:
        stream = reader.streams.video[0]
        options = {"preset": "medium", "crf": "23"}
        rate = Fraction(stream.average_rate or FPS)
        encoder = writer.add_stream("libx264", rate=rate, options=options)
        encoder.width, encoder.height = size
        encoder.pix_fmt = "yuv420p"
        for number, picture in enumerate(islice(reader.decode(stream), int(frames))):
            made = picture.reformat(*size, "yuv420p", interpolation="AREA")
            made.pts, made.time_base = number, 1 / rate
            writer.mux(encoder.encode(made))
        writer.mux(encoder.encode(None))
    return {"from": Path(film).name}


def join(source: str, target: str, seconds: str) -> Said:
    """`source` by packet copy, again and again, until that many seconds are full."""
    with av.open(source) as reader:
        stream = reader.streams.video[0]
        packets: list[Any] = [packet for packet in reader.demux(stream) if packet.dts is not None]
        length = max(packet.pts + packet.duration for packet in packets)
        times = ceil(int(seconds) / (length * packets[0].time_base))
        with av.open(target, "w") as writer:
            made = writer.add_stream_from_template(stream)
            for round_ in range(times):
                for packet in packets:
                    copy = shifted(packet, round_ * length)
                    copy.stream = made
                    writer.mux(copy)
    return {"rounds": times}


def shifted(packet: Any, later: int) -> Any:
    """A copy of `packet`, `later` ticks on."""
    copy = av.Packet(bytes(packet))
    copy.pts, copy.dts = packet.pts + later, packet.dts + later
    copy.time_base, copy.duration = packet.time_base, packet.duration
    copy.is_keyframe = packet.is_keyframe
    return copy


PROGRAMS: dict[str, Callable[..., Said]] = {
    "upscale": upscale,
    "lanczos": lanczos,
    "minterpolate": minterpolate,
    "source": source,
    "join": join,
    **STAGES,
}


if __name__ == "__main__":
    print(json.dumps(PROGRAMS[sys.argv[1]](*sys.argv[2:])))

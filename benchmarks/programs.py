"""Films for `benchmarks.end_to_end`, and single stages: `python -m benchmarks.programs NAME ...`.

`source` and `join` make films. Each program prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any

import av

from benchmarks.stages_alone import STAGES
from vidgen.bench.film import write_scene
from vidgen.bench.scenes import Scene
from vidgen.memory import keep_freed_memory

Said = dict[str, Any]

FPS = Fraction(24)


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
    "source": source,
    "join": join,
    **STAGES,
}


if __name__ == "__main__":
    keep_freed_memory()  # as the command line does
    print(json.dumps(PROGRAMS[sys.argv[1]](*sys.argv[2:])))

"""One stage alone, with nothing beside it: how much processor time a frame takes there.

All take an H.264 film and return core-seconds (user and system time of all threads) per frame,
after a warm-up that is not counted.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from vidgen.engines import choose_backend
from vidgen.frame import Frame, VideoFormat
from vidgen.media import Decoder, Encoder
from vidgen.stages import EstimateMotion, Generate, Upscale
from vidgen.zoo import load

__all__ = ["STAGES"]

WARM_UP = 8  # frames: threads are started, caches filled, the codec's look-ahead is full
HELD = 32  # frames kept in memory for the stages that need pictures; 1080p: 100 MB
ENCODED = 96  # frames encoded, to and fro over those held


def decode(source: str) -> dict[str, Any]:
    with Decoder(Path(source)) as decoder:
        return measured(decoder)


def generate(source: str) -> dict[str, Any]:
    """Motion and new frames to twice the rate, per frame that comes out."""
    frames, video = first_frames(source)
    assert video.fps is not None
    stage = Generate(2 * video.fps)
    return measured(stage(EstimateMotion()(frames)))


def motion(source: str) -> dict[str, Any]:
    """Flow to the frame before, which is all that an upscaler needs."""
    frames, _ = first_frames(source)
    return measured(with_flow(frames))


def engine(source: str, model: str = "x2-realtime") -> dict[str, Any]:
    """The network and what it recalls, by flow that is known already."""
    frames, video = first_frames(source)
    return measured(upscaled(list(with_flow(frames)), video, model))


def encode(source: str, target: str, scale: str) -> dict[str, Any]:
    """x264 veryfast, at the size of the film or, for `scale` 2, of the enlarged film."""
    frames, video = first_frames(source)
    if scale == "2":
        frames = list(upscaled(frames, video, "x2-realtime"))
        video = video.resized(2 * video.width, 2 * video.height)
    before = core_seconds()
    with Encoder(Path(target), video, preset="veryfast", time_base=frames[0].time_base) as encoder:
        for frame in to_and_fro(frames, ENCODED):
            encoder.write(frame)
    return {"core_seconds": (core_seconds() - before) / ENCODED, "frames": ENCODED}


def first_frames(source: str) -> tuple[list[Frame], VideoFormat]:
    with Decoder(Path(source)) as decoder:
        return list(islice(decoder, HELD)), decoder.format


def upscaled(frames: Iterable[Frame], video: VideoFormat, model: str) -> Iterator[Frame]:
    return Upscale(choose_backend(), load(model), video)(frames)


def with_flow(frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in EstimateMotion()(frames):
        if frame.motion is not None:
            frame.motion()
        yield frame


def to_and_fro(frames: list[Frame], count: int) -> Iterator[Frame]:
    """`count` frames: forwards, backwards, forwards, so that motion stays what it was."""
    period = 2 * len(frames) - 2
    for number in range(count):
        place = number % period
        frame = frames[min(place, period - place)]
        yield replace(frame, pts=frames[0].pts + number * frame.duration)


def measured(frames: Iterable[Frame]) -> dict[str, Any]:
    """Core-seconds per frame of pulling `frames` to their end."""
    iterator = iter(frames)
    for _ in islice(iterator, WARM_UP):
        pass
    before = core_seconds()
    count = sum(1 for _ in iterator)
    return {"core_seconds": (core_seconds() - before) / count, "frames": count}


def core_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


STAGES: dict[str, Callable[..., dict[str, Any]]] = {
    "decode": decode,
    "motion": motion,
    "generate": generate,
    "engine": engine,
    "encode": encode,
}

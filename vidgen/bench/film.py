"""Films made of drawn scenes, and single pictures taken out of films."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from vidgen.bench.scenes import Scene
from vidgen.errors import InputError
from vidgen.frame import Frame
from vidgen.media import Decoder, Encoder
from vidgen.timing import common_time_base

__all__ = ["frame_at", "write_scene"]


def write_scene(
    target: Path,
    scene: Scene,
    *,
    fps: Fraction,
    seconds: Fraction,
    codec: str = "x264",
    crf: float | None = None,
    preset: str | None = None,
) -> Path:
    """Draw `seconds` of `scene` and encode them to `target`; returns it. Raises OutputError."""
    with Encoder(
        target,
        scene.format(fps),
        codec=codec,
        crf=crf,
        preset=preset,
        time_base=common_time_base(1 / fps),
    ) as encoder:
        for frame in scene.frames(fps, seconds):
            encoder.write(frame)
    return target


def frame_at(source: Path, time: Fraction) -> Frame:
    """The first frame at or after `time` seconds into the film. Raises InputError."""
    with Decoder(source, start=time) as decoder:
        for frame in decoder:
            return frame
    raise InputError(f"{source}: holds no picture at {float(time):.3f} s")

"""The whole machine: settings become stages, stages run between a decoder and an encoder.

    decode ──queue──> motion ─> generate ─> upscale ─> fit ──queue──> encode + mux
    thread            compute thread                                  the caller's thread

New frames are made before upscaling, since flow is cheap at low resolution. Only host pictures
cross a queue. The output is `NAME.partial.SUFFIX` until it is whole; on any error, Ctrl-C included,
what was written so far stays there and plays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from fractions import Fraction
from functools import reduce
from itertools import chain, pairwise

from vidgen.engines import choose_backend
from vidgen.errors import InputError, UsageError
from vidgen.frame import Frame, VideoFormat
from vidgen.job import Progress, Report, Settings
from vidgen.media import Decoder, Encoder, probe, require_encodable
from vidgen.sizes import network_passes, target_format
from vidgen.stage import Clock, Stage, prefetch, timed
from vidgen.stages import EstimateMotion, Fit, Generate, Upscale
from vidgen.target import partial_path, publish, require_writable
from vidgen.timing import parse_rate
from vidgen.zoo import load

__all__ = ["build_stages", "run"]

_NETWORK_SCALE = 2  # of the networks in the zoo; larger factors run one several times

Steps = dict[str, Stage]
"""Stages in the order in which a frame passes them, by the name that the report gives them."""


def run(settings: Settings, progress: Callable[[Progress], None] = lambda _: None) -> Report:
    """Read the source, make the target, say what was done. Raises VidgenError."""
    began = time.perf_counter()
    require_writable(settings.target, settings.source, settings.overwrite)
    _require_words(settings)
    with ExitStack() as stack:
        decoder = Decoder(settings.source, start=settings.start, end=settings.end)
        stack.enter_context(decoder)
        steps, engine = build_stages(settings, decoder.format)
        target = reduce(lambda video, stage: stage.output(video), steps.values(), decoder.format)
        clocks = {name: Clock() for name in ("decode", "wait", *steps, "encode")}
        source = timed(decoder, clocks["decode"])
        decoded = stack.enter_context(closing(prefetch(source, name="decode")))
        frames: Iterator[Frame] = timed(decoded, clocks["wait"])
        for name, stage in steps.items():
            frames = timed(stage(frames), clocks[name])
        pictures = stack.enter_context(closing(prefetch(frames, name="compute")))
        first = next(pictures, None)  # before the target is made
        if first is None:
            raise InputError(f"{settings.source}: no picture in the range asked for")

        report = Report(decoder.format, target, engine)
        report.first_frame_seconds = time.perf_counter() - began
        with _encoder(settings, target, first) as encoder:
            total = _duration(settings)
            for frame in chain([first], pictures):
                start = time.perf_counter()
                encoder.write(frame)
                clocks["encode"].seconds += time.perf_counter() - start
                report.frames_out += 1
                report.frames_generated += frame.generated
                done, elapsed = frame.end - first.time, time.perf_counter() - began
                progress(Progress(report.frames_out, done, total, elapsed))
    publish(partial_path(settings.target), settings.target)
    report.frames_in = clocks["decode"].items
    report.frames_damaged = decoder.failures
    report.notes = [*decoder.notes, *encoder.notes]
    report.step_seconds = _own_seconds(clocks)
    report.seconds = time.perf_counter() - began
    return report


def build_stages(settings: Settings, source: VideoFormat) -> tuple[Steps, str]:
    """The stages that turn `source` into what is asked for, and a line about the engine.

    Raises UsageError for words that are not accepted, before any picture is decoded.
    """
    target = target_format(source, settings.scale, settings.size)
    steps: Steps = {}
    if settings.fps is not None:
        steps["motion"] = EstimateMotion()
        steps["generate"] = Generate(parse_rate(settings.fps, source.fps), source_fps=source.fps)
    passes = network_passes(source, target, _NETWORK_SCALE)
    engine, grown = "", source
    if passes:
        backend = choose_backend(settings.backend)
        model = load(f"x{_NETWORK_SCALE}-{settings.tier}")
        upscale = Upscale(backend, model, source, passes)
        steps["upscale"] = upscale
        grown = upscale.output(source)
        engine = f"{model.name}{f' {passes} times' if passes > 1 else ''} on {backend.describe()}"
    if grown != target:
        steps["fit"] = Fit(target)
    return steps, engine


def _require_words(settings: Settings) -> None:
    """Raise UsageError for what can be refused before the source is opened."""
    require_encodable(settings.target, settings.codec, settings.crf, settings.preset)
    if settings.end is not None and settings.end <= (settings.start or 0):
        start, end = float(settings.start or 0), float(settings.end)
        raise UsageError(f"--start {start:g} --end {end:g}: give an end after the start")


def _encoder(settings: Settings, target: VideoFormat, first: Frame) -> Encoder:
    """The encoder of the unfinished output, on the clock of the first frame."""
    return Encoder(
        partial_path(settings.target),
        target,
        codec=settings.codec,
        crf=settings.crf,
        preset=settings.preset,
        time_base=first.time_base,
        copy_from=settings.source,
        start=settings.start,
        end=settings.end,
    )


def _duration(settings: Settings) -> Fraction | None:
    """Seconds of film that the run covers, by the container's word."""
    stated = probe(settings.source).duration
    ends = [time for time in (stated, settings.end) if time is not None]
    return max(min(ends) - (settings.start or 0), Fraction(0)) if ends else None


def _own_seconds(clocks: dict[str, Clock]) -> dict[str, float]:
    """Seconds of each step alone: a step on the compute thread also counts those before it."""
    own = {name: clocks[name].seconds for name in ("decode", "wait", "encode")}
    computed = [name for name in clocks if name not in ("decode", "encode")]
    for before, name in pairwise(computed):
        own[name] = clocks[name].seconds - clocks[before].seconds
    return own

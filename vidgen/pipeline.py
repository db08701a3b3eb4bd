"""The whole machine: settings become stages, stages run between a decoder and an encoder.

    decode ──queue──> restore ─> motion ─> generate ─> upscale ─> fit ──queue──> encode
    thread            compute thread                                             caller's thread

New frames are made before upscaling, since flow is cheap at low resolution. Where no network keeps
all cores busy, a queue after motion lets a thread of its own go ahead there. Only host pictures
cross a queue: where NVDEC's or NVENC's stay on the GPU, there is none at that end. What runs is one
segment, alone: its pictures depend on the job and on nothing that was made before. Where it begins
inside a shot, frames from before it are run in and thrown away.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from itertools import chain, dropwhile, takewhile
from pathlib import Path
from typing import NamedTuple

from vidgen.engines import choose_backend
from vidgen.errors import UsageError
from vidgen.frame import Frame, VideoFormat
from vidgen.job import Job, Made, Segment, Settings
from vidgen.light import HLG, PQ
from vidgen.media import Encoder, encoded_depth
from vidgen.reading import Reading
from vidgen.scan import PROGRESSIVE, Scan
from vidgen.sizes import network_passes, target_format
from vidgen.stage import Stage, prefetch
from vidgen.stages import (
    Depth,
    EstimateMotion,
    Fit,
    Generate,
    Predict,
    Restore,
    ToneMap,
    Upscale,
    at_rate,
)
from vidgen.stopwatch import Stopwatches
from vidgen.timing import parse_rate
from vidgen.way import Way, way_of
from vidgen.zoo import Model, load

__all__ = ["Steps", "build_stages", "make_segment", "output_format", "through"]

_IN_TIME = ("restore", "tone", "motion", "generate")
# Up to the last step that looks at the frame after the last one.
_SDR_DEPTH = 8

Steps = dict[str, Stage]
"""Stages in the order in which a frame passes them, by the name that the report gives them."""


def make_segment(
    job: Job,
    segment: Segment,
    target: Path,
    progress: Callable[[int, Fraction], None] = lambda frames, end: None,
) -> Made:
    """Encode the frames of `segment` to `target`, a piece for `Joiner`. Raises VidgenError.

    `progress` is told after each frame how many there are and when, in seconds on the source's
    clock, the last one ends. No file is made where no frame of the output falls into the segment.
    """
    began = time.perf_counter()
    with ExitStack() as stack:
        steps, _ = build_stages(job.settings, job.video, job.origin, job.scan)
        way = way_of(job.settings, steps)
        steps, watches = way.steps, Stopwatches()
        restores, looks_on = "restore" in steps, isinstance(steps.get("generate"), Generate)
        reading = Reading(job, segment, restores=restores, looks_on=looks_on, gpu=way.lands)
        stack.callback(reading.decoder.close)
        decoded = watches("compute" if reading.lands else "decode", "decode", reading)
        if not reading.lands:
            decoded = _queued(decoded, "decode", stack)
        begin, end = _shown(segment, steps)
        frames = through(steps, decoded, watches, stack, end)
        frames = dropwhile(lambda frame: frame.time < begin, frames)
        if way.stays is None:
            frames = _queued(frames, "compute", stack)
        thread = "encode" if way.stays is None else "compute"
        pictures = watches(thread, "encode wait", frames)
        written = _encode(job, way, target, pictures, progress)
    seconds = watches.seconds()
    seconds["encode"] = seconds.pop(f"{thread} full")
    return Made(
        coded=written.coded,
        time_base=written.time_base,
        end=written.end,
        frames_generated=written.generated,
        frames_held=written.held,
        frames_in=reading.frames,
        frames_damaged=reading.decoder.failures,
        seconds=time.perf_counter() - began,
        step_seconds=seconds,
        way=way.told(reading.decoder.decoded_on_host),
        notes=(*reading.decoder.notes, *written.notes),
        broken=reading.broken,
    )


def _queued(frames: Iterable[Frame], name: str, stack: ExitStack) -> Iterator[Frame]:
    return stack.enter_context(closing(prefetch(frames, name=name)))


def through(
    steps: Steps,
    decoded: Iterable[Frame],
    watches: Stopwatches,
    stack: ExitStack,
    end: Fraction | None = None,
) -> Iterator[Frame]:
    """`decoded` through all `steps`, but for frames of the output at `end` or later.

    What is to be closed goes to `stack`.
    """
    motion = steps.get("motion")
    ahead = isinstance(motion, EstimateMotion) and motion.at_once
    thread = "motion" if ahead else "compute"
    frames = watches(thread, f"{thread} wait", decoded)
    for name in [name for name in steps if name in _IN_TIME]:
        frames = watches(thread, name, steps[name](frames))
        if name == "motion" and ahead:
            found = stack.enter_context(closing(prefetch(frames, depth=1, name=thread)))
            thread = "compute"
            frames = watches(thread, f"{thread} wait", found)
    frames = takewhile(lambda frame: end is None or frame.time < end, frames)
    for name in [name for name in steps if name not in _IN_TIME]:
        frames = watches(thread, name, steps[name](frames))
    return frames


def build_stages(
    settings: Settings,
    source: VideoFormat,
    origin: Fraction | None = None,
    scan: Scan = PROGRESSIVE,
) -> tuple[Steps, str]:
    """The stages that turn `source` into what is asked for, and a line about the engine.

    Frames are made for instants counted from `origin`, seconds on the source's clock; None is the
    first frame that comes. `scan` is what is to be undone. Raises UsageError for words that are
    not accepted, before any picture is decoded.
    """
    steps: Steps = {}
    settings = replace(settings, tier=settings.tier or "realtime")
    fps, fields = _rate(settings, source, scan)
    if not scan.progressive:
        rows = target_format(source, settings.scale, settings.size).height
        steps["restore"] = Restore(scan, fields, shrinks=2 * rows <= source.height)
        source = steps["restore"].output(source)
    wanted = settings.depth
    if settings.hdr == "sdr" and source.color.transfer in (PQ, HLG):
        steps["tone"] = ToneMap(source)
        source, wanted = steps["tone"].output(source), wanted or _SDR_DEPTH
    shown = source.bit_depth
    depth = encoded_depth(settings.codec, shown, wanted)
    deepened = replace(source, bit_depth=max(depth, shown))
    target = target_format(deepened, settings.scale, settings.size)
    model, passes = _network(settings, source, target)
    makes = fps is not None and _makes(settings, source, fps)
    if fps is not None or (model and model.history):
        steps["motion"] = _motion(settings, fps, makes=makes, alone=model is None)
    maker = ""
    if fps is not None:
        steps["generate"], maker = at_rate(settings, source, fps, origin)
    if depth > shown:  # before the network, which then draws in that depth
        steps["deepen"] = Depth(depth, source.color.range)
    engine, grown = "", deepened
    if model:
        backend = choose_backend(settings.backend, settings.device or 0)
        upscale = Upscale(backend, model, deepened, passes, finds_motion=not makes)
        steps["upscale"] = upscale
        grown = upscale.output(deepened)
        times = f" {passes} times" if passes > 1 else ""
        engine = f"{model.name}{times} on {backend.describe()}"
    if maker:
        engine = f"{engine}; frames: {maker}" if engine else f"frames: {maker}"
    fit = Fit(target, grown=grown.width // source.width)
    if fit.changes(grown):
        steps["fit"] = fit
    if depth < shown:
        steps["dither"] = Depth(depth, source.color.range)
    return steps, engine


def _rate(settings: Settings, source: VideoFormat, scan: Scan) -> tuple[Fraction | None, bool]:
    """The rate asked for, and whether interlaced frames are to give a picture for each field.

    They do by default, as with FFmpeg's bwdif: a field is a real instant, which else would have to
    be made. `x2` counts frames of interlaced film, and pictures of telecined film.
    """
    if settings.fps is None:
        return None, True
    frames = source.fps and source.fps * scan.pictures_per_frame(fields=False)
    fps = parse_rate(settings.fps, frames)
    return fps, frames is None or fps > frames


def _makes(settings: Settings, source: VideoFormat, fps: Fraction) -> bool:
    """Whether frames are made, by motion that the host finds."""
    return settings.generate != "off" and (source.fps is None or fps > source.fps)


def _motion(
    settings: Settings, fps: Fraction | None, *, makes: bool, alone: bool
) -> EstimateMotion:
    """Flow as fine as frames made by it need, and at once where nearly all of it will be used.

    With a network beside it (not `alone`) that gains nothing: its threads keep all cores busy.
    """
    at_once = makes and alone and settings.generate == "interpolate"
    return EstimateMotion(fine=fps is not None and settings.tier != "realtime", at_once=at_once)


def _network(
    settings: Settings, source: VideoFormat, target: VideoFormat
) -> tuple[Model | None, int]:
    """Which network, and how many times; None where the picture does not grow.

    The one asked for, else the tier's that enlarges by 2. Run twice it is up to 0.2 dB better than
    the tier's that enlarges by 4 at once, for two to five times the work.
    """
    model = load(settings.model or f"x2-{settings.tier}")
    if model.task != "upscale":
        raise UsageError(f"--model {model.name}: made for {model.task!r}; give one that upscales")
    passes = network_passes(source, target, model.scale)
    if not passes:
        return None, 0
    if settings.strength is not None:
        model = model.with_strength(settings.strength)
    return model, passes


def output_format(steps: Steps, source: VideoFormat) -> VideoFormat:
    """The format that comes out of `steps`. Raises UsageError where they do not fit together."""
    return reduce(lambda video, stage: stage.output(video), steps.values(), source)


def _shown(segment: Segment, steps: Steps) -> tuple[Fraction, Fraction | None]:
    """From when and until when frames of the output belong to the segment."""
    generate = steps.get("generate")
    early = generate.early if isinstance(generate, Generate | Predict) else Fraction(0)
    return segment.begin - early, None if segment.end is None else segment.end - early


class _Written(NamedTuple):
    """What went into the file; see `Made`."""

    coded: tuple[int, ...]
    time_base: Fraction
    end: Fraction
    generated: int
    held: dict[str, int]
    notes: Sequence[str]


def _encode(
    job: Job,
    way: Way,
    target: Path,
    pictures: Iterator[Frame],
    progress: Callable[[int, Fraction], None],
) -> _Written:
    first = next(pictures, None)
    if first is None:
        return _Written((), Fraction(1), Fraction(0), 0, {}, ())
    settings, generated, held = job.settings, 0, Counter[str]()
    encoder = Encoder(
        target,
        output_format(way.steps, job.video),
        codec=settings.codec,
        crf=settings.crf,
        preset=settings.preset,
        time_base=first.time_base,
        piece_of=settings.source,
        start=job.offset,
        threads=job.threads,
        gpu=way.stays,
    )
    with encoder:
        for number, frame in enumerate(chain([first], pictures), 1):
            encoder.write(frame)
            generated += frame.generated
            held[frame.held] += bool(frame.held)
            progress(number, frame.end)
    return _Written(
        tuple(encoder.coded), encoder.time_base, frame.end, generated, dict(+held), encoder.notes
    )

"""The whole machine: settings become stages, stages run between a decoder and an encoder.

    decode ──queue──> restore ─> motion ─> generate ─> upscale ─> fit ──queue──> encode
    thread            compute thread                                             caller's thread

New frames are made before upscaling, since flow is cheap at low resolution. Only host pictures
cross a queue. What runs is one segment, alone: its pictures depend on the job and on nothing that
was made before. Where it begins inside a shot, frames from before it are run in and thrown away.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from itertools import chain, dropwhile, pairwise, takewhile
from pathlib import Path
from typing import NamedTuple

from vidgen.engines import choose_backend
from vidgen.errors import TruncatedError, UsageError
from vidgen.frame import Frame, VideoFormat
from vidgen.job import Job, Made, Segment, Settings
from vidgen.light import HLG, PQ
from vidgen.media import Decoder, Encoder, encoded_depth
from vidgen.scan import PROGRESSIVE, Scan
from vidgen.sizes import network_passes, target_format
from vidgen.stage import Clock, Stage, prefetch, timed
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
from vidgen.timing import parse_rate
from vidgen.zoo import Model, load

__all__ = ["Steps", "build_stages", "make_segment", "output_format"]

_IN_TIME = ("restore", "tone", "motion", "generate")
# Up to the last step that looks at the frame after the last one.
_SDR_DEPTH = 8
_DECODED_BEFORE = Fraction(2)  # seconds: pictures beside a keyframe may refer to ones before it
_RUN_IN = Fraction(2, 3)  # seconds, from which history and flow converge
_RUN_OUT = Fraction(1, 3)  # seconds, in which are the fields and repetitions that are looked at

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
        clocks = {name: Clock() for name in ("decode", "wait", *steps, "encode wait", "encode")}
        reading = _Reading(job, segment, steps)
        stack.callback(reading.decoder.close)
        decoded = prefetch(timed(reading, clocks["decode"]), name="decode")
        frames: Iterator[Frame] = timed(stack.enter_context(closing(decoded)), clocks["wait"])
        begin, end = _shown(segment, steps)
        for name in [name for name in steps if name in _IN_TIME]:
            frames = timed(steps[name](frames), clocks[name])
        frames = takewhile(lambda frame: end is None or frame.time < end, frames)
        for name in [name for name in steps if name not in _IN_TIME]:
            frames = timed(steps[name](frames), clocks[name])
        frames = dropwhile(lambda frame: frame.time < begin, frames)
        computed = stack.enter_context(closing(prefetch(frames, name="compute")))
        pictures = timed(computed, clocks["encode wait"])
        written = _encode(job, steps, target, pictures, clocks["encode"], progress)
    return Made(
        coded=written.coded,
        time_base=written.time_base,
        end=written.end,
        frames_generated=written.generated,
        frames_held=written.held,
        frames_in=reading.frames,
        frames_damaged=reading.decoder.failures,
        seconds=time.perf_counter() - began,
        step_seconds=_own_seconds(clocks),
        notes=(*reading.decoder.notes, *written.notes),
        broken=reading.broken,
    )


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
    if fps is not None or (model and model.history):
        steps["motion"] = EstimateMotion(fine=fps is not None and settings.tier != "realtime")
    maker = ""
    if fps is not None:
        steps["generate"], maker = at_rate(settings, source, fps, origin)
    if depth > shown:  # before the network, which then draws in that depth
        steps["deepen"] = Depth(depth, source.color.range)
    engine, grown = "", deepened
    if model:
        backend = choose_backend(settings.backend, settings.device or 0)
        upscale = Upscale(backend, model, deepened, passes)
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


def _network(
    settings: Settings, source: VideoFormat, target: VideoFormat
) -> tuple[Model | None, int]:
    """Which network, and how many times; None where the picture does not grow.

    The one asked for, else the tier's that enlarges by 2: run twice, it is 0.1 dB better than the
    one that enlarges by 4 at once, which takes two fifths of the operations.
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


class _Reading:
    """The frames that a segment is made from: the run-in, its own, and the first one after it."""

    def __init__(self, job: Job, segment: Segment, steps: Steps) -> None:
        alone = segment.fresh and "restore" not in steps
        self._from = segment.begin if alone else segment.begin - _RUN_IN
        self._segment = segment
        first = max(segment.begin - job.zero - _DECODED_BEFORE, job.settings.start or Fraction(0))
        end = job.settings.end
        if segment.end is not None:
            # So that the first frame after it is there, and what else is looked at.
            looks_on = "restore" in steps or isinstance(steps.get("generate"), Generate)
            after = _RUN_OUT if looks_on else Fraction(1, 1 << 30)
            reach = segment.end - job.zero + after
            end = reach if end is None else min(reach, max(end, segment.end - job.zero))
        self.decoder = Decoder(job.settings.source, start=first, end=end)
        self.decoder.format = job.video  # also where the source changes its own in mid-film
        self.frames = 0
        """Frames of the segment itself."""
        self.broken = ""
        """Why the source broke off; what was read before that is used."""

    def __iter__(self) -> Iterator[Frame]:
        begin, end = self._segment.begin, self._segment.end
        try:
            for frame in self.decoder:
                if frame.time >= self._from:
                    self.frames += frame.time >= begin and (end is None or frame.time < end)
                    yield frame
        except TruncatedError as error:
            self.broken = str(error)


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
    steps: Steps,
    target: Path,
    pictures: Iterator[Frame],
    clock: Clock,
    progress: Callable[[int, Fraction], None],
) -> _Written:
    first = next(pictures, None)
    if first is None:
        return _Written((), Fraction(1), Fraction(0), 0, {}, ())
    settings, generated, held = job.settings, 0, Counter[str]()
    encoder = Encoder(
        target,
        output_format(steps, job.video),
        codec=settings.codec,
        crf=settings.crf,
        preset=settings.preset,
        time_base=first.time_base,
        piece_of=settings.source,
        start=job.offset,
        threads=job.threads,
    )
    with encoder:
        for number, frame in enumerate(chain([first], pictures), 1):
            start = time.perf_counter()
            encoder.write(frame)
            clock.seconds += time.perf_counter() - start
            generated += frame.generated
            held[frame.held] += bool(frame.held)
            progress(number, frame.end)
    return _Written(
        tuple(encoder.coded), encoder.time_base, frame.end, generated, dict(+held), encoder.notes
    )


def _own_seconds(clocks: dict[str, Clock]) -> dict[str, float]:
    """Seconds of each step alone: a step on the compute thread also counts those before it."""
    own = {name: clocks[name].seconds for name in ("decode", "wait", "encode wait", "encode")}
    computed = [name for name in clocks if name not in ("decode", "encode wait", "encode")]
    own |= {"decode full": clocks["decode"].held, "compute full": clocks[computed[-1]].held}
    for before, name in pairwise(computed):
        own[name] = clocks[name].seconds - clocks[before].seconds
    return own

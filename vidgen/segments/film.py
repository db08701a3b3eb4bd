"""A film from the first look at its source to the output's name, in segments that are kept.

Stopped at any moment and in any way, the same run goes on with the segments that are finished.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path

from vidgen.errors import InputError, OutputError, TruncatedError, UsageError
from vidgen.frame import VideoFormat
from vidgen.job import Job, Made, Progress, Report, Segment, Settings
from vidgen.media import (
    Decoder,
    Joiner,
    MediaInfo,
    clock_jumps,
    require_encodable,
    require_map,
    require_showable,
    require_sound,
    scenes_left_behind,
)
from vidgen.pipeline import build_stages, output_format
from vidgen.restore import scan_notes
from vidgen.segments.estimate import estimate
from vidgen.segments.folder import Work
from vidgen.segments.identity import content_of, identify
from vidgen.segments.plan import most_segments, segments
from vidgen.segments.scans import scanned
from vidgen.segments.tally import Tally
from vidgen.segments.workers import Workers
from vidgen.stage import prefetch
from vidgen.target import partial_path, publish, require_writable

__all__ = ["run"]

_ANY_CLOCK = Fraction(1, 1000)
_MOST_JOBS = 256
_ROWS_PER_THREAD = 32  # of the picture; x264's own bound, beyond which its threads get in their way


Maker = Callable[[Work, Iterator[Segment], Tally], Iterator[tuple[Segment, Made]]]
"""Makes segments as they come and gives what was made of each, in any order."""


def run(
    settings: Settings,
    progress: Callable[[Progress], None] = lambda _: None,
    announce: Callable[[str], None] | None = None,
    make: Maker | None = None,
) -> Report:
    """Read the source, make the target, say what was done. Raises VidgenError.

    `announce` is told before the work begins what the new film will lack, and what a long one will
    take: without it, no sample is made. `make` makes the segments; by default processes of this
    machine do, `jobs` of them but no more than there can be segments. A KeyboardInterrupt passes,
    and says how far the film is.
    """
    began = time.perf_counter()
    require_writable(settings.target, settings.source, settings.overwrite)
    _require_words(settings)
    with ExitStack() as stack:
        with Decoder(settings.source, start=settings.start, end=settings.end) as decoder:
            most = most_segments(_total(settings, decoder.info), settings.segment)
            jobs = min(settings.jobs, most or settings.jobs)
            if make is None and jobs > 1:
                make = stack.enter_context(Workers(jobs))  # ready when the film has been seen
            job, left_behind = _looked_at(settings, decoder)
        tally_of = partial(Tally, began=began, progress=progress)
        report = _made(job, left_behind, tally_of, announce, make)
        report.seconds = time.perf_counter() - began
        return report


def _made(
    job: Job,
    left_behind: list[str],
    tally_of: Callable[[Job, Report], Tally],
    announce: Callable[[str], None] | None,
    make: Maker | None,
) -> Report:
    """The rest of `run`, once the film has been looked at."""
    settings = job.settings
    steps, engine = build_stages(settings, job.video, job.origin, job.scan)
    video = output_format(steps, job.video)
    job = replace(job, threads=_encoder_threads(video))
    identity = identify(job, steps, engine, content_of(settings.source))
    with Work(job, identity) as work:
        tally = tally_of(work.job, Report(job.video, video, engine))
        try:
            left_behind += _require_holdable(work, video)
            if announce:
                _announce(announce, work, left_behind)
            made = _make_all(work, tally, make or _one_by_one)
            notes = _join(work, video, made)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(tally.stopped(work.pieces.count())) from None
        except OutputError as error:
            if not work.pieces.count():
                raise
            raise OutputError(f"{error}; the same command goes on with what is finished") from error
        if broken := [each.broken for _, each in made if each.broken]:
            work.remove()  # all there is of the film is in the partial file
            raise TruncatedError(broken[0])
        publish(partial_path(settings.target), settings.target)
        work.remove()
    report = tally.report
    if settings.hdr == "sdr" and "tone" not in steps:
        report.notes.append("--hdr sdr: nothing to do, the film is not HDR")
    report.notes = [*scan_notes(job.scan), *work.notes, *dict.fromkeys([*report.notes, *notes])]
    return report


def _announce(announce: Callable[[str], None], work: Work, left_behind: Sequence[str]) -> None:
    """Say before the work what the new film will lack, and what a long one will take."""
    for each in left_behind:
        announce(f"note: {each}")
    if not work.pieces.count() and (needs := estimate(work)):
        announce(str(needs))


def _require_words(settings: Settings) -> None:
    """Raise UsageError for what can be refused before the source is opened."""
    words = settings.codec, settings.crf, settings.preset, settings.depth
    require_encodable(settings.target, *words)
    if settings.hdr not in ("keep", "sdr"):
        raise UsageError(f"--hdr {settings.hdr}: unknown; give keep or sdr")
    require_map(settings.maps)
    require_sound(settings.target, settings.audio)
    if settings.maps and settings.video_only:
        raise UsageError("--map and --video-only exclude each other; give one of them")
    if settings.audio != "copy" and settings.video_only:
        raise UsageError(f"--audio {settings.audio}: --video-only leaves sound out; give one")
    if settings.generate == "predict" and settings.fps is None:
        raise UsageError("--generate predict: frames are made for a rate; give --fps, too")
    if settings.end is not None and settings.end <= (settings.start or 0):
        start, end = float(settings.start or 0), float(settings.end)
        raise UsageError(f"--start {start:g} --end {end:g}: give an end after the start")
    if not 1 <= settings.jobs <= _MOST_JOBS:
        raise UsageError(f"--jobs {settings.jobs}: give 1 to {_MOST_JOBS}")
    if settings.segment < 1:
        raise UsageError(f"--segment {float(settings.segment):g}: give 1 second or more")


def _total(settings: Settings, info: MediaInfo) -> Fraction | None:
    """Seconds of film that are asked for, as far as the source states its duration."""
    ends = [time for time in (info.duration, settings.end) if time is not None]
    return max(min(ends) - (settings.start or 0), Fraction(0)) if ends else None


def _looked_at(settings: Settings, decoder: Decoder) -> tuple[Job, list[str]]:
    """The job, after a look at what was asked for, as far as is needed.

    Beside it notes on what the pictures carry and the new ones will not.
    """
    info, left_behind = decoder.info, decoder.left_behind
    require_showable(info)
    frames = iter(decoder)
    first = next(frames, None)
    if first is None:
        raise InputError(f"{settings.source}: no picture in the range asked for")
    if settings.hdr == "keep":
        left_behind = left_behind + scenes_left_behind(settings.codec, first.scene)
    job = Job(
        settings=settings,
        video=decoder.format,
        zero=info.start,
        offset=info.start + (settings.start or 0),
        origin=first.time,
        total=_total(settings, info),
        one_piece=clock_jumps(info),
        threads=1,
        scan=scanned(settings, info, chain([first], frames)),
    )
    return job, left_behind


def _encoder_threads(video: VideoFormat) -> int:
    """What x264 would choose; fixed here, so that all who work on the film take the same."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min((cores or 1) * 3 // 2, video.height // _ROWS_PER_THREAD))


def _make_all(work: Work, tally: Tally, make: Maker) -> list[tuple[Segment, Made]]:
    """All segments in order, made now unless they were found."""
    done: dict[Segment, Made] = {}

    def todo() -> Iterator[Segment]:
        for segment in planned:
            if made := work.pieces.found(segment):
                done[segment] = made
                tally.finished(segment, made, found=True)
            else:
                yield segment

    with closing(prefetch(segments(work.starts()), depth=2, name="plan")) as planned:
        for segment, made in make(work, todo(), tally):
            done[segment] = made
            tally.finished(segment, made, found=False)
    return sorted(done.items(), key=lambda item: item[0].index)


def _one_by_one(
    work: Work, todo: Iterator[Segment], tally: Tally
) -> Iterator[tuple[Segment, Made]]:
    """Make the segments here, in order."""
    for segment in todo:
        yield segment, work.pieces.make(work.job, segment, partial(tally.running, segment))


def _require_holdable(work: Work, video: VideoFormat) -> list[str]:
    """Begin the output, to hear now and not after hours what its container refuses.

    Notes on what it is not given.
    """
    trial = work.pieces.folder / f"trial{work.job.settings.target.suffix}"
    joiner = _joiner(work.job, video, trial, _ANY_CLOCK)
    joiner.discard()
    return joiner.notes


def _join(work: Work, video: VideoFormat, made: Sequence[tuple[Segment, Made]]) -> list[str]:
    """Put the pieces and the other streams together; notes on what the container was not given."""
    pieces = [work.pieces.piece(work.job, *each) for each in made if each[1].coded]
    target = partial_path(work.job.settings.target)
    try:
        with _joiner(work.job, video, target, pieces[0].time_base) as joiner:
            joiner.join(pieces)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return joiner.notes


def _joiner(job: Job, video: VideoFormat, target: Path, time_base: Fraction) -> Joiner:
    settings = job.settings
    return Joiner(
        target,
        video,
        codec=settings.codec,
        crf=settings.crf,
        preset=settings.preset,
        time_base=time_base,
        copy_from=settings.source,
        start=settings.start,
        end=settings.end,
        audio=settings.audio,
        maps=("-0",) if settings.video_only else settings.maps,
        threads=job.threads,
    )

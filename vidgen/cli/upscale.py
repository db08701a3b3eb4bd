"""`vidgen upscale IN OUT`: a film in, a larger and smoother film out."""

from __future__ import annotations

import argparse
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from vidgen.errors import UsageError
from vidgen.timing import format_time, parse_time

if TYPE_CHECKING:
    from vidgen.job import Progress, Report

__all__ = ["add_parser"]

_REDRAW_SECONDS = 0.5  # on a terminal
_LINE_SECONDS = 10.0  # in a log


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "upscale",
        help="make a film larger, smoother, or both",
        description="Upscale a film with a trained network, and make new frames where --fps asks "
        "for them. Audio, subtitles, chapters and attachments are copied as they are.",
    )
    parser.add_argument("source", metavar="IN", type=Path, help="film to read")
    parser.add_argument(
        "target", metavar="OUT", type=Path, help="film to write; .mkv holds anything"
    )
    picture = parser.add_argument_group("picture")
    picture.add_argument(
        "--scale",
        type=int,
        choices=(1, 2, 4),
        help="enlarge by this factor (default: 2); 1 keeps the size",
    )
    picture.add_argument(
        "--size", metavar="SIZE", help="1920x1080 (exact), or 1080p, 4k, ... (fits inside)"
    )
    picture.add_argument(
        "--fps",
        metavar="RATE",
        help="make new frames: 60, 60000/1001 or x2; else every frame stays",
    )
    picture.add_argument(
        "--tier",
        choices=("realtime", "balanced"),
        default="realtime",
        help="network: fast, or better and slower (default: %(default)s)",
    )
    picture.add_argument(
        "--model",
        metavar="NAME",
        help="this network, instead of what --tier says; `vidgen models list` names them",
    )
    picture.add_argument(
        "--strength",
        metavar="0..1",
        type=float,
        help="how much texture to invent, where the network has learnt to (default: as its card "
        "says)",
    )
    picture.add_argument(
        "--backend",
        choices=("auto", "openvino"),
        default="auto",
        help="what runs the network (default: %(default)s)",
    )
    _add_file_options(parser)
    parser.set_defaults(run=run)


def _add_file_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("output")
    output.add_argument(
        "--codec",
        choices=("x264", "x265", "svtav1", "ffv1", "prores"),
        default="x264",
        help="video codec (default: %(default)s)",
    )
    output.add_argument(
        "--crf", type=float, metavar="N", help="quality of the codec; lower is better and larger"
    )
    output.add_argument("--preset", metavar="NAME", help="speed of the codec, in its own words")
    output.add_argument("--start", metavar="TIME", help="from here: 90.5, 1:30 or 1:02:03.25")
    output.add_argument("--end", metavar="TIME", help="up to here")
    output.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    work = parser.add_argument_group("work")
    work.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        help="go on with what an earlier run has left; --no-resume starts anew (default: go on if "
        "film, settings and program are the same)",
    )
    work.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=1,
        help="processes that make a piece each, with a share of the cores (default: %(default)s)",
    )
    work.add_argument(
        "--segment",
        metavar="SECONDS",
        default="20",
        help="length of the pieces that the film is made in (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Do the job; progress and report go to stderr."""
    from vidgen.job import Settings  # deferred, with all that follows: `--help` needs none of it
    from vidgen.memory import keep_freed_memory
    from vidgen.segments import run as run_film
    from vidgen.stills import is_picture
    from vidgen.stills import run as run_pictures

    settings = Settings(
        source=args.source,
        target=args.target,
        scale=args.scale,
        size=args.size,
        fps=args.fps,
        tier=args.tier,
        model=args.model,
        strength=_strength(args.strength),
        backend=args.backend,
        codec=args.codec,
        crf=args.crf,
        preset=args.preset,
        start=_time(args.start),
        end=_time(args.end),
        overwrite=args.overwrite,
        resume=args.resume,
        segment=parse_time(args.segment),
        jobs=args.jobs,
    )
    keep_freed_memory()
    bar = _Bar(sys.stderr, silent=args.quiet)
    try:
        make = run_pictures if is_picture(settings.source) else run_film
        report = make(settings, bar.show)
    finally:
        bar.close()
    if not args.quiet:
        _print_report(report, settings.target)
    return 0


def _strength(given: float | None) -> float | None:
    if given is not None and not 0 <= given <= 1:
        raise UsageError(f"--strength {given:g}: give a number from 0 to 1")
    return given


def _time(text: str | None) -> Fraction | None:
    return None if text is None else parse_time(text)


class _Bar:
    """Progress: one line redrawn on a terminal, a plain line now and then elsewhere."""

    def __init__(self, stream: TextIO, *, silent: bool) -> None:
        self._stream = stream
        self._silent = silent
        self._terminal = stream.isatty()
        self._interval = _REDRAW_SECONDS if self._terminal else _LINE_SECONDS
        self._due = time.monotonic() + self._interval
        self._drawn = False

    def show(self, progress: Progress) -> None:
        """Draw, if it is time to."""
        now = time.monotonic()
        if self._silent or now < self._due:
            return
        self._due = now + self._interval
        line = _progress_line(progress)
        self._stream.write(f"\r{line}\x1b[K" if self._terminal else f"{line}\n")
        self._stream.flush()
        self._drawn = True

    def close(self) -> None:
        """Leave the cursor on a line of its own."""
        if self._drawn and self._terminal:
            self._stream.write("\n")
            self._stream.flush()


def _progress_line(progress: Progress) -> str:
    """`12 %  frame 345  0:00:14 of 0:02:00  23.9 fps  0:01:46 left`."""
    made = progress.frames - progress.frames_found
    fps = made / progress.seconds if progress.seconds else 0.0
    where = f"frame {progress.frames}  {format_time(progress.done)}"
    if not progress.total:
        return f"{where}  {fps:.1f} fps"
    share = min(progress.done / progress.total, Fraction(1))
    new = (progress.done - progress.found) / progress.total
    left = progress.seconds * float((1 - share) / new) if new else 0.0
    percent = f"{int(share * 100):3d} %"
    total = format_time(progress.total)
    return f"{percent}  {where} of {total}  {fps:.1f} fps  {format_time(left)} left"


def _print_report(report: Report, target: Path) -> None:
    """What was done, in a few lines on stderr."""
    source, made = report.source, report.target
    fps = (report.frames_out - report.frames_found) / report.seconds
    generated = f", {report.frames_generated} generated" if report.frames_generated else ""
    found = f", {report.frames_found} of them found" if report.frames_found else ""
    summary = (
        f"{target}: {source.width}x{source.height} -> {made.width}x{made.height}, "
        f"{report.frames_in} -> {report.frames_out} frames{generated}{found}, "
        f"{report.seconds:.1f} s, {fps:.1f} fps"
    )
    lines = [
        summary,
        *([f"network: {report.engine}"] if report.engine else []),
        *([f"damaged: {report.frames_damaged} pictures"] if report.frames_damaged else []),
        *(f"note: {note}" for note in report.notes),
    ]
    print(*lines, sep="\n", file=sys.stderr)

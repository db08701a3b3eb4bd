"""What a run tells a person: a bar while it works, a few lines when it is done."""

from __future__ import annotations

import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from vidgen.timing import format_time

if TYPE_CHECKING:
    from vidgen.job import Progress, Report

__all__ = ["Bar", "print_report"]

_REDRAW_SECONDS = 0.5  # on a terminal
_LINE_SECONDS = 10.0  # in a log


class Bar:
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

    def say(self, line: str) -> None:
        """Write a line of its own."""
        if not self._silent:
            print(line, file=self._stream, flush=True)

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
    of = f"{where} of {format_time(progress.total)}"
    if progress.counts:
        of = f"picture {progress.frames} of {progress.total}"
    return f"{percent}  {of}  {fps:.1f} fps  {format_time(left)} left"


def print_report(report: Report, target: Path) -> None:
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
        *([f"held instead of made: {_held(report)}"] if report.frames_held else []),
        *([f"damaged: {report.frames_damaged} pictures"] if report.frames_damaged else []),
        *(f"note: {note}" for note in report.notes),
    ]
    print(*lines, sep="\n", file=sys.stderr)


def _held(report: Report) -> str:
    """`12 frames (cut 10, doubt 2)`."""
    reasons = ", ".join(f"{why} {count}" for why, count in sorted(report.frames_held.items()))
    return f"{sum(report.frames_held.values())} frames ({reasons})"

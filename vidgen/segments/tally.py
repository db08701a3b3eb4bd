"""How far a film is while several segments are in the making, and the report at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

from vidgen.job import Job, Made, Progress, Report, Segment
from vidgen.timing import format_time

__all__ = ["Tally"]


class Tally:
    """Adds up what is told of segments; tells `progress` after each frame."""

    def __init__(
        self, job: Job, report: Report, began: float, progress: Callable[[Progress], None]
    ) -> None:
        self.report = report
        self._job, self._began, self._progress = job, began, progress
        self._finished = self._found = Fraction(0)
        self._running: dict[int, tuple[int, Fraction]] = {}

    def running(self, segment: Segment, frames: int, end: Fraction) -> None:
        """`segment` has `frames` frames so far, the last one shown until `end`."""
        elapsed = time.perf_counter() - self._began
        if not self.report.first_frame_seconds:
            self.report.first_frame_seconds = elapsed
        self._running[segment.index] = frames, end - segment.begin
        self._progress(
            Progress(
                self.report.frames_out + sum(count for count, _ in self._running.values()),
                self._finished + sum((done for _, done in self._running.values()), Fraction(0)),
                self._job.total,
                elapsed,
                self._found,
                self.report.frames_found,
            )
        )

    def finished(self, segment: Segment, made: Made, *, found: bool) -> None:
        """`segment` is made; `found`: by an earlier run."""
        self._running.pop(segment.index, None)
        report, length = self.report, (segment.end or made.end) - segment.begin
        self._finished += length
        if found:
            self._found += length
            report.frames_found += len(made.coded)
        report.frames_in += made.frames_in
        report.frames_out += len(made.coded)
        report.frames_generated += made.frames_generated
        report.frames_damaged += made.frames_damaged
        for why, count in made.frames_held.items():
            report.frames_held[why] = report.frames_held.get(why, 0) + count
        if made.way not in report.engine:
            report.engine += f"; {made.way}"
        report.notes += [note for note in made.notes if note not in report.notes]
        for name, seconds in made.step_seconds.items():
            report.step_seconds[name] = report.step_seconds.get(name, 0.0) + seconds

    def stopped(self, kept: int) -> str:
        """For a person who has stopped the run with `kept` segments finished: how it goes on."""
        if not kept:
            return "stopped"
        of = f" of {format_time(self._job.total)}" if self._job.total else ""
        done = format_time(self._finished)
        return f"stopped with {done}{of} finished; the same command goes on from there"

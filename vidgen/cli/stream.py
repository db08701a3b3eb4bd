"""`vidgen stream SRC DST`: the engine inside a live stream."""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vidgen.cli.options import TIERS, add_group
from vidgen.errors import UsageError
from vidgen.timing import parse_time

if TYPE_CHECKING:
    from vidgen.live import LiveReport, LiveSettings

__all__ = ["add_parser"]

_CHANGES: dict[str, dict[str, Any]] = {
    "fps": {"help": "constant rate: 60, 60000/1001 or x2 (default: the source's)"},
    "generate": {
        "choices": ("auto", "interpolate", "predict", "off"),
        "default": "auto",
        "help": "frames between real ones; predict waits for no later frame; auto: by the latency; "
        "off: repeat (default: %(default)s)",
    },
    "tier": {
        "choices": ("auto", *TIERS, "off"),
        "default": "auto",
        "help": "network; auto: the best that keeps up; off: resample alone (default: %(default)s)",
    },
    "device": {"default": 0, "help": "number of the GPU (default: the first)"},
    "codec": {"choices": None, "default": None, "help": "as in `vidgen upscale`, or raw (x264)"},
    "preset": {"help": "speed of the codec (superfast)"},
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "stream",
        help="filter a live stream within a latency budget",
        description="Read a stream, enlarge it and make it smoother, and send it on, a fixed time "
        "later. Sound and subtitles pass as they are, delayed like the picture. Files are read at "
        "their own pace. Ctrl-C ends the stream well.",
    )
    parser.add_argument("source", metavar="SRC", help="URL, file, or - for standard input")
    parser.add_argument("sink", metavar="DST", help="URL, file, or - for standard output (NUT)")
    add_group(parser, "picture", "scale size fps generate tier backend device latency", **_CHANGES)
    add_group(
        parser, "connections", "listen serve slate from to option no-reconnect stall", **_CHANGES
    )
    add_group(parser, "output", "codec crf bitrate preset keyframes", **_CHANGES)
    add_group(parser, "status", "status-file status-port")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the stream; all that is said goes to stderr."""
    import cv2  # deferred, as the others: `--help` needs none of it

    from vidgen.live import run as run_stream
    from vidgen.memory import keep_freed_memory

    keep_freed_memory()
    cv2.setNumThreads(max(1, cv2.getNumThreads() // 2))  # idle ones spin; the encoder wants cores
    terminal = sys.stderr.isatty()

    def said(report: LiveReport) -> None:
        if not args.quiet and terminal:
            print(f"\r{_line(report)}\x1b[K", end="", file=sys.stderr, flush=True)

    report = run_stream(_settings(args), said)
    if not args.quiet:
        print(f"{chr(13) if terminal else ''}{_line(report)}", file=sys.stderr)
        for note in report.notes:
            print(f"note: {note}", file=sys.stderr)
    return 0


def _line(report: LiveReport) -> str:
    """`30.0 -> 60.0 fps  realtime 41 %  latency 503 ms  late 0  dropped 0  reconnects 0`.

    Without rates where there was no time to tell them.
    """
    lost = f"late {report.late}  dropped {report.dropped}  reconnects {report.reconnects}"
    rates = ""
    if report.fps_in is not None and report.fps_out is not None:
        rates = f"{report.fps_in:.1f} -> {report.fps_out:.1f} fps  "
    return (
        f"{rates}{report.tier} {report.load:.0%}  "
        f"latency {report.latency_p50:.0f} ms (p99 {report.latency_p99:.0f})  {lost}"
    )


def _settings(args: argparse.Namespace) -> LiveSettings:
    from vidgen.live import LiveSettings
    from vidgen.media.live import OutputOptions

    output = OutputOptions(
        codec=args.codec or "",
        crf=args.crf,
        bitrate=args.bitrate,
        preset=args.preset,
        keyframe_seconds=parse_time(args.keyframes, "--keyframes"),
        container=args.muxer,
        serve=args.serve,
        stall_seconds=args.stall,
    )
    if args.latency < 0:
        raise UsageError(f"--latency {args.latency:g}: give milliseconds, 0 or more")
    return LiveSettings(
        source=args.source,
        sink=args.sink,
        output=output,
        scale=args.scale,
        size=args.size,
        fps=args.fps,
        generate=args.generate,
        tier=args.tier,
        backend=args.backend,
        device=args.device,
        latency=Fraction(round(args.latency * 1000), 1_000_000),
        container=args.demuxer,
        slate=args.slate,
        listen=args.listen,
        options=dict(map(_pair, args.option)),
        reconnect=args.reconnect,
        stall_seconds=args.stall,
        status_file=args.status_file,
        status_port=args.status_port,
    )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise UsageError(f"--option {text}: give KEY=VALUE, such as rtsp_transport=udp")
    return key, value

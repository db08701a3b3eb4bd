"""`vidgen stream SRC DST`: the engine inside a live stream."""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from vidgen.errors import UsageError
from vidgen.timing import parse_time

if TYPE_CHECKING:
    from vidgen.live import LiveReport, LiveSettings

__all__ = ["add_parser"]


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
    _add_picture_options(parser)
    _add_connection_options(parser)
    _add_encoder_options(parser)
    _add_status_options(parser)
    parser.set_defaults(run=run)


def _add_picture_options(parser: argparse.ArgumentParser) -> None:
    picture = parser.add_argument_group("picture")
    picture.add_argument(
        "--scale", type=int, choices=(1, 2, 4), help="enlarge by this factor (default: 2)"
    )
    picture.add_argument("--size", metavar="SIZE", help="1920x1080 (exact), or 1080p, 4k, ...")
    picture.add_argument(
        "--fps", metavar="RATE", help="constant rate: 60, 60000/1001 or x2 (default: the source's)"
    )
    picture.add_argument(
        "--generate",
        choices=("auto", "interpolate", "predict", "off"),
        default="auto",
        help="frames between real ones; predict waits for no later frame; auto: by the latency; "
        "off: repeat (default: %(default)s)",
    )
    picture.add_argument(
        "--tier",
        choices=("auto", "balanced", "realtime", "off"),
        default="auto",
        help="network; auto: the best that keeps up; off: resample alone (default: %(default)s)",
    )
    picture.add_argument(
        "--backend", choices=("auto", "openvino", "tensorrt", "cuda"), default="auto"
    )
    picture.add_argument("--device", metavar="N", type=int, default=0, help="number of the GPU")
    picture.add_argument(
        "--latency",
        metavar="MS",
        type=float,
        default=500,
        help="milliseconds from a picture's arrival until it is sent on (default: %(default)s)",
    )


def _add_connection_options(parser: argparse.ArgumentParser) -> None:
    ends = parser.add_argument_group("connections")
    ends.add_argument(
        "--listen", action="store_true", help="SRC waits for a sender: tcp, srt, rtmp, rtsp, http"
    )
    ends.add_argument("--serve", action="store_true", help="DST waits for a reader: tcp, srt")
    ends.add_argument("--from", dest="demuxer", metavar="FORMAT", help="SRC's format, for FFmpeg")
    ends.add_argument(
        "--to", dest="muxer", metavar="FORMAT", help="DST's format, for FFmpeg: mpegts, nut, flv"
    )
    ends.add_argument(
        "--slate",
        metavar="black|PICTURE",
        default="",
        help="what DST is sent until there is something to show; needs --size and --fps",
    )
    ends.add_argument(
        "--no-reconnect",
        dest="reconnect",
        action="store_false",
        help="end with the source instead of waiting for it to come back",
    )
    ends.add_argument(
        "--stall",
        metavar="SECONDS",
        type=float,
        default=10,
        help="a connection that is silent for so long is lost (default: %(default)s)",
    )
    ends.add_argument(
        "--option",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an option of FFmpeg's for reading SRC; may be given several times",
    )


def _add_encoder_options(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("output")
    output.add_argument("--codec", metavar="NAME", help="as in `vidgen upscale`, or raw (x264)")
    output.add_argument("--crf", metavar="N", type=float, help="quality, lower is better")
    output.add_argument("--bitrate", metavar="RATE", default="", help="6M, 800k; instead of --crf")
    output.add_argument("--preset", metavar="NAME", help="speed of the codec (veryfast)")
    output.add_argument(
        "--keyframes",
        metavar="SECONDS",
        default="2",
        help="longest time between two keyframes (default: %(default)s)",
    )


def _add_status_options(parser: argparse.ArgumentParser) -> None:
    status = parser.add_argument_group("status")
    status.add_argument(
        "--status-file", metavar="JSON", type=Path, help="rewritten every second, whole"
    )
    status.add_argument(
        "--status-port",
        metavar="PORT",
        type=int,
        help="HTTP on loopback: / is JSON, /metrics Prometheus text",
    )


def run(args: argparse.Namespace) -> int:
    """Run the stream; all that is said goes to stderr."""
    from vidgen.live import run as run_stream  # deferred: `--help` needs none of it
    from vidgen.memory import keep_freed_memory

    keep_freed_memory()
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
    """`30.0 -> 60.0 fps  realtime 41 %  latency 503 ms  late 0  dropped 0  reconnects 0`."""
    lost = f"late {report.late}  dropped {report.dropped}  reconnects {report.reconnects}"
    return (
        f"{report.fps_in:.1f} -> {report.fps_out:.1f} fps  {report.tier} {report.load:.0%}  "
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
        keyframe_seconds=parse_time(args.keyframes),
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

"""`vidgen filter SRC DST`: the engine between two programs, every picture of it."""

from __future__ import annotations

import argparse
import sys

from vidgen.cli.options import add_group

__all__ = ["add_parser"]

_FOREVER = 86400.0  # seconds: who reads what comes out may take all the time it needs
_WORDS = "scale size fps generate tier model strength backend device depth hdr"
_CODEC = {
    "choices": None,
    "default": None,
    "help": "as in `vidgen upscale`, or raw, or lossless (H.264; the default)",
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "filter",
        help="filter a pipe between two programs, losing nothing",
        description="Read a stream, enlarge it and make it smoother, and write it on, as fast as "
        "both ends take it. Every picture passes, at the source's own times; sound and subtitles "
        "pass as they are. For a stream that must keep time, there is `vidgen stream`.",
    )
    parser.add_argument("source", metavar="SRC", help="- for standard input, a file, or a URL")
    parser.add_argument("sink", metavar="DST", help="- for standard output (NUT), a file, or a URL")
    add_group(parser, "picture", _WORDS)
    add_group(parser, "streams", "from to codec crf preset", codec=_CODEC)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Pass all of it on; all that is said goes to stderr."""
    from vidgen.filter import pipe  # deferred: `--help` needs none of it
    from vidgen.media.live import OutputOptions, muxer_of
    from vidgen.memory import keep_freed_memory

    keep_freed_memory()
    y4m = muxer_of(args.sink, args.muxer) == "yuv4mpegpipe"
    output = OutputOptions(
        codec=args.codec or ("raw" if y4m else "lossless"),
        crf=args.crf,
        preset=args.preset,
        container=args.muxer,
        stall_seconds=_FOREVER,
    )
    words = {word: getattr(args, word) for word in _WORDS.split()}
    report = pipe(args.source, args.sink, output, container=args.demuxer, **words)
    if not args.quiet:
        said = f"{report.frames_in} frames in, {report.frames_out} out"
        print(f"{said}, {report.generated} of them made", file=sys.stderr)
        for note in report.notes:
            print(f"note: {note}", file=sys.stderr)
    return 0

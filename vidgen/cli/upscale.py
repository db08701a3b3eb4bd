"""`vidgen upscale IN... OUT`: films in, larger and smoother films out."""

from __future__ import annotations

import argparse
import json
import sys
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen.cli.progress import Bar, print_report
from vidgen.errors import OutputError, UsageError, VidgenError
from vidgen.timing import parse_time

if TYPE_CHECKING:
    from vidgen.job import Settings

__all__ = ["add_parser"]

_CODECS = (
    "x264", "x265", "svtav1", "ffv1", "prores", "nvenc-h264", "nvenc-hevc", "nvenc-av1", "qsv-h264",
    "qsv-hevc", "qsv-av1", "amf-h264", "amf-hevc", "amf-av1",
)  # fmt: skip


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "upscale",
        help="make a film larger, smoother, or both",
        description="Upscale a film with a trained network, and make new frames where --fps asks "
        "for them. Audio, subtitles, chapters and attachments are copied as they are.",
    )
    parser.add_argument(
        "sources", metavar="IN", nargs="+", type=Path, help="film to read, or a folder of films"
    )
    parser.add_argument(
        "target",
        metavar="OUT",
        type=Path,
        help="film to write; .mkv holds anything. For several films, the folder to put them in",
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
        "--deinterlace",
        choices=("auto", "off", "on"),
        default="auto",
        help="undo interlace and telecine where they are found (default: %(default)s); on: every "
        "frame is two fields, whatever it looks like",
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
        choices=_CODECS,
        default="x264",
        metavar="NAME",
        help=f"video codec (default: %(default)s): {', '.join(_CODECS)}",
    )
    output.add_argument(
        "--depth",
        type=int,
        choices=(8, 10),
        help="bits a sample; else the source's, dithered where the codec takes 8 alone",
    )
    output.add_argument(
        "--crf", type=float, metavar="N", help="quality of the codec; lower is better and larger"
    )
    output.add_argument("--preset", metavar="NAME", help="speed of the codec, in its own words")
    output.add_argument(
        "--map",
        metavar="STREAMS",
        action="append",
        default=[],
        help="streams that come along, as with FFmpeg: 0:a:1, 0:s:m:language:eng, or --map=-0:s to "
        "leave some out (default: all)",
    )
    output.add_argument("--video-only", action="store_true", help="no other stream comes along")
    output.add_argument("--start", metavar="TIME", help="from here: 90.5, 1:30 or 1:02:03.25")
    output.add_argument("--end", metavar="TIME", help="up to here")
    output.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    output.add_argument(
        "--preview",
        metavar="SECONDS",
        help="only so much from the middle, and a picture of before and after beside OUT",
    )
    output.add_argument("--report", metavar="FILE", type=Path, help="say what was done, as JSON")
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
        "--cluster",
        metavar="ADDRESS",
        help="make the pieces on a Ray cluster: auto (the one of this machine), or host:port",
    )
    work.add_argument(
        "--segment",
        metavar="SECONDS",
        default="20",
        help="length of the pieces that the film is made in (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Do the job; progress and reports go to stderr."""
    from vidgen.memory import keep_freed_memory  # deferred, as all below: `--help` needs none of it
    from vidgen.segments import films_to_make

    keep_freed_memory()
    settings = _settings(args)
    films = films_to_make(args.sources, args.target, settings)
    alone = films[0].target == args.target
    entries: list[dict[str, Any]] = []
    try:
        return _make_alone(films[0], args, entries) if alone else _make_each(films, args, entries)
    finally:
        if args.report:
            _write_report(args.report, entries)


def _make_alone(film: Settings, args: argparse.Namespace, entries: list[dict[str, Any]]) -> int:
    try:
        entries.append(_make(film, args))
    except VidgenError as error:
        entries.append({"source": str(film.source), "error": str(error)})
        raise
    return 0


def _make_each(
    films: list[Settings], args: argparse.Namespace, entries: list[dict[str, Any]]
) -> int:
    """All of them, whatever becomes of one; the exit code of the worst."""
    code = 0
    for number, film in enumerate(films, 1):
        if not args.quiet:
            print(f"{number} of {len(films)}: {film.source} -> {film.target}", file=sys.stderr)
        if film.target.exists() and not film.overwrite:
            print(f"{film.target} exists: left as it is", file=sys.stderr)
            continue
        try:
            entries.append(_make(film, args))
        except VidgenError as error:
            print(f"vidgen: error: {error}", file=sys.stderr)
            entries.append({"source": str(film.source), "error": str(error)})
            code = max(code, error.exit_code)
    return code


def _make(settings: Settings, args: argparse.Namespace) -> dict[str, Any]:
    """One film, or picture; what was done, for JSON."""
    from vidgen.bench.preview import write_before_after
    from vidgen.cluster import run as run_there
    from vidgen.segments import middle
    from vidgen.segments import run as run_film
    from vidgen.stills import is_picture
    from vidgen.stills import run as run_pictures

    bar = Bar(sys.stderr, silent=args.quiet)
    preview = None if args.preview is None else parse_time(args.preview)
    try:
        if is_picture(settings.source):
            report = run_pictures(settings, bar.show)
        else:
            settings = settings if preview is None else middle(settings, preview)
            make = run_film if args.cluster is None else partial(run_there, address=args.cluster)
            report = make(settings, bar.show, bar.say)
    finally:
        bar.close()
    if not args.quiet:
        print_report(report, settings.target)
    if preview is not None:
        picture = write_before_after(settings)
        bar.say(f"before and after: {picture}")
    return report.plain(settings)


def _write_report(path: Path, entries: list[dict[str, Any]]) -> None:
    try:
        path.write_text(json.dumps({"films": entries}, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error


def _settings(args: argparse.Namespace) -> Settings:
    """What all films of the command line are asked for; the first one's names."""
    from vidgen.job import Settings

    return Settings(
        source=args.sources[0],
        target=args.target,
        scale=args.scale,
        size=args.size,
        fps=args.fps,
        deinterlace=args.deinterlace,
        tier=args.tier,
        model=args.model,
        strength=_strength(args.strength),
        backend=args.backend,
        codec=args.codec,
        crf=args.crf,
        preset=args.preset,
        depth=args.depth,
        maps=tuple(args.map),
        video_only=args.video_only,
        start=_time(args.start),
        end=_time(args.end),
        overwrite=args.overwrite,
        resume=args.resume,
        segment=parse_time(args.segment),
        jobs=args.jobs,
    )


def _strength(given: float | None) -> float | None:
    if given is not None and not 0 <= given <= 1:
        raise UsageError(f"--strength {given:g}: give a number from 0 to 1")
    return given


def _time(text: str | None) -> Fraction | None:
    return None if text is None else parse_time(text)

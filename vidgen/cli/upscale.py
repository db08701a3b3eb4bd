"""`vidgen upscale IN... OUT`: films in, larger and smoother films out."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen.cli.options import add_group
from vidgen.cli.progress import Bar, print_report
from vidgen.errors import OutputError, UsageError, VidgenError
from vidgen.target import is_picture, require_beside
from vidgen.timing import parse_time

if TYPE_CHECKING:
    from vidgen.job import Settings

__all__ = ["add_parser"]


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
    add_group(
        parser,
        "picture",
        "scale size fps generate deinterlace tier model strength backend device",
    )
    add_group(
        parser,
        "output",
        "codec depth hdr crf preset audio map video-only start end overwrite preview report",
    )
    add_group(parser, "work", "resume jobs cluster segment")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the job; progress and reports go to stderr."""
    from vidgen.memory import keep_freed_memory  # deferred, as all below: `--help` needs none of it
    from vidgen.segments import films_to_make

    keep_freed_memory()
    settings = _settings(args)
    films = films_to_make(args.sources, args.target, settings)
    if args.report:
        require_beside(
            args.report, *(path for film in films for path in (film.source, film.target))
        )
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
    from vidgen.upscale import is_there

    code = 0
    for number, film in enumerate(films, 1):
        if not args.quiet:
            print(f"{number} of {len(films)}: {film.source} -> {film.target}", file=sys.stderr)
        try:
            if not film.overwrite and is_there(film):
                print(f"{film.target} exists: left as it is", file=sys.stderr)
                continue
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
    from vidgen.upscale import run as run_here

    bar = Bar(sys.stderr, silent=args.quiet)
    preview = None if args.preview is None else parse_time(args.preview, "--preview")
    try:
        film = not is_picture(settings.source)
        if not film and args.cluster is not None:
            raise UsageError("--cluster: pictures are made on this machine; leave it out")
        settings = middle(settings, preview) if film and preview is not None else settings
        there = args.cluster is not None
        make = partial(run_there, address=args.cluster) if there else run_here
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
        generate=args.generate,
        deinterlace=args.deinterlace,
        tier=args.tier,
        model=args.model,
        strength=_strength(args.strength),
        backend=args.backend,
        device=args.device,
        codec=args.codec,
        crf=args.crf,
        preset=args.preset,
        depth=args.depth,
        hdr=args.hdr,
        audio=args.audio,
        maps=tuple(args.map),
        video_only=args.video_only,
        start=args.start,
        end=args.end,
        overwrite=args.overwrite,
        resume=args.resume,
        segment=args.segment,
        jobs=args.jobs,
    )


def _strength(given: float | None) -> float | None:
    if given is not None and not 0 <= given <= 1:
        raise UsageError(f"--strength {given:g}: give a number from 0 to 1")
    return given

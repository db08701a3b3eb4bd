"""`vidgen info [FILE]`: what this machine can do; what a file holds."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen.errors import BackendError
from vidgen.timing import format_time

if TYPE_CHECKING:
    from vidgen.frame import VideoFormat
    from vidgen.media import MediaInfo
    from vidgen.scan import Scan

__all__ = ["add_parser"]

_LOOKED_AT = Fraction(5)  # seconds from the beginning in which fields are measured
_RANGES = {0: "unspecified", 1: "limited", 2: "full"}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "info",
        help="tell what this machine can do, or what a file holds",
        description="Without FILE: versions, backends, codecs and models here. With FILE: its "
        "container, streams, colour and chapters.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help="film to look into")
    parser.add_argument("--json", action="store_true", help="print JSON; times are fractions")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print to stdout."""
    if args.file is None:
        facts = _machine()
        lines = _machine_lines(facts)
    else:
        media, scan = _looked_into(args.file)
        facts = {**_plain(media), "scan": _plain(scan)}
        lines = [*_media_lines(media), *_scan_lines(scan)]
    print(json.dumps(facts, indent=2) if args.json else "\n".join(lines))
    return 0


def _machine() -> dict[str, Any]:
    """Versions, backends, codecs and models of this machine."""
    from vidgen import zoo
    from vidgen.cli.version import vidgen_version
    from vidgen.media import codec_names

    models = [zoo.load(name) for name in zoo.names()]
    return {
        "vidgen": vidgen_version(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
        "backends": _backends(),
        "codecs": list(codec_names()),
        "models": {model.name: f"{model.task} x{model.scale}, {model.tier}" for model in models},
    }


def _backends() -> dict[str, str]:
    """Each backend's description of itself, or why it cannot run here."""
    from vidgen.engines import backend_names, choose_backend

    found = {}
    for name in backend_names():
        try:
            found[name] = choose_backend(name).describe()
        except BackendError as error:
            found[name] = f"not here: {error}"
    return found


def _machine_lines(facts: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in facts.items():
        if isinstance(value, dict):
            value = [f"{key}: {what}" for key, what in value.items()] or ["none"]
        rows = value if isinstance(value, list) and name != "codecs" else [value]
        for index, row in enumerate(rows):
            text = " ".join(row) if isinstance(row, list) else str(row)
            lines.append(f"{'' if index else name:<9} {text}")
    return lines


def _media_lines(media: MediaInfo) -> list[str]:
    """What a person wants to know of a file."""
    duration = "unknown" if media.duration is None else format_time(media.duration)
    lines = [f"file      {media.path}", f"container {media.container}, duration {duration}"]
    if media.video is not None:
        lines += _video_lines(media, media.video)
    for stream in media.streams:
        lines.append(f"stream    {_stream_line(stream)}")
    for chapter in media.chapters:
        lines.append(f"chapter   {format_time(chapter.start)} {chapter.title}")
    return lines


def _video_lines(media: MediaInfo, video: VideoFormat) -> list[str]:
    rate = "variable or unstated" if video.fps is None else f"{float(video.fps):.6g} ({video.fps})"
    color = video.color
    kind = "interlaced" if media.interlaced else "progressive"
    lines = [
        f"video     {media.codec}, {video.width}x{video.height} {media.pix_fmt}, {kind}",
        f"rate      {rate} frames a second",
        (
            f"colour    range {_RANGES.get(color.range, color.range)}, matrix {color.matrix}, "
            f"primaries {color.primaries}, transfer {color.transfer} (H.273 numbers)"
        ),
    ]
    if video.sample_aspect_ratio != 1 or video.rotation:
        lines.append(
            f"shown     pixels {video.sample_aspect_ratio}, turned {video.rotation} degrees"
        )
    return lines


def _looked_into(path: Path) -> tuple[MediaInfo, Scan]:
    """What a film holds; how its beginning was recorded, by measure, since flags may lie."""
    from vidgen.media import Decoder  # deferred: `--help` needs no libraries
    from vidgen.restore import scan_film

    with Decoder(path, end=_LOOKED_AT) as decoder:
        return decoder.info, scan_film(decoder.info, decoder, end=_LOOKED_AT)


def _scan_lines(scan: Scan) -> list[str]:
    from vidgen.restore import scan_notes

    found = scan_notes(scan) or [f"{scan.frames} of {scan.frames} frames progressive"]
    return [f"measured  {line} (first {_LOOKED_AT} s)" for line in found]


def _stream_line(stream: Any) -> str:
    marks = [name for name in ("default", "forced", "attached_pic") if getattr(stream, name)]
    parts = [f"{stream.index}: {stream.type} {stream.codec}", stream.language, stream.title, *marks]
    return ", ".join(part for part in parts if part)


def _plain(value: Any) -> Any:
    """Dataclasses, paths and fractions as what JSON can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: _plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Fraction | Path) else value

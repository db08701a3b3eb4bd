"""The options of `vidgen upscale`, by what they concern."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_options", "add_picture_options"]

_CODECS = (
    "x264", "x265", "svtav1", "ffv1", "prores", "nvenc-h264", "nvenc-hevc", "nvenc-av1", "qsv-h264",
    "qsv-hevc", "qsv-av1", "amf-h264", "amf-hevc", "amf-av1",
)  # fmt: skip


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all of them, in the order of the help."""
    _add_deinterlace(add_picture_options(parser))
    _add_file_options(parser)
    _add_work_options(parser)


def add_picture_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add what concerns every picture; the group is returned."""
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
        "--generate",
        choices=("interpolate", "predict", "off"),
        default="interpolate",
        help="how --fps makes frames (default: %(default)s): between two real ones; after the last "
        "one, without waiting for the next; off: repeat real ones",
    )
    picture.add_argument(
        "--tier",
        choices=("realtime", "balanced"),
        default="realtime",
        help="network and motion: fast, or better and slower (default: %(default)s)",
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
        choices=("auto", "openvino", "tensorrt", "cuda"),
        default="auto",
        help="what runs the network (default: %(default)s, the best that is here)",
    )
    picture.add_argument(
        "--device",
        metavar="N",
        type=int,
        help="number of the GPU (default: the first; with --jobs each in turn)",
    )
    return picture


def _add_deinterlace(picture: argparse._ArgumentGroup) -> None:
    picture.add_argument(
        "--deinterlace",
        choices=("auto", "off", "on"),
        default="auto",
        help="undo interlace and telecine where they are found (default: %(default)s); on: every "
        "frame is two fields, whatever it looks like",
    )


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
        "--hdr",
        choices=("keep", "sdr"),
        default="keep",
        help="sdr: show PQ and HLG as on an SDR screen, BT.709 in 8 bits (default: %(default)s)",
    )
    output.add_argument(
        "--crf", type=float, metavar="N", help="quality of the codec; lower is better and larger"
    )
    output.add_argument("--preset", metavar="NAME", help="speed of the codec, in its own words")
    output.add_argument(
        "--audio",
        choices=("copy", "aac", "opus"),
        default="copy",
        help="what sound becomes (default: %(default)s)",
    )
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


def _add_work_options(parser: argparse.ArgumentParser) -> None:
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

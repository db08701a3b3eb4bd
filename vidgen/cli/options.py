"""The options of the commands that make pictures, each said once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["TIERS", "add_group"]

TIERS = ("realtime", "balanced", "quality")
"""Fast ones first."""

_CODECS = (
    "x264", "x265", "svtav1", "ffv1", "prores", "nvenc-h264", "nvenc-hevc", "nvenc-av1", "qsv-h264",
    "qsv-hevc", "qsv-av1", "amf-h264", "amf-hevc", "amf-av1",
)  # fmt: skip

_OPTIONS: dict[str, dict[str, Any]] = {
    "scale": {
        "type": int,
        "choices": (1, 2, 4),
        "help": "enlarge by this factor (default: 2); 1 keeps the size",
    },
    "size": {"metavar": "SIZE", "help": "1920x1080 (exact), or 1080p, 4k, ... (fits inside)"},
    "fps": {
        "metavar": "RATE",
        "help": "make new frames: 60, 60000/1001 or x2; else every frame stays",
    },
    "generate": {
        "choices": ("interpolate", "predict", "off"),
        "default": "interpolate",
        "help": "how --fps makes frames (default: %(default)s): between two real ones; after the "
        "last one, without waiting for the next; off: repeat real ones",
    },
    "deinterlace": {
        "choices": ("auto", "off", "on"),
        "default": "auto",
        "help": "undo interlace and telecine where they are found (default: %(default)s); on: "
        "every frame is two fields, whatever it looks like",
    },
    "tier": {
        "choices": (*TIERS, "still"),
        "help": "network and motion: fast; better and slower; best and slow; for single "
        "photographs (default: realtime, of a single picture quality)",
    },
    "model": {
        "metavar": "NAME",
        "help": "this network, instead of what --tier says; `vidgen models list` names them",
    },
    "strength": {
        "metavar": "0..1",
        "type": float,
        "help": "how much texture to invent, where the network has learnt to (default: as its card "
        "says)",
    },
    "backend": {
        "choices": ("auto", "openvino", "tensorrt", "cuda"),
        "default": "auto",
        "help": "what runs the network (default: %(default)s, the best that is here)",
    },
    "device": {
        "metavar": "N",
        "type": int,
        "help": "number of the GPU (default: the first; with --jobs each in turn)",
    },
    "latency": {
        "metavar": "MS",
        "type": float,
        "default": 500,
        "help": "milliseconds from a picture's arrival until it is sent on (default: %(default)s)",
    },
    "codec": {
        "choices": _CODECS,
        "default": "x264",
        "metavar": "NAME",
        "help": f"video codec (default: %(default)s): {', '.join(_CODECS)}",
    },
    "depth": {
        "type": int,
        "choices": (8, 10),
        "help": "bits a sample; else the source's, dithered where the codec takes 8 alone",
    },
    "hdr": {
        "choices": ("keep", "sdr"),
        "default": "keep",
        "help": "sdr: show PQ and HLG as on an SDR screen, BT.709 in 8 bits (default: %(default)s)",
    },
    "crf": {
        "type": float,
        "metavar": "N",
        "help": "quality of the codec; lower is better and larger",
    },
    "bitrate": {"metavar": "RATE", "default": "", "help": "6M, 800k; instead of --crf"},
    "preset": {"metavar": "NAME", "help": "speed of the codec, in its own words"},
    "keyframes": {
        "metavar": "SECONDS",
        "default": "2",
        "help": "longest time between two keyframes (default: %(default)s)",
    },
    "from": {"dest": "demuxer", "metavar": "FORMAT", "help": "SRC's format, for FFmpeg"},
    "to": {
        "dest": "muxer",
        "metavar": "FORMAT",
        "help": "DST's format, for FFmpeg: mpegts, nut, matroska, flv, ...",
    },
    "option": {
        "metavar": "KEY=VALUE",
        "action": "append",
        "default": [],
        "help": "an option of FFmpeg's for reading SRC; may be given several times",
    },
    "listen": {
        "action": "store_true",
        "help": "SRC waits for a sender: tcp, srt, rtmp, rtsp, http",
    },
    "serve": {"action": "store_true", "help": "DST waits for a reader: tcp, srt"},
    "slate": {
        "metavar": "black|PICTURE",
        "default": "",
        "help": "what DST is sent until there is something to show; needs --size and --fps",
    },
    "no-reconnect": {
        "dest": "reconnect",
        "action": "store_false",
        "help": "end with the source instead of waiting for it to come back",
    },
    "stall": {
        "metavar": "SECONDS",
        "type": float,
        "default": 10,
        "help": "a connection that is silent for so long is lost (default: %(default)s)",
    },
    "status-file": {"metavar": "JSON", "type": Path, "help": "rewritten every second, whole"},
    "status-port": {
        "metavar": "PORT",
        "type": int,
        "help": "HTTP on loopback: / is JSON, /metrics Prometheus text",
    },
    "audio": {
        "choices": ("copy", "aac", "opus"),
        "default": "copy",
        "help": "what sound becomes (default: %(default)s)",
    },
    "map": {
        "metavar": "STREAMS",
        "action": "append",
        "default": [],
        "help": "streams that come along, as with FFmpeg: 0:a:1, 0:s:m:language:eng, or "
        "--map=-0:s to leave some out (default: all)",
    },
    "video-only": {"action": "store_true", "help": "no other stream comes along"},
    "start": {"metavar": "TIME", "help": "from here: 90.5, 1:30 or 1:02:03.25"},
    "end": {"metavar": "TIME", "help": "up to here"},
    "overwrite": {"action": "store_true", "help": "replace OUT if it exists"},
    "preview": {
        "metavar": "SECONDS",
        "help": "only so much from the middle, and a picture of before and after beside OUT",
    },
    "report": {"metavar": "FILE", "type": Path, "help": "say what was done, as JSON"},
    "resume": {
        "action": argparse.BooleanOptionalAction,
        "help": "go on with what an earlier run has left; --no-resume starts anew (default: go on "
        "if film, settings and program are the same)",
    },
    "jobs": {
        "metavar": "N",
        "type": int,
        "default": 1,
        "help": "processes that make a piece each, with a share of the cores (default: "
        "%(default)s)",
    },
    "cluster": {
        "metavar": "ADDRESS",
        "help": "make the pieces on a Ray cluster: auto (the one of this machine), or host:port",
    },
    "segment": {
        "metavar": "SECONDS",
        "default": "20",
        "help": "length of the pieces that the film is made in; of numbered pictures, 24 are a "
        "second (default: %(default)s)",
    },
}


def add_group(
    parser: argparse.ArgumentParser, title: str, names: str, **changes: dict[str, Any]
) -> None:
    """Add a group of options: those of `names`, as the table has them but for `changes` by name.

    What is None there is left out.
    """
    group = parser.add_argument_group(title)
    for name in names.split():
        words = _OPTIONS[name] | changes.get(name, {})
        group.add_argument(
            f"--{name}", **{key: value for key, value in words.items() if value is not None}
        )

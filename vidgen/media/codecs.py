"""The words for encoders and containers: what each takes, and which goes into which."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from vidgen.errors import UsageError
from vidgen.media.codec import Codec
from vidgen.media.hardware import HARDWARE, require_present

__all__ = [
    "CODECS",
    "CONTAINERS",
    "Codec",
    "Container",
    "codec_names",
    "container_of",
    "encoded_depth",
    "find_codec",
    "holding_suffixes",
    "ordinary_priority",
    "piece_container",
    "quiet_svt",
    "require_encodable",
    "takes_gpu_pictures",
]

_X26X_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
    "placebo",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Container:
    """One suffix of a target."""

    suffix: str
    muxer: str
    """FFmpeg's name."""
    options: tuple[tuple[str, str], ...] = ()
    negative_times: bool = False
    """True where a stream may begin before 0 (an edit list hides that part)."""
    codec_delay: bool = False
    """True where sound may by the length that its header tells a decoder to throw away."""
    rotation: bool = False
    """True where it holds the display matrix."""
    chapters: bool = True
    attachments: bool = False
    cover_as_attachment: bool = False


_YUV = {8: "yuv420p", 10: "yuv420p10le"}

CODECS = {
    codec.word: codec
    for codec in (
        Codec(
            word="x264",
            encoder="libx264",
            pix_fmts={8: "nv12", 10: "yuv420p10le"},
            presets=_X26X_PRESETS,
            preset="medium",
            crf=18,
            tells_pixel_aspect=True,
            containers=(".mkv", ".mp4", ".m4v", ".mov", ".ts"),
        ),
        Codec(
            word="x265",
            encoder="libx265",
            pix_fmts=_YUV,
            presets=_X26X_PRESETS,
            preset="medium",
            crf=20,
            tells_pixel_aspect=True,
            options=(("x265-params", "log-level=error"),),  # it writes to stderr past FFmpeg's log
            containers=(".mkv", ".mp4", ".m4v", ".mov", ".ts"),
        ),
        Codec(
            word="svtav1",
            encoder="libsvtav1",
            pix_fmts=_YUV,
            presets=tuple(str(speed) for speed in range(14)),
            preset="8",
            crf=26,
            crf_max=63,
            least_side=32,  # below, SVT-AV1 4.1 waits for itself for ever: 256x16, 4096x16, flat
            containers=(".mkv", ".mp4", ".m4v", ".webm"),
        ),
        Codec(
            word="ffv1",
            encoder="ffv1",
            pix_fmts=_YUV,
            # Version 3 with checksums and every frame on its own: what archives ask for.
            options=(("level", "3"), ("slices", "4"), ("slicecrc", "1"), ("g", "1")),
            containers=(".mkv", ".mp4"),
        ),
        Codec(
            word="prores",
            encoder="prores_ks",
            pix_fmts={8: "yuv422p10le", 10: "yuv422p10le"},
            presets=("proxy", "lt", "standard", "hq"),
            preset="hq",
            preset_option="profile",
            options=(("vendor", "apl0"),),
            limited_range=True,
            containers=(".mov", ".mkv"),
        ),
    )
}

# The clock of edit lists. FFmpeg's default of 1 ms would move late-starting streams by up to that;
# this one holds 1001/24000, 1001/60000, 1/90000 and 1/48000 exactly.
_MOV_OPTIONS = (("movie_timescale", "720000"),)

CONTAINERS = {
    container.suffix: container
    for container in (
        Container(
            ".mkv",
            "matroska",
            codec_delay=True,
            rotation=True,
            attachments=True,
            cover_as_attachment=True,
        ),
        Container(".mp4", "mp4", _MOV_OPTIONS, negative_times=True, rotation=True),
        Container(".m4v", "mp4", _MOV_OPTIONS, negative_times=True, rotation=True),
        Container(".mov", "mov", _MOV_OPTIONS, negative_times=True, rotation=True),
        Container(".webm", "webm", codec_delay=True, rotation=True),
        Container(".ts", "mpegts", chapters=False),
    )
}


# Pieces of a film: packets and headers as the encoder makes them. NUT knows no ProRes.
_PIECES = Container(".nut", "nut", negative_times=True, rotation=True)
_PIECES_OF_PRORES = Container(".mov", "mov", _MOV_OPTIONS, negative_times=True, rotation=True)


def piece_container(codec: Codec) -> Container:
    """What a piece of a film is kept in until all are joined."""
    return _PIECES_OF_PRORES if codec.word == "prores" else _PIECES


def codec_names() -> tuple[str, ...]:
    """The words that `--codec` accepts on any machine."""
    return tuple(CODECS)


def holding_suffixes(word: str) -> tuple[str, ...]:
    """Suffixes of the containers that hold that codec, the best first. Raises UsageError."""
    return find_codec(word).containers


def find_codec(word: str) -> Codec:
    """The codec of that word. Raises UsageError that lists the words."""
    known = {**CODECS, **HARDWARE}
    if word not in known:
        near = get_close_matches(word, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"--codec {word}: unknown; give one of {', '.join(known)}{hint}")
    return known[word]


def container_of(target: Path, codec: Codec) -> Container:
    """The container that `target`'s suffix names. Raises UsageError if it cannot hold `codec`."""
    suffix = target.suffix.lower()
    if suffix not in CONTAINERS:
        raise UsageError(
            f"{target}: no container is known by {suffix or 'no suffix'}; end it in one of "
            f"{', '.join(CONTAINERS)}"
        )
    if suffix not in codec.containers:
        accepted = " or ".join(codec.containers)
        raise UsageError(
            f"{target}: {suffix} does not hold {codec.word}; end it in {accepted}, "
            f"or give another --codec"
        )
    return CONTAINERS[suffix]


def encoded_depth(codec: str, source: int, asked: int | None) -> int:
    """8 or 10: the depth that pictures of `source` bits are encoded in. Raises UsageError."""
    return find_codec(codec).bit_depth(source, asked)


def takes_gpu_pictures(codec: str) -> bool:
    """Whether the encoder takes pictures that lie on an NVIDIA GPU. Raises UsageError."""
    return find_codec(codec).on_nvidia


def require_encodable(
    target: Path,
    codec: str,
    crf: float | None = None,
    preset: str | None = None,
    depth: int | None = None,
) -> None:
    """Raise UsageError for a word that an Encoder would refuse. Touches no file.

    Raises OutputError where the codec needs hardware that is not there.
    """
    chosen = find_codec(codec)
    chosen.encoder_options(crf, preset)
    container_of(target, chosen)
    require_present(chosen, chosen.bit_depth(8, depth))


@contextmanager
def ordinary_priority() -> Iterator[None]:
    """Take back the real-time priority that SVT-AV1 gives itself and its caller when run as root.

    With it the encoder keeps every other thread of the program from running, its source included.
    """
    if sys.platform != "linux" or os.sched_getscheduler(0) != os.SCHED_OTHER:
        yield
        return
    yield
    for task in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # threads end while we look
            if os.sched_getscheduler(int(task.name)) == os.SCHED_FIFO:
                os.sched_setscheduler(int(task.name), os.SCHED_OTHER, os.sched_param(0))


def quiet_svt() -> None:
    """Keep SVT-AV1 from writing its settings to stderr, which it does past FFmpeg's log."""
    os.environ.setdefault("SVT_LOG", "1")

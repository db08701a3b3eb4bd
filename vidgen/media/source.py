"""Opening a film for reading: one line of reason when it cannot be, and the facts PyAV hides."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from vidgen.errors import InputError

__all__ = [
    "CHROMA_LOCATIONS",
    "chroma_location",
    "codec_delay",
    "container_duration",
    "described",
    "dump",
    "film_start",
    "is_picture",
    "main_video",
    "open_bytes",
    "open_source",
    "read_through",
    "reason",
    "require_file",
    "sample_aspect_ratio",
    "size_of",
]

CHROMA_LOCATIONS = ("unspecified", "left", "center", "topleft", "top", "bottomleft", "bottom")
"""FFmpeg's words in the order of AVChromaLocation."""

_MP4_BOXES = (b"ftyp", b"mdat", b"free", b"skip", b"wide", b"styp", b"moof")
_CLOCK = 1_000_000  # AV_TIME_BASE: units of a container's own times


_ELSEWHERE: dict[Path, Callable[[], BinaryIO]] = {}
"""Films of another machine, and how to read them."""


def read_through(path: Path, open_file: Callable[[], BinaryIO]) -> None:
    """Have `path` read by what `open_file` gives, from now on, in this process.

    For a film that lies on another machine: all is read from it as if it lay here.
    """
    _ELSEWHERE[path] = open_file


def open_bytes(path: Path) -> BinaryIO:
    """The file itself."""
    return _ELSEWHERE[path]() if path in _ELSEWHERE else path.open("rb")


def size_of(path: Path) -> int:
    """Bytes of the file."""
    with open_bytes(path) as file:
        return file.seek(0, os.SEEK_END)


def open_source(path: Path, hwaccel: HWAccel | None = None) -> InputContainer:
    """Open `path`, which the caller closes. Raises InputError that says in a line what is wrong.

    With `hwaccel` that line is why there is no such hardware, or else what is wrong with the file.
    """
    if path not in _ELSEWHERE:
        require_file(path)
        if path.is_fifo():
            raise InputError(f"{path}: is a pipe, and films are read twice; see `vidgen filter`")
    try:
        # "file:" keeps a colon or a dash in a name from being taken for a protocol.
        file = open_bytes(path) if path in _ELSEWHERE else f"file:{path}"
        return av.open(file, "r", metadata_errors="replace", hwaccel=hwaccel)
    except (av.FFmpegError, ValueError) as error:
        if hwaccel is not None:
            raise InputError(reason(error)) from error
        raise InputError(f"{path}: cannot be read as video ({_why_not(path, error)})") from error


def require_file(path: Path) -> None:
    """Raise InputError unless there is a file to read."""
    if not path.exists():
        url = re.match(r"[a-z]+:/", str(path))  # as a path shows it
        hint = "; `vidgen stream` and `vidgen filter` read URLs" if url else ""
        raise InputError(f"{path}: no such file{hint}")
    if path.is_dir():
        raise InputError(f"{path}: is a directory; give a video file")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: no permission to read it")
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"{path}: is empty (0 bytes)")


def reason(error: Exception) -> str:
    """FFmpeg's own words for an error, without its number and file name."""
    if isinstance(error, OSError | av.FFmpegError) and error.strerror:
        return str(error.strerror)
    return str(error)


def _why_not(path: Path, error: Exception) -> str:
    """Open again, listening to FFmpeg's log, which is off by default and often says more."""
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    try:
        with av.logging.Capture() as log:
            av.open(f"file:{path}").close()
    except (av.FFmpegError, ValueError):
        pass
    finally:
        av.logging.set_skip_repeated(True)
        av.logging.set_level(None)
    said = [message.strip() for _, _, message in log if message.strip()]
    if any("moov atom not found" in line for line in said):
        return _without_index(path)
    return ": ".join([reason(error), *said[:1]])


def _without_index(path: Path) -> str:
    """Why an MP4 has no index: it is an unfinished one, or none but by name."""
    with path.open("rb") as file:
        kind = file.read(8)[4:]
    if kind in _MP4_BOXES:
        return "the index (moov) is missing: the file broke off, or was never finished"
    return "it is no video, whatever its name says"


def is_picture(stream: Stream) -> bool:
    """True for cover art: a video stream that is one attached picture."""
    return stream.type == "video" and bool(stream.disposition & Disposition.attached_pic)


def main_video(container: InputContainer, path: Path) -> VideoStream:
    """The first video stream that is not cover art. Raises InputError naming what is there."""
    videos = [stream for stream in container.streams.video if not is_picture(stream)]
    if not videos:
        names = ", ".join(_named(stream) for stream in container.streams)
        there = f"only {names}" if names else "nor anything else"
        raise InputError(f"{path}: holds no video, {there}; give a file with a video stream")
    if videos[0].codec_context is None:
        raise InputError(f"{path}: FFmpeg has no decoder for its video stream; convert it first")
    return videos[0]


def _named(stream: Stream) -> str:
    if is_picture(stream):
        return "cover art"
    context = stream.codec_context
    codec = context.name if context is not None else getattr(stream, "name", "")
    return f"{stream.type} ({codec})" if codec else str(stream.type)


def film_start(container: InputContainer) -> Fraction:
    """Where the film begins on its own clock, in seconds: its earliest picture or sound.

    From the streams, exactly; the container's own start is rounded to microseconds.
    """
    starts = [
        stream.start_time * stream.time_base
        for stream in (*container.streams.video, *container.streams.audio)
        if stream.start_time is not None and stream.time_base and not is_picture(stream)
    ]
    if starts:
        return min(starts)
    return Fraction(container.start_time or 0, _CLOCK)


def container_duration(container: InputContainer) -> Fraction | None:
    """What the container states as its length in seconds, or what FFmpeg estimates."""
    return None if container.duration is None else Fraction(container.duration, _CLOCK)


def sample_aspect_ratio(stream: VideoStream) -> Fraction:
    """The container's word if it has one, else the codec's, else square pixels."""
    stated = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return stated if stated and stated > 0 else Fraction(1)


def described(container: InputContainer, path: Path | None = None) -> dict[int, str]:
    """FFmpeg's own description of each stream, by index: it tells some facts that PyAV does not."""
    text = dump(container, path)
    found = re.findall(r"^ *Stream #0:(\d+)\b.*? (?:Video|Audio): (.*)$", text, re.MULTILINE)
    return {int(index): facts for index, facts in found}


def dump(container: InputContainer, path: Path | None = None) -> str:
    """All that FFmpeg writes of the film at `path`, or that comes live, for people to read.

    Asked once for each film, before there are other threads. While it is, FFmpeg's log is on. If
    another thread logs when it is turned off again, PyAV 18 prints a traceback; if another one
    closes a decoder whose threads log, both wait for each other for ever.
    """
    if path is None:
        return _dumped(container)
    stamp = () if path in _ELSEWHERE else (path.stat().st_mtime_ns, path.stat().st_size)
    known = _DUMPS.get(path)
    if known is None or known[0] != stamp:
        known = _DUMPS[path] = stamp, _dumped(container)
    return known[1]


_DUMPS: dict[Path, tuple[tuple[int, ...], str]] = {}


def _dumped(container: InputContainer) -> str:
    av.logging.set_level(av.logging.VERBOSE)
    av.logging.set_libav_level(av.logging.VERBOSE)
    try:
        return str(container.dumps_format())  # type: ignore[attr-defined]
    finally:
        av.logging.set_libav_level(av.logging.INFO)
        av.logging.set_level(None)


def chroma_location(facts: str) -> int:
    """AVChromaLocation in a stream's description; 0 where it is not said."""
    said = {
        word.strip() for group in re.findall(r"\(([^()]*)\)", facts) for word in group.split(",")
    }
    return next((n for n, word in enumerate(CHROMA_LOCATIONS) if n and word in said), 0)


def codec_delay(facts: str) -> Fraction:
    """Seconds at the beginning of a sound stream that its header tells a decoder to throw away."""
    delay, rate = re.search(r"\bdelay (\d+)", facts), re.search(r"\b(\d+) Hz", facts)
    return Fraction(int(delay[1]), int(rate[1])) if delay and rate else Fraction(0)

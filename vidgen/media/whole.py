"""Whether a file is all there: what its container says of its own size against what it has."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
from av.container import InputContainer

from vidgen.errors import UsageError
from vidgen.media.source import container_duration
from vidgen.timing import parse_time

__all__ = ["cut_off", "stated_duration"]

_TS_PACKETS = (188, 192, 204)  # bytes
_SEGMENT = 0x18538067  # Matroska's element that holds all the rest


def stated_duration(container: InputContainer, video: av.VideoStream) -> Fraction | None:
    """Seconds of the video where the container states them, else of the film."""
    tag = next((v for k, v in video.metadata.items() if k.startswith("DURATION")), None)
    try:
        if tag is not None:
            return parse_time(tag)
    except UsageError:  # damaged; what else is said will do
        pass
    if video.duration is not None and video.time_base:
        return video.duration * video.time_base
    return container_duration(container)


def cut_off(path: Path, format_name: str) -> str:
    """Why the file is not whole; empty when it is, or when its format cannot tell."""
    size = path.stat().st_size
    if format_name == "mpegts":
        odd = all(size % length for length in _TS_PACKETS)
        return "its last transport packet is incomplete" if odd else ""
    ends = {"mov": _boxes_end, "matroska": _segment_end, "avi": _riff_end}
    for name, end_of in ends.items():
        if name in format_name:
            with path.open("rb") as file:
                if end_of(file, size) > size:
                    return "the file is shorter than it says itself"
    return ""


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Where the last box of an MP4 ends. A box: 4 bytes size, 4 type, 8 more if the size is 1."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: to the end of the file
            return size
        position += length
    return position


def _riff_end(file: BinaryIO, size: int) -> int:
    """Where the last RIFF chunk of an AVI ends. A chunk: 4 bytes name, 4 size, padded to even."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        head = file.read(8)
        length = int.from_bytes(head[4:8], "little")
        if head[:4] != b"RIFF" or not length:  # something else behind it, or written to a pipe
            return position
        position += 8 + length + length % 2
    return position


def _segment_end(file: BinaryIO, size: int) -> int:
    """Where the segment of a Matroska file ends; 0 where that was not known when it was written."""
    while file.tell() < size:
        name, _ = _number(file, keep_marker=True)
        length, unknown = _number(file, keep_marker=False)
        if name == _SEGMENT:
            return 0 if unknown else file.tell() + length
        file.seek(length, 1)
    return 0


def _number(file: BinaryIO, *, keep_marker: bool) -> tuple[int, bool]:
    """A number of EBML, and whether all its bits are set; leading zeros give its length."""
    first = file.read(1)
    width = 9 - first[0].bit_length() if first and first[0] else 1
    value = int.from_bytes(first + file.read(width - 1), "big")
    bits = 7 * width
    unknown = value & ((1 << bits) - 1) == (1 << bits) - 1
    return value if keep_marker else value & ((1 << bits) - 1), unknown

"""What a container says of the film's length and its own size, against what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import av
from av.container import InputContainer

from vidgen.errors import UsageError
from vidgen.media.source import (
    container_duration,
    film_start,
    open_bytes,
    open_source,
    size_of,
)
from vidgen.timing import parse_time

__all__ = ["SLACK_SECONDS", "Stated", "cut_off", "film_seconds", "fragments_missing", "lists_all"]

SLACK_SECONDS = Fraction(1, 4)
"""Sound and picture of a healthy film begin and end at most so far apart."""
_COUNTED_FROM_0 = ("matroska", "nut")  # in what FFmpeg writes; in all that it reads
_TS_PACKETS = (188, 192, 204)  # bytes
_SEGMENT = 0x18538067  # Matroska's element that holds all the rest
_MANY_FRAGMENTS = 10_000  # a greater step is a damaged number
_LARGEST_PAGE = 27 + 255 + 255 * 255  # bytes of an Ogg page: head, lengths, data
_Y4M_CHROMA = {"420": (2, 2), "422": (2, 1), "411": (4, 1), "440": (1, 2), "mono": None}
"""What a chroma sample of Y4M's colour words covers, by how they begin; of others, one pixel."""


class Stated:
    """How long a film should be by its own word, against how long its pictures were.

    Where its clock does not begin at 0, some count the length from 0 (FFmpeg's Matroska, edit lists
    of MP4), others from the beginning (mkvmerge): what ends as either says has its end.
    """

    def __init__(self, container: InputContainer, video: av.VideoStream) -> None:
        zero = film_start(container)
        self._late = zero if zero > SLACK_SECONDS else Fraction(0)
        self._video = _video_seconds(video) or Fraction(0)
        self.seconds = max(self._video, container_duration(container) or Fraction(0))
        """Of the video or of the whole film, whichever is longer; 0 where nothing is stated."""

    def missing(self, done: Fraction) -> Fraction:
        """Seconds of the film that should follow on `done`."""
        return self._missing(self.seconds, done)

    def is_beyond(self, done: Fraction, picture: Fraction) -> bool:
        """Whether more than `done` seconds were promised: a whole picture of the video, or more of
        the film than sound usually goes on."""
        return self._missing(self._video, done) >= picture or self.missing(done) > SLACK_SECONDS

    def is_far_beyond(self, done: Fraction) -> bool:
        """Whether so much of the video itself is missing that it cannot be but lost."""
        return self._missing(self._video, done) > min(done, max(Fraction(1), self._video / 50))

    def unseen(self, done: Fraction) -> Fraction:
        """Seconds before the first picture that are in the stated length: empty, or lost."""
        counts_from_zero = abs(self.seconds - self._late - done) <= SLACK_SECONDS
        return self._late if counts_from_zero else Fraction(0)

    def _missing(self, stated: Fraction, done: Fraction) -> Fraction:
        from_zero = stated - self._late - done
        return from_zero if abs(from_zero) <= SLACK_SECONDS else stated - done


def _video_seconds(video: av.VideoStream) -> Fraction | None:
    tag = next((v for k, v in video.metadata.items() if k.startswith("DURATION")), None)
    try:
        if tag is not None:
            return parse_time(tag)
    except UsageError:  # damaged; what else is said will do
        pass
    return video.duration * video.time_base if video.duration and video.time_base else None


def film_seconds(container: InputContainer, path: Path) -> Fraction | None:
    """Seconds from the film's beginning to its end, as stated or estimated; None where neither is.

    Where its clock begins late, a length may be counted from 0 as in `Stated`: it is, where nothing
    lies beyond it.
    """
    stated, zero = container_duration(container), film_start(container)
    if stated is None or not SLACK_SECONDS < zero < stated:
        return stated
    if not any(name in container.format.name for name in _COUNTED_FROM_0):
        return stated
    return stated if _has_packets(path, stated + SLACK_SECONDS) else stated - zero


def _has_packets(path: Path, time: Fraction) -> bool:
    """Whether a packet of picture or sound comes at that time of the container's clock, or later.

    What lies between is read where the file has no index; what cannot be read counts as nothing.
    """
    with open_source(path) as container, suppress(av.FFmpegError):
        container.seek(round(time * av.time_base))
        read = container.demux(*container.streams.video, *container.streams.audio)
        return any(packet.pts * packet.time_base >= time for packet in read if packet.pts)
    return False


def cut_off(path: Path, format_name: str) -> str:
    """Why the file is not whole; empty when it is, or when its format cannot tell."""
    size = size_of(path)
    if format_name == "mpegts":
        odd = all(size % length for length in _TS_PACKETS)
        return "its last transport packet is incomplete" if odd else ""
    ends = {
        "mov": _boxes_end, "matroska": _segment_end, "avi": _riff_end,
        "ogg": _page_end, "yuv4mpegpipe": _y4m_end,
    }  # fmt: skip
    for name, end_of in ends.items():
        if name in format_name:
            with open_bytes(path) as file:
                if end_of(file, size) > size:
                    return "the file is shorter than it says itself"
    return ""


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """(end, first 24 bytes) of each box of an MP4; the end may lie behind the file's.

    A box: 4 bytes size, 4 type, 8 more if the size is 1; 0 is to the end of the file.
    """
    position = 0
    while position + 8 <= size:
        file.seek(position)
        head = file.read(24)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        end = position + length if length >= 8 else size
        yield end, head
        position = end


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Where the last box of an MP4 ends; behind the file, too, where fragments end in no box."""
    end, in_fragments = 0, False
    for end, head in _boxes(file, size):  # noqa: B007 - the last one is the result
        in_fragments |= head[4:8] == b"moof"
        if in_fragments and not head[4:8].isalnum():
            return size + 1
    return end


def fragments_missing(path: Path, format_name: str) -> int:
    """How many fragments of a fragmented MP4 are left out in their counting."""
    if "mov" not in format_name:
        return 0
    with open_bytes(path) as file:
        heads = [head for _, head in _boxes(file, size_of(path))]
    numbers = [int.from_bytes(head[20:24], "big") for head in heads if head[4:8] == b"moof"]
    steps = [after - before for before, after in pairwise(numbers)]
    return sum(step - 1 for step in steps if 1 < step < _MANY_FRAGMENTS)


def lists_all(path: Path, format_name: str) -> bool:
    """Whether all pictures are in an index of their own, as in MP4 without fragments: then it is
    known that there were none before the first."""
    if "mov" not in format_name:
        return False
    with open_bytes(path) as file:
        return not any(head[4:8] == b"moof" for _, head in _boxes(file, size_of(path)))


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


def _page_end(file: BinaryIO, size: int) -> int:
    """Where the last page of an Ogg ends. A page: "OggS", 22 bytes, then how many lengths, they."""
    begin = max(size - _LARGEST_PAGE, 0)
    file.seek(begin)
    data = file.read()
    at = data.rfind(b"OggS")
    if at < 0 or at + 27 > len(data):
        return size + 1
    lengths = data[at + 27 : at + 27 + data[at + 26]]
    return begin + at + 27 + data[at + 26] + sum(lengths)


def _y4m_end(file: BinaryIO, size: int) -> int:
    """Where the last picture of a Y4M ends. A picture: a line that begins with FRAME, samples."""
    said = {word[:1]: word[1:] for word in file.readline(1024).decode("ascii", "replace").split()}
    try:
        samples = _y4m_bytes(int(said["W"]), int(said["H"]), said.get("C", "420"))
    except (KeyError, ValueError):  # damaged
        return size
    position = file.tell()
    while position < size:
        file.seek(position)
        line = file.readline(1024)
        if not line.startswith(b"FRAME"):
            return size
        position += len(line) + samples
    return position


def _y4m_bytes(width: int, height: int, kind: str) -> int:
    """The samples of one picture: luma, then chroma, then alpha where the word ends in it."""
    covers = next((c for word, c in _Y4M_CHROMA.items() if kind.startswith(word)), (1, 1))
    samples = width * height * (2 if kind.endswith("alpha") else 1)
    if covers:
        samples += 2 * -(-width // covers[0]) * -(-height // covers[1])
    return samples * (2 if re.search(r"(p|mono)(9|1\d)$", kind) else 1)


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

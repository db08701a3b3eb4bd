"""The shape of pixels in a Matroska or WebM file, which FFmpeg's muxer is not told through PyAV.

The file is whole by then. FFmpeg leaves empty room (a Void element) behind the list of places (the
SeekHead) at its head; the tracks take what they need of it, and all between moves forward. Elements
and their numbers: RFC 9559; how they are coded: RFC 8794.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from zlib import crc32

__all__ = ["tell_display_aspect"]

_SEGMENT, _TRACKS, _VOID = b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\xec"
_SEEK_HEAD, _SEEK, _SEEK_POSITION = b"\x11\x4d\x9b\x74", b"\x4d\xbb", b"\x53\xac"
_ENTRY, _TYPE, _VIDEO, _CRC = b"\xae", b"\x83", b"\xe0", b"\xbf"
_WIDTH, _HEIGHT, _UNIT = b"\x54\xb0", b"\x54\xba", b"\x54\xb2"
_ASPECT = 3  # the unit of DisplayWidth and DisplayHeight that makes them a ratio
_IS_VIDEO = b"\x01"
_HEAD = 1 << 20  # bytes in which the tracks are looked for


@dataclass(frozen=True, slots=True)
class _Element:
    id: bytes
    begin: int
    content: int
    """Where its content begins."""
    end: int


def tell_display_aspect(path: Path, aspect: Fraction) -> bool:
    """Say in the finished file that its first video is shown `aspect` times as wide as high.

    False, and the file as it was, where there is no room for it. Raises OSError.
    """
    with path.open("rb+") as file:
        head = file.read(_HEAD)
        top = _first(_elements(head, 0, len(head)), _SEGMENT)
        inside = list(_elements(head, top.content, len(head))) if top else []
        seeks, tracks = _first(inside, _SEEK_HEAD), _first(inside, _TRACKS)
        void = _first((each for each in inside if seeks and each.begin == seeks.end), _VOID)
        if not top or not seeks or not void or not tracks or tracks.end > len(head):
            return False
        told = _told_tracks(head, tracks, aspect)
        grown = len(told) - (tracks.end - tracks.begin)
        if void.end - void.begin - grown < 2:
            return False
        moved = void.end - top.content, tracks.begin - top.content
        changed = _moved_seeks(head, seeks, moved, grown) + _void(void.end - void.begin - grown)
        file.seek(seeks.begin)
        file.write(changed + head[void.end : tracks.begin] + told)
    return True


def _elements(data: bytes, begin: int, end: int) -> Iterator[_Element]:
    """The elements between two places, as far as their heads can be read."""
    while begin + 2 <= end:
        named = begin + _length(data[begin])
        content = named + _length(data[named])
        if content > end:
            return
        size = int.from_bytes(data[named:content]) & ((1 << 7 * (content - named)) - 1)
        yield _Element(data[begin:named], begin, content, content + size)
        begin = content + size


def _first(elements: Iterable[_Element], name: bytes) -> _Element | None:
    return next((each for each in elements if each.id == name), None)


def _length(first: int) -> int:
    """Bytes of a number that begins with `first`: one more for each zero bit in front."""
    return 9 - first.bit_length()


def _coded(name: bytes, content: bytes, before: _Element | None = None) -> bytes:
    """An element; its size takes no less room than in the one before it."""
    length = 1 if before is None else before.content - before.begin - len(before.id)
    while len(content) >= (1 << 7 * length) - 1:  # all ones mean unknown
        length += 1
    return name + (len(content) | 1 << 7 * length).to_bytes(length) + content


def _void(size: int) -> bytes:
    """Room of so many bytes, 2 or more."""
    length = 8 if size > 8 else 1
    return _VOID + (size - 1 - length | 1 << 7 * length).to_bytes(length) + bytes(size - 1 - length)


def _told_tracks(data: bytes, tracks: _Element, aspect: Fraction) -> bytes:
    """The tracks, the first video of which says its aspect."""
    parts, told = [], False
    for entry in _elements(data, tracks.content, tracks.end):
        part = data[entry.begin : entry.end]
        inner = list(_elements(data, entry.content, entry.end)) if entry.id == _ENTRY else []
        types = [data[each.content : each.end] for each in inner if each.id == _TYPE]
        if not told and _IS_VIDEO in types:
            part, told = _told_entry(data, entry, inner, aspect), True
        parts.append(part)
    return _coded(_TRACKS, _checked(parts), tracks)


def _told_entry(data: bytes, entry: _Element, inner: list[_Element], aspect: Fraction) -> bytes:
    parts = []
    for each in inner:
        part = data[each.begin : each.end]
        if each.id == _VIDEO:
            said = b"".join(
                _coded(name, value.to_bytes((value.bit_length() + 7) // 8))
                for name, value in (
                    (_WIDTH, aspect.numerator), (_HEIGHT, aspect.denominator), (_UNIT, _ASPECT),
                )
            )  # fmt: skip
            part = _coded(_VIDEO, data[each.content : each.end] + said, each)
        parts.append(part)
    return _coded(_ENTRY, b"".join(parts), entry)


def _moved_seeks(data: bytes, seeks: _Element, moved: tuple[int, int], by: int) -> bytes:
    """The places, those from the first to the last of `moved` now `by` bytes before."""
    parts = []
    for seek in _elements(data, seeks.content, seeks.end):
        part = bytearray(data[seek.begin : seek.end])
        for each in _elements(data, seek.content, seek.end) if seek.id == _SEEK else ():
            place = int.from_bytes(data[each.content : each.end])
            if each.id == _SEEK_POSITION and moved[0] <= place <= moved[1]:
                inside = slice(each.content - seek.begin, each.end - seek.begin)
                part[inside] = (place - by).to_bytes(each.end - each.content)
        parts.append(bytes(part))
    return _coded(_SEEK_HEAD, _checked(parts), seeks)


def _checked(parts: list[bytes]) -> bytes:
    """The content of an element; its first child, where it is a checksum, is that of the rest."""
    rest = b"".join(parts[1:])
    first = _coded(_CRC, crc32(rest).to_bytes(4, "little")) if parts[0][:1] == _CRC else parts[0]
    return first + rest

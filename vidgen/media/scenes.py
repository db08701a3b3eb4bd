"""HDR10+: what each scene says of its light, taken out of HEVC packets and put into others.

SMPTE ST 2094-40 in a message registered by ITU-T T.35, in an SEI unit before the picture's slices
(ITU-T H.265, 7.3.2.4 and D.2.6). FFmpeg's encoder would take it from the side data of a picture, to
which PyAV lets nobody add any. It is of light alone and holds at any size, where it has one window.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from av.packet import Packet
from av.video.stream import VideoStream

__all__ = ["length_size", "scene_data", "with_scene"]

_HDR10_PLUS = bytes.fromhex("b5003c000104")
"""The United States, Samsung, ST 2094-40, application 4."""
_WINDOWS = len(_HDR10_PLUS) + 1
"""The byte whose first two bits are the number of windows; before it is the version."""
_PREFIX_SEI, _FIRST_NOT_SLICE = 39, 32
_REGISTERED = 4
_START = b"\0\0\1"


def length_size(head: bytes | None) -> int:
    """Bytes of a unit's length in packets of a stream with that extradata; 0: start codes."""
    return (head[21] & 3) + 1 if head and len(head) > 21 and head[0] == 1 else 0


def scene_data(data: bytes, length: int) -> bytes:
    """The message of a HEVC packet, from its country code on; empty where it has none."""
    for begin, end in _counted(data, length) if length else _started(data):
        if begin < len(data) and data[begin] >> 1 & 63 == _PREFIX_SEI:
            for kind, message in _messages(_unescaped(data[begin + 2 : end])):
                one = len(message) > _WINDOWS and message[_WINDOWS] >> 6 == 1
                if kind == _REGISTERED and message.startswith(_HDR10_PLUS) and one:
                    return message
    return b""


def with_scene(packet: Packet[VideoStream], message: bytes) -> Packet[VideoStream]:
    """A HEVC packet of an encoder (start codes) with that message before its first slice."""
    data = bytes(packet)
    slices = (begin for begin, _ in _started(data) if data[begin] >> 1 & 63 < _FIRST_NOT_SLICE)
    place = next(slices, len(_START)) - len(_START)
    kind, size = bytes([_REGISTERED]), bytes([255] * (len(message) // 255) + [len(message) % 255])
    unit = bytes([_PREFIX_SEI << 1, 1]) + _escaped(kind + size + message + b"\x80")
    told: Packet[Any] = Packet(data[:place] + _START + unit + data[place:])
    told.pts, told.dts, told.duration = packet.pts, packet.dts, packet.duration
    told.time_base, told.is_keyframe, told.stream = (
        packet.time_base,
        packet.is_keyframe,
        packet.stream,
    )
    return told


def _counted(data: bytes, length: int) -> Iterator[tuple[int, int]]:
    """Where units begin and end, each behind its length."""
    at = 0
    while at + length <= len(data):
        begin = at + length
        at = begin + int.from_bytes(data[at:begin])
        yield begin, at


def _started(data: bytes) -> Iterator[tuple[int, int]]:
    """Where units begin and end, each behind a start code."""
    at = data.find(_START)
    while at >= 0:
        begin = at + len(_START)
        at = data.find(_START, begin)
        if begin < len(data):
            yield begin, at if at >= 0 else len(data)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each message of an SEI unit."""
    at = 0
    while at + 2 < len(data):  # what is left at the end are stop bits
        numbers = []
        for _ in ("kind", "size"):
            number = 0
            while at < len(data) and data[at] == 255:
                number, at = number + 255, at + 1
            if at >= len(data):
                return
            numbers.append(number + data[at])
            at += 1
        kind, size = numbers
        yield kind, data[at : at + size]
        at += size


def _unescaped(data: bytes) -> bytes:
    """Without the 3 behind two zeros that keeps a start code from being seen."""
    return data.replace(b"\0\0\3", b"\0\0")


def _escaped(data: bytes) -> bytes:
    out = bytearray()
    for byte in data:
        if out[-2:] == b"\0\0" and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)

"""The tables of MPEG-TS, watched as bytes pass: whether the pictures are still where they were.

FFmpeg makes a new stream of an elementary stream that is announced under another PID. Within one
program it can be told to go on with the old one (`merge_pmt_versions`); where the program itself
has moved, or its streams changed places, the old one falls silent, and PyAV never comes back from
reading: packets of streams that it did not know at the beginning are not shown to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Programs"]

_CELL, _SYNC = 188, 0x47  # bytes of a packet, and its first one (ISO/IEC 13818-1, 2.4.3)
_PAT, _PMT = 0, 2  # table_id; a PAT's PID is 0, too
_CHECKSUM_BYTES = 4
_SHORTEST = 12  # bytes of a table that says anything

Place = tuple[int, int, int]
"""Number of the program, PID of its table, index in that."""
Streams = list[tuple[int, int]]
"""PID and stream_type of each, in the order of the table."""


class Readable(Protocol):
    """What bytes come from."""

    def read(self, size: int) -> bytes: ...


class Programs:
    """`read` of `origin`, until the stream that is followed is announced no more.

    Tables of more than one packet are passed over.
    """

    def __init__(self, origin: Readable) -> None:
        self._origin, self._rest = origin, b""
        self._programs: dict[int, int] = {}
        """PIDs of the tables, by number."""
        self._streams: dict[int, Streams] = {}
        """By the PID of the table."""
        self._announced: dict[int, tuple[Place, int]] = {}
        """By PID: where, and the stream_type, as at first, when FFmpeg made a stream of it."""
        self._place: Place | None = None
        self._pid = self._kind = 0
        self._last: dict[int, bytes] = {}
        """The tables by their PID, as they came."""
        self.moved = False
        """Whether it is announced no more."""
        self._watches = True

    def follow(self, pid: int | None) -> None:
        """From now on that stream, if it has ever been announced; None: it is no MPEG-TS."""
        self._watches = pid is not None
        if pid is not None and pid in self._announced:
            self._place, self._kind = self._announced[pid]
            self._pid = pid
            self.moved = self._is_gone()

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end, and once it has `moved`."""
        if self.moved:
            return b""
        data = self._origin.read(size)
        if not self._watches:
            return data
        for table, section in self._sections(data):
            self._learn(table, section)
            self.moved = self.moved or self._is_gone()
        return b"" if self.moved else data

    def _sections(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Tables that begin in `data`, with the PID that they came under."""
        cells = self._cells(data)
        pids = (cells[:, 1] & 0x1F).astype(int) << 8 | cells[:, 2]
        begins = cells[:, 1] & 0x40 != 0
        for row in np.flatnonzero(begins):
            pid = int(pids[row])
            if pid == _PAT or pid in self._programs.values():
                cell = cells[row].tobytes()
                start = 4 + (1 + cell[4] if cell[3] & 0x20 else 0)
                if start < _CELL:
                    yield pid, cell[start + 1 + cell[start] :]

    def _cells(self, data: bytes) -> NDArray[np.uint8]:
        """Whole packets, (n, 188); what is left over waits for more."""
        data = self._rest + data
        begin = data.find(_SYNC)
        while 0 <= begin < len(data) - _CELL and data[begin + _CELL] != _SYNC:
            begin = data.find(_SYNC, begin + 1)
        count = (len(data) - begin) // _CELL if begin >= 0 else 0
        end = begin + count * _CELL
        self._rest = data[end:] if begin >= 0 else b""
        return np.frombuffer(data[begin:end] if count else b"", np.uint8).reshape(-1, _CELL)

    def _learn(self, pid: int, section: bytes) -> None:
        """What a table says that is in force, where it says something new."""
        known = self._last.get(pid)
        if (known and section.startswith(known)) or len(section) < _SHORTEST or not section[5] & 1:
            return
        section = section[: 3 + _twelve(section, 1)]
        if len(section) < _SHORTEST or _checksum(section):  # damaged, or of more than one packet
            return
        self._last[pid], end = section, len(section) - _CHECKSUM_BYTES
        if pid == _PAT:
            places = range(8, end, 4)
            self._programs = {
                section[n] << 8 | section[n + 1]: _thirteen(section, n + 2) for n in places
            }
        elif section[0] == _PMT:
            self._streams[pid], n = [], 12 + _twelve(section, 10)
            while n < end:
                each, kind = _thirteen(section, n + 1), section[n]
                place = _number(section), pid, len(self._streams[pid])
                self._announced.setdefault(each, (place, kind))
                self._streams[pid].append((each, kind))
                n += 5 + _twelve(section, n + 3)

    def _is_gone(self) -> bool:
        """Whether it is announced neither as it was, nor in its place in the same table."""
        if self._place is None:
            return False
        number, table, index = self._place
        streams = self._streams[table]
        if self._programs.get(number) != table:
            return True
        if (self._pid, self._kind) in streams:
            return False
        if index < len(streams) and streams[index][1] == self._kind:
            self._pid = streams[index][0]
            return False
        return True


def _checksum(section: bytes) -> int:
    """0 where a table with its CRC is whole (ISO/IEC 13818-1, annex A)."""
    crc = 0xFFFFFFFF
    for byte in section:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc


def _number(section: bytes) -> int:
    """Of the program."""
    return section[3] << 8 | section[4]


def _twelve(section: bytes, n: int) -> int:
    """A length."""
    return (section[n] & 0x0F) << 8 | section[n + 1]


def _thirteen(section: bytes, n: int) -> int:
    """A PID."""
    return (section[n] & 0x1F) << 8 | section[n + 1]

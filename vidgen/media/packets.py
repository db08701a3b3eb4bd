"""The packets of a film, past what is damaged, on one clock."""

from __future__ import annotations

import logging
from collections.abc import Generator
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from vidgen.media.joins import Joins
from vidgen.media.source import reason

__all__ = ["FAILURES_IN_A_ROW", "Packets"]

log = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 8  # then the rest is taken for lost


class Packets:
    """All packets of `container` that hold data, in the order of the file; to be iterated once.

    An error of the container is counted and passed over if more follows.
    """

    def __init__(self, container: InputContainer, source: Path) -> None:
        self._container, self._source = container, source
        self._joins = Joins(container)
        self.failures = 0
        """Errors of the container."""
        self.broken = ""
        """Why reading stopped early; empty while it did not."""

    @property
    def joins(self) -> int:
        """How often a new clock began."""
        return self._joins.count

    def __iter__(self) -> Generator[Packet[Stream]]:
        in_a_row = 0
        while in_a_row < FAILURES_IN_A_ROW:
            try:
                for packet in self._container.demux():
                    # Without data it is the end, or "the same picture again", which the next
                    # picture's time says too; a decoder would take it for the end.
                    if packet.size:
                        in_a_row, self.broken = 0, ""
                        if not packet.is_discard:  # what an edit list hides is on no clock
                            self._joins(packet)
                        yield packet
                return
            except IndexError:  # PyAV at the end of a file in which a stream showed up on the way
                log.warning("%s: a stream that begins late is not read", self._source)
                return
            except av.FFmpegError as error:
                in_a_row += 1
                self.failures += 1
                self.broken = reason(error)
                log.warning("%s: cannot be read on: %s", self._source, self.broken)

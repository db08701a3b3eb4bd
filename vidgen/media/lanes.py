"""The way of one stream into the output: by packet, here; sound encoded anew is in `sound.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from av.packet import Packet
from av.stream import Stream

from vidgen.media.retime import Retimer
from vidgen.media.subtitles import TextConverter

__all__ = ["CopyLane", "Lane"]


class Lane(Protocol):
    """Packets of one stream of the source in the order of the file, packets of the output out."""

    @property
    def missing(self) -> Fraction:
        """Seconds of sound that the source does not have, between its first and its last."""

    @property
    def end(self) -> Fraction:
        """Seconds of the output until which something came."""

    def is_past(self, packet: Packet[Stream], seconds: int) -> bool:
        """True when `packet` lies more than `seconds` beyond the end of the range."""

    def __call__(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """What is to be written for `packet`, on the clock of the output."""

    def finish(self) -> Iterator[Packet[Stream]]:
        """What is left after the last packet."""


@dataclass(frozen=True, slots=True)
class CopyLane:
    """By packet, as it is; text subtitles in the container's own form."""

    stream: Stream
    retime: Retimer
    convert: TextConverter | None = None
    fills_gaps: bool = False
    """True where the muxer writes empty subtitles for gaps by itself (mov_text)."""
    silence: bool = False
    """True where gaps in uncompressed sound must be filled for what follows to be in time."""

    @property
    def missing(self) -> Fraction:
        """See `Lane`."""
        return self.retime.missing

    @property
    def end(self) -> Fraction:
        """See `Lane`."""
        return self.retime.end

    def is_past(self, packet: Packet[Stream], seconds: int) -> bool:
        """See `Lane`."""
        return self.retime.is_past(packet, seconds)

    def __call__(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """See `Lane`."""
        if (self.fills_gaps and bytes(packet) == b"\0\0") or not self.retime(packet):
            return
        for quiet in self.retime.silence(packet) if self.silence else ():
            quiet.stream = self.stream
            yield quiet
        out = packet if self.convert is None else self.convert(packet)
        if out is not None:
            out.stream = self.stream
            yield out

    def finish(self) -> Iterator[Packet[Stream]]:
        """See `Lane`."""
        return iter(())

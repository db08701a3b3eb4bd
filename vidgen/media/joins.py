"""One clock for a film whose clock starts anew on the way: recordings joined end to end."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from vidgen.media.source import is_picture

__all__ = ["TS_DISCONT", "Joins"]

log = logging.getLogger(__name__)

TS_DISCONT = 0x0200
"""FFmpeg's AVFMT_TS_DISCONT: of formats in which the clock may jump."""
_BACK_SECONDS = 1  # a step back by more is a new clock, not disorder
_AHEAD_SECONDS = 10  # so is one ahead, in formats that may have new clocks


@dataclass(slots=True)
class _Clock:
    """What one stream was last told."""

    next: int
    """Where its next packet is expected, in units of its time base, joined."""
    back: int
    ahead: int


class Joins:
    """Puts the packets of a container, given in the order of the file, on one clock.

    Sound or picture that jumps moves everything after it, all streams alike, so that they stay in
    step. Two readers of a file that pass all its packets get the same clock.
    """

    def __init__(self, container: InputContainer) -> None:
        self._may_jump_ahead = bool(container.format.flags & TS_DISCONT)
        self._clocks: dict[int, _Clock] = {}
        self._shift = self._shift_before = Fraction(0)
        self.count = 0
        """How often a new clock began."""

    def __call__(self, packet: Packet[Stream]) -> None:
        """Move the times of `packet` in place."""
        shift, dts = self._shift, packet.dts
        # Without one, as after a seek, there is only when it is shown: not in order, and in a film
        # of two pictures a second seconds ahead.
        lasts = packet.stream.type in ("audio", "video") and not is_picture(packet.stream)
        if dts is not None and lasts:
            shift = self._followed(packet, dts)
        if shift:
            ticks = round(shift / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks

    def _followed(self, packet: Packet[Stream], dts: int) -> Fraction:
        """The shift by which `packet` follows its stream: the last, the one before, or a new."""
        clock = self._clocks.get(packet.stream_index)
        if clock is None:
            ahead = int(_AHEAD_SECONDS / packet.time_base) if self._may_jump_ahead else 1 << 62
            clock = _Clock(dts, int(_BACK_SECONDS / packet.time_base), ahead)
            clock.next += round(self._shift / packet.time_base)
            self._clocks[packet.stream_index] = clock
        for shift in (self._shift, self._shift_before):
            if self._follows(clock, dts, shift, packet):
                return shift
        self.count += 1
        self._shift_before = self._shift
        self._shift = (clock.next - dts) * packet.time_base
        log.info("stream %d: the clock jumps at %d", packet.stream_index, dts)
        self._follows(clock, dts, self._shift, packet)
        return self._shift

    def _follows(self, clock: _Clock, dts: int, shift: Fraction, packet: Packet[Stream]) -> bool:
        moved = dts + round(shift / packet.time_base) if shift else dts
        if -clock.back <= moved - clock.next <= clock.ahead:
            clock.next = moved + (packet.duration or 0)
            return True
        return False

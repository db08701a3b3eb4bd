"""Whether a film's clock begins anew on the way: then a time does not tell a place in the file."""

from __future__ import annotations

from vidgen.media.info import MediaInfo
from vidgen.media.packets import Packets
from vidgen.media.source import open_source

__all__ = ["clock_jumps"]


def clock_jumps(info: MediaInfo) -> bool:
    """Look at all packets of a film whose clock may jump; False at once for others.

    Raises InputError where the file cannot be opened.
    """
    if not info.clock_may_jump:
        return False
    with open_source(info.path) as container:
        packets = Packets(container, info.path)
        return any(packets.joins for _ in packets)

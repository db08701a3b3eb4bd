"""Whether a film's clock begins anew on the way: then a time does not tell a place in the file."""

from __future__ import annotations

from pathlib import Path

from vidgen.media.joins import TS_DISCONT
from vidgen.media.packets import Packets
from vidgen.media.source import open_source

__all__ = ["clock_jumps"]


def clock_jumps(source: Path) -> bool:
    """Look at all packets where the format may begin anew (transport and program streams).

    False at once for other formats: they have one clock by their design. Raises InputError where
    the file cannot be opened.
    """
    with open_source(source) as container:
        if not container.format.flags & TS_DISCONT:
            return False
        packets = Packets(container, source)
        return any(packets.joins for _ in packets)

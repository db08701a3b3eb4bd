"""Whether a film was read to its end: what the container promised against what came."""

from __future__ import annotations

from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from vidgen.media.source import container_duration, film_start
from vidgen.timing import format_time, parse_time

__all__ = ["Reach", "cut_off"]

_STATES_DURATION = ("mov", "matroska", "avi")  # others estimate it, from the data that is there
_TOLERANCE = Fraction(1, 4)  # seconds; beside it two frames
_TS_PACKETS = (188, 192, 204)  # bytes


class Reach:
    """How far the packets of a container go, and how far it says they should."""

    def __init__(self, container: InputContainer, video: av.VideoStream) -> None:
        self._zero = film_start(container)
        self._video = video
        self._ends: dict[int, tuple[int, Fraction]] = {}
        own = _stated_duration(video)
        self._of_video_alone = own is not None
        self.stated = own if own is not None else container_duration(container)
        """Seconds from the beginning of the film, of the video where the container says that."""

    def add(self, packet: Packet[Stream]) -> None:
        """Count a packet of any stream."""
        if packet.pts is not None and packet.time_base:
            end = packet.pts + (packet.duration or 0)
            known = self._ends.get(packet.stream_index)
            if known is None or end > known[0]:
                self._ends[packet.stream_index] = end, packet.time_base

    @property
    def reached(self) -> Fraction:
        """Seconds from the beginning of the film to the end of the last packet that counts."""
        ends = [
            end * time_base - self._zero
            for index, (end, time_base) in self._ends.items()
            if index == self._video.index or not self._of_video_alone
        ]
        return max(ends, default=Fraction(0))


def _stated_duration(video: av.VideoStream) -> Fraction | None:
    """Seconds of the video alone, where the container states them."""
    if "matroska" in video.container.format.name:
        tag = next((v for k, v in video.metadata.items() if k.startswith("DURATION")), None)
        return parse_time(tag) if tag else None
    if video.duration is not None and video.time_base:
        return video.duration * video.time_base + (video.start_time or 0) * video.time_base
    return None


def cut_off(container: InputContainer, video: av.VideoStream, reach: Reach) -> str:
    """Why the film is not whole, after all its packets were read; empty when it is."""
    name = container.format.name
    if name == "mpegts":
        odd = all(container.size % size for size in _TS_PACKETS)
        return "its last transport packet is incomplete" if odd else ""
    if not any(known in name for known in _STATES_DURATION):
        return ""
    entries = video.index_entries
    if (
        len(entries)
        and entries[len(entries) - 1].pos + entries[len(entries) - 1].size > container.size
    ):
        return "the file is shorter than its index says"
    missing = (reach.stated or 0) - reach.reached
    frame = 1 / video.average_rate if video.average_rate else Fraction(0)
    if missing > _TOLERANCE + 2 * frame:
        return f"{format_time(missing)} of it is missing" if missing >= 1 else "its end is missing"
    return ""

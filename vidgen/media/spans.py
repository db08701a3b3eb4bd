"""When each stream of a file begins and ends, by its packets; nothing is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.packet import Packet
from av.stream import Disposition, Stream

from vidgen.media.packets import Packets
from vidgen.media.source import film_start, is_picture, open_source

__all__ = ["Span", "spans"]

_GAP_BYTES = 2  # a length of zero, and no text


@dataclass(slots=True)
class Span:
    """One stream. Times are seconds from the beginning of the film (`media.source.film_start`)."""

    index: int
    type: str
    """`video`, `audio`, `subtitle`, `data`, `attachment` or `cover`."""
    codec: str
    language: str
    """ISO 639-2, as tagged; empty where it is not."""
    title: str
    default: bool
    forced: bool
    start: Fraction | None = None
    """When its first packet is shown, priming left out; None where it has no timed packet."""
    last: Fraction | None = None
    """When its last packet is shown."""
    end: Fraction | None = None
    """When that ends; None where the container does not tell how long it lasts."""
    packets: int = 0
    bytes: int = 0


def spans(source: Path) -> list[Span]:
    """All streams of `source`, in its order, read to the end. Raises InputError."""
    with open_source(source) as container:
        zero = film_start(container)
        found = {stream.index: _span(stream) for stream in container.streams}
        for packet in Packets(container, source):
            if packet.stream_index in found:
                _add(found[packet.stream_index], packet, zero)
    return list(found.values())


def _span(stream: Stream) -> Span:
    context = stream.codec_context
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    return Span(
        index=stream.index,
        type="cover" if is_picture(stream) else stream.type or "data",
        codec=context.codec.canonical_name if context else getattr(stream, "name", "") or "",
        language=tags.get("language", "").replace("und", ""),
        title=tags.get("title", ""),
        default=bool(stream.disposition & Disposition.default),
        forced=bool(stream.disposition & Disposition.forced),
    )


def _add(span: Span, packet: Packet[Stream], zero: Fraction) -> None:
    if span.codec == "mov_text" and packet.size <= _GAP_BYTES:
        return  # MP4 fills the time between two subtitles with empty ones
    span.packets += 1
    span.bytes += packet.size
    stamp = packet.dts if packet.pts is None else packet.pts
    if stamp is None or packet.is_discard or span.type in ("cover", "attachment"):
        return  # what an edit list hides is not shown
    stream, time_base = packet.stream, packet.time_base
    # what comes before the start that the container states primes the decoder and is not shown
    begin = stamp if stream.start_time is None else max(stamp, stream.start_time)
    start, last = begin * time_base - zero, stamp * time_base - zero
    span.start = start if span.start is None else min(span.start, start)
    if span.last is None or last >= span.last:
        span.last = last
        span.end = last + packet.duration * time_base if packet.duration else None

"""The times of copied packets: shifted exactly, cut to the range, always forward."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from av.audio.codeccontext import AudioCodecContext
from av.packet import Packet
from av.stream import Stream

from vidgen.media.codecs import Container
from vidgen.timing import common_time_base

__all__ = ["GAP_SECONDS", "LONGEST_GAP_SECONDS", "Retimer"]

_LARGEST = 2**31 - 1  # FFmpeg's fractions are of 32-bit integers
GAP_SECONDS = Fraction(1, 10)  # between packets of sound; less is rounding
LONGEST_GAP_SECONDS = 3600
# MP4 holds no times of such samples but counts them, so that a packet moved to 0 moves all others.
_COUNTED = ("pcm_", "adpcm_")


class Retimer:
    """Moves the packets of one stream to the clock of the output, in which `offset` is 0.

    `delay` is what the head of the stream tells decoders to throw away, in seconds.
    """

    def __init__(
        self,
        stream: Stream,
        offset: Fraction,
        length: Fraction | None,
        trimmed: bool,
        container: Container,
        delay: Fraction,
    ) -> None:
        clock = stream.time_base or Fraction(1, 1000)
        exact = common_time_base(clock, offset)
        self._clock = exact if exact.denominator <= _LARGEST else clock
        self._ratio = int(clock / self._clock)
        self._shift = round(offset / self._clock)
        self._length = None if length is None else round(length / self._clock)
        self._type = stream.type
        context = stream.codec_context
        self._times_are_counted = context is not None and context.name.startswith(_COUNTED)
        self._trimmed = trimmed
        self._any_before_zero = container.negative_times and not trimmed
        lead = delay if container.codec_delay else Fraction(0)
        self._earliest = -ceil(lead / self._clock)
        self._begun = self._shown = False
        self._first_shown = stream.start_time
        self._last_dts: int | None = None
        self._next = 0
        self._wide = GAP_SECONDS / self._clock
        self._missing = self._gap = 0

    def silence(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """What belongs between the packet before and `packet`, where only counting tells times.

        Without it, sound after a gap would be early in an MP4. Nothing where nothing is missing, or
        where so much is that the time must be damaged.
        """
        context, begin = packet.stream.codec_context, packet.pts or 0
        if not isinstance(context, AudioCodecContext) or not context.name.startswith("pcm_"):
            return
        if not packet.duration or self._gap * self._clock > LONGEST_GAP_SECONDS:
            return
        samples = round(packet.duration * self._clock * context.sample_rate)
        quiet = b"\x80" if context.name == "pcm_u8" else b"\0"
        left, second = self._gap, max(1, round(1 / self._clock))
        while left > 0 and samples:
            length = min(left, second)
            count = round(length * self._clock * context.sample_rate)
            filled = Packet(quiet * (packet.size // samples * count))
            filled.pts = filled.dts = begin - left
            filled.duration, filled.time_base = length, self._clock
            filled.is_keyframe = True
            left -= length
            yield filled

    @property
    def missing(self) -> Fraction:
        """Seconds of sound that no packet covers, between the first and the last one."""
        return self._missing * self._clock

    @property
    def end(self) -> Fraction:
        """Seconds of the output until which the packets that came last."""
        return self._next * self._clock

    def is_past(self, packet: Packet[Stream], seconds: int) -> bool:
        """True when `packet` lies more than `seconds` beyond the end of the range."""
        if self._length is None or packet.dts is None:
            return False
        return packet.dts * self._ratio - self._shift > self._length + seconds / self._clock

    def __call__(self, packet: Packet[Stream]) -> bool:
        """Retime `packet` in place; False when it lies outside the range, or is hidden."""
        if self._hidden(packet):
            return False
        duration = (packet.duration or 0) * self._ratio
        pts = self._moved(packet.pts if packet.pts is not None else packet.dts)
        dts = self._moved(packet.dts)
        if pts is None:
            pts = dts = self._next
        if pts < self._earliest and not self._any_before_zero:
            if not self._reaches_in(pts, duration):
                return False
            duration, pts, dts = (duration + pts if self._type == "subtitle" else duration), 0, 0
        if self._length is not None:
            if pts >= self._length:
                return False
            if self._type == "subtitle":
                duration = min(duration, self._length - pts)
        if self._type == "video" and self._trimmed and not self._begun and not packet.is_keyframe:
            return False
        self._gap = 0
        if self._begun and self._type == "audio" and pts - self._next > self._wide:
            self._gap = pts - self._next
            self._missing += self._gap
        self._begun = True
        self._set(packet, pts, dts, duration)
        return True

    def _hidden(self, packet: Packet[Stream]) -> bool:
        """Whether an edit list leaves the packet out, and it is not just ahead of what is shown.

        What is ahead of the beginning primes decoders, and the output hides it as the source does.
        """
        if not packet.is_discard:
            self._shown = True
            return False
        if self._shown or packet.pts is None or self._first_shown is None:
            return self._shown
        ahead = (self._first_shown - packet.pts) * packet.time_base
        return ahead > GAP_SECONDS and (self._moved(packet.pts) or 0) >= 0

    def _moved(self, ticks: int | None) -> int | None:
        return None if ticks is None else ticks * self._ratio - self._shift

    def _reaches_in(self, pts: int, duration: int) -> bool:
        """Whether a packet from before what can be held is kept and begins at 0.

        Subtitles that are still shown are. Sound is when more than half of it lies after 0: nobody
        hears its few milliseconds of delay, and the packets after it are in time. What an encoder
        put in front to be thrown away (AAC priming) is not.
        """
        if self._type == "subtitle":
            return pts + duration > 0
        return 0 < -pts * 2 < duration and not self._times_are_counted

    def _set(self, packet: Packet[Stream], pts: int, dts: int | None, duration: int) -> None:
        if dts is not None:
            if self._last_dts is not None and dts <= self._last_dts:
                dts = self._last_dts + 1
                pts = max(pts, dts)
            self._last_dts = dts
        self._next = pts + duration
        packet.pts, packet.dts, packet.duration = pts, dts, duration
        packet.time_base = self._clock

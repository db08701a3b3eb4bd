"""Sound encoded anew: decoded, put in its place to the sample, and given to an encoder."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from numpy.typing import NDArray

from vidgen.media.retime import GAP_SECONDS, LONGEST_GAP_SECONDS
from vidgen.media.sound_codecs import SoundCodec
from vidgen.media.source import reason

__all__ = ["SoundEncoder"]

log = logging.getLogger(__name__)

_JITTER_SECONDS = Fraction(1, 50)  # by which stamps of sound without a gap may miss: clocks of 1 ms


class SoundEncoder:
    """The way of one sound stream into `output`, through a decoder and an encoder.

    Samples are placed by their times: what lies before `offset` (seconds on the source's clock) or
    `length` seconds and more after it is cut off to the sample, gaps are filled with silence, and
    what overlaps is dropped. What the encoder puts in front, its packets' times and the header
    say, so that every container hides it (an edit list, Matroska's CodecDelay).
    """

    def __init__(
        self,
        stream: AudioStream,
        output: OutputContainer,
        codec: SoundCodec,
        offset: Fraction,
        length: Fraction | None,
    ) -> None:
        self._decoder, self._offset, self._length = stream.codec_context, offset, length
        self._layout = codec.layout_for(self._decoder.layout)
        self._rate = self._decoder.sample_rate
        copy = output.add_stream(codec.encoder, rate=codec.rate_for(self._rate))
        assert isinstance(copy, AudioStream)
        self.stream = copy
        self._encoder = copy.codec_context
        self._encoder.layout = self._layout
        self._encoder.bit_rate = codec.bit_rate(self._encoder.sample_rate, self._encoder.channels)
        self.described = (
            f"{codec.word}, {self._encoder.sample_rate} Hz, {self._layout}, "
            f"{self._encoder.bit_rate // 1000} kbit/s"
        )
        """What it becomes, in words."""
        self.damaged = 0
        """Packets that could not be decoded."""
        self._reader: av.AudioResampler | None = None
        self._read_from: tuple[str, str, int] | None = None
        self._next: int | None = None
        self._missing = 0

    @property
    def missing(self) -> Fraction:
        """Seconds of silence that were put into gaps."""
        return Fraction(self._missing, self._rate)

    @property
    def end(self) -> Fraction:
        """Seconds of the output until which sound came."""
        return Fraction(self._next or 0, self._rate)

    def is_past(self, packet: Packet[Stream], seconds: int) -> bool:
        """True when `packet` lies more than `seconds` beyond the end of the range."""
        if self._length is None or packet.dts is None:
            return False
        return packet.dts * packet.time_base - self._offset > self._length + seconds

    def __call__(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """What can be written once the sound of `packet` is there."""
        yield from self._decoded(packet)

    def finish(self) -> Iterator[Packet[Stream]]:
        """What is left after the last packet."""
        yield from self._decoded(None)
        if self._next is not None:
            yield from self._marked(self._encoder.encode(None))

    def _decoded(self, packet: Packet[Stream] | None) -> Iterator[Packet[Stream]]:
        try:
            frames = self._decoder.decode(packet)
        except av.EOFError:
            return
        except av.FFmpegError as error:
            self.damaged += 1
            log.warning("a packet of sound cannot be decoded: %s", reason(error))
            return
        for frame in frames:
            at = None
            if frame.pts is not None and frame.time_base:
                at = round((frame.pts * frame.time_base - self._offset) * self._rate)
            samples = self._read(frame)
            if len(samples):
                yield from self._placed(samples, at)

    def _read(self, frame: av.AudioFrame) -> NDArray[np.float32]:
        """(samples, channels) of the layout and rate in which sound is placed.

        Also where the source changes its own in mid-stream.
        """
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if self._reader is None or kind != self._read_from:
            # Packed: PyAV 18.1 cannot look into planar frames of eight channels.
            self._reader = av.AudioResampler("flt", self._layout, self._rate)
            self._read_from = kind
        channels = self._encoder.channels
        found = [each.to_ndarray().reshape(-1, channels) for each in self._reader.resample(frame)]
        return np.concatenate(found) if found else np.empty((0, channels), np.float32)

    def _placed(self, samples: NDArray[np.float32], at: int | None) -> Iterator[Packet[Stream]]:
        """Encode `samples`, the first of which belongs at `at`; None: behind those before it."""
        if self._next is None:
            self._next = max(at or 0, 0)
        at = self._next if at is None else at
        if abs(at - self._next) <= _JITTER_SECONDS * self._rate and self._next > 0:
            at = self._next
        gap = at - self._next
        if self._length is not None and at >= self._length * self._rate:
            return
        if 0 < gap <= LONGEST_GAP_SECONDS * self._rate:
            self._missing += gap if gap > GAP_SECONDS * self._rate else 0
            yield from self._silent(gap)
        yield from self._encoded(samples[max(-gap, 0) :])

    def _silent(self, count: int) -> Iterator[Packet[Stream]]:
        while count > 0:
            length = min(count, self._rate)
            yield from self._encoded(np.zeros((length, self._encoder.channels), np.float32))
            count -= length

    def _encoded(self, samples: NDArray[np.float32]) -> Iterator[Packet[Stream]]:
        """Give `samples` to the encoder, those before the end of the range."""
        begin = self._next or 0
        if self._length is not None:
            samples = samples[: max(round(self._length * self._rate) - begin, 0)]
        if not len(samples):
            return
        packed = np.ascontiguousarray(samples).reshape(1, -1)
        block = av.AudioFrame.from_ndarray(packed, "flt", self._layout)
        block.sample_rate, block.time_base = self._rate, Fraction(1, self._rate)
        block.pts = begin
        self._next = begin + len(samples)
        yield from self._marked(self._encoder.encode(block))

    def _marked(self, packets: Sequence[Packet[Any]]) -> Iterator[Packet[Stream]]:
        for packet in packets:
            packet.stream = self.stream
            yield packet

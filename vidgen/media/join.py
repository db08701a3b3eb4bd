"""Pieces of a film, encoded on their own, put together by packet: nothing is encoded anew."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
from av.packet import Packet
from av.video.stream import VideoStream

from vidgen.errors import OutputError
from vidgen.media.encode import Encoder
from vidgen.media.source import open_source

__all__ = ["Joiner", "Piece"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Encoded pictures in a file of their own; they refer to no picture of another piece."""

    path: Path
    start: Fraction
    """When its clock is 0, in seconds on the source's clock."""
    time_base: Fraction
    coded: Sequence[int]
    """Presentation times of its packets in coding order, in units of `time_base`."""
    end: Fraction
    """When its last picture is no longer shown, in seconds on the source's clock."""


class Joiner(Encoder):
    """An Encoder that takes encoded pieces instead of frames.

    It opens the encoder that made them, with the same words, and feeds it nothing: so the head of
    the file is the same as if the film had been encoded in one go.
    """

    def join(self, pieces: Sequence[Piece]) -> None:
        """Write all packets of `pieces`, which follow each other. Raises OutputError."""
        pts = [ticks for piece in pieces for ticks in self._shown(piece)]
        if not pts:
            return
        timed = _timed(pts, self._ticks(pieces[-1].end - self._offset))
        for piece in pieces:
            self._require_same_head(piece)
        for packet, (shown, decoded, duration) in zip(_packets(pieces), timed, strict=True):
            packet.pts, packet.dts, packet.duration = shown, decoded, duration
            packet.time_base = self.time_base
            packet.stream = self._stream
            with self._errors_named():
                if self._others:
                    self._others.advance(decoded * self.time_base)
                self._output.mux_one(packet)

    def _shown(self, piece: Piece) -> Iterator[int]:
        """Presentation times on the clock of the target."""
        for ticks in piece.coded:
            yield self._ticks(piece.start + ticks * piece.time_base - self._offset)

    def _require_same_head(self, piece: Piece) -> None:
        with open_source(piece.path) as container:
            head = container.streams.video[0].codec_context.extradata
        if head != self._stream.codec_context.extradata:
            raise OutputError(
                f"{piece.path}: encoded by another version of the encoder, or for another machine; "
                f"start anew with --no-resume"
            )

    def discard(self) -> None:
        """Undo the file: it was a trial, whether the container takes all streams."""
        with suppress(av.FFmpegError, OSError):  # without a packet some muxers complain
            self._output.close()
        self._discard()

    def _drain(self) -> None:
        """Nothing: the encoder was given no frame."""


def _packets(pieces: Iterable[Piece]) -> Iterator[Packet[VideoStream]]:
    for piece in pieces:
        with open_source(piece.path) as container:
            for packet in container.demux(container.streams.video[0]):
                if packet.size:
                    yield packet


def _timed(pts: Sequence[int], end: int) -> Iterator[tuple[int, int, int]]:
    """(pts, dts, duration) of packets in coding order, with the least delay that keeps dts <= pts.

    The pieces' own decoding times would run into each other where the rate changes.
    """
    order = sorted(pts)
    lasts = {early: late - early for early, late in pairwise([*order, end])}
    places = [bisect_left(order, ticks) for ticks in pts]
    delay = max(number - place for number, place in enumerate(places))
    step = lasts[order[0]]
    before = [order[0] - step * (delay - number) for number in range(delay)]
    for ticks, decoded in zip(pts, [*before, *order], strict=False):
        yield ticks, decoded, lasts[ticks]

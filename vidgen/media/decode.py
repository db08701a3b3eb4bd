"""A film as frames: every picture, in order, with exact times, and an end that says if it is one."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import chain
from math import floor
from pathlib import Path
from types import TracebackType

import av
from av.codec.context import Flags
from av.packet import Packet

from vidgen.errors import InputError, TruncatedError
from vidgen.frame import Frame, VideoFormat
from vidgen.media.color import PictureReader, bit_depth, color_of, what_is_given_up
from vidgen.media.source import (
    chroma_location,
    film_start,
    main_video,
    open_source,
    reason,
    sample_aspect_ratio,
)
from vidgen.media.timestamps import Stamps
from vidgen.media.whole import Reach, cut_off
from vidgen.timing import format_time, snap_rate

__all__ = ["Decoder"]

log = logging.getLogger(__name__)

_FAILURES_IN_A_ROW = 8  # then the rest is taken for lost
_RUN_IN_SECONDS = (0, 2, 10, 60)  # how far before `start` to look for a picture to begin from
_FASTEST = 1000  # frames per second; a "rate" above it is a clock, not a rate


class Decoder:
    """The frames of the main video stream of `source`; a context manager, to be iterated once.

    `start` and `end` are seconds from the beginning of the film; frames keep their own absolute
    `pts`. Frames with `start <= time < end` come out, decoded from the keyframe before.

    Raises InputError when nothing can be read, and TruncatedError after the last readable frame
    when the film broke off.
    """

    format: VideoFormat
    """What every frame will be: even size, 8 or 10 bits, 4:2:0."""
    notes: list[str]
    """What is given up, padded or put right; complete when the iteration has ended."""
    failures: int
    """Packets and pictures that could not be decoded."""

    def __init__(
        self, source: Path, *, start: Fraction | None = None, end: Fraction | None = None
    ) -> None:
        self._source = source
        self._open()
        try:
            self._begin = self._zero + start if start else None
            self._end = None if end is None else self._zero + end
            self._pictures = (
                self._from_start() if self._begin is None else self._from_before(self._begin)
            )
            first = next(self._pictures, None)
            if first is None:
                raise InputError(f"{source}: {self._no_picture()}")
            self._pictures = chain([first], self._pictures)
            self.format = _format(first, self._stream, self._chroma_location)
            self.notes = what_is_given_up(first)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Decoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Frames already handed out stay valid."""
        self._pictures = iter(())
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        read, begin = PictureReader(self.format), self._begin
        for picture, pts, duration in self._timed():
            if begin is None or pts * self._time_base >= begin:
                y, uv = read(picture)
                yield Frame(y, uv, pts, duration, self._time_base)
        self.notes += self._stamps.notes()
        if self.failures:
            self.notes.append(
                f"{self.failures} damaged packets could not be decoded and were skipped"
            )

    def _timed(self) -> Generator[tuple[av.VideoFrame, int, int]]:
        """Pictures up to `end` with pts and duration: each lasts until the next one begins."""
        previous: tuple[av.VideoFrame, int] | None = None
        for picture in self._pictures:
            pts = self._stamps(picture)
            if previous is not None:
                yield (*previous, pts - previous[1])
            if self._end is not None and pts * self._time_base >= self._end:
                return
            previous = picture, pts
        if previous is not None:
            yield (*previous, self._stamps.duration(previous[0]))
            self._require_whole(previous[1] + self._stamps.duration(previous[0]))

    def _open(self) -> None:
        """Open the file from its beginning, with nothing decoded yet."""
        self.failures, self._failures_in_a_row, self._broken = 0, 0, ""
        self._pictures: Iterator[av.VideoFrame] = iter(())
        self._container = open_source(self._source)
        try:
            self._stream = main_video(self._container, self._source)
            self._chroma_location = chroma_location(self._container, self._stream)
        except BaseException:
            self._container.close()
            raise
        self._time_base = self._stream.time_base or Fraction(1, 1000)
        self._zero = film_start(self._container)
        self._stamps = Stamps(self._time_base, _rate(self._stream))
        self._reach = Reach(self._container, self._stream)
        self._stream.thread_type = "AUTO"
        # Theora and old H.264 crop at the left: without it FFmpeg rounds that to its alignment.
        self._stream.codec_context.flags |= Flags.unaligned

    def _from_start(self) -> Iterator[av.VideoFrame]:
        return self._decode()

    def _from_before(self, begin: Fraction) -> Iterator[av.VideoFrame]:
        """Pictures from a keyframe at or before `begin` seconds; from the start where none is found.

        Transport streams seek by guess and may land too late: then from further back.
        """
        for run_in in _RUN_IN_SECONDS:
            if begin - run_in <= self._zero:
                break
            try:
                self._container.seek(floor((begin - run_in) / self._time_base), stream=self._stream)
            except av.FFmpegError:
                break
            pictures = self._decode()
            first = next(pictures, None)
            if first is not None and first.pts is not None and first.pts * self._time_base <= begin:
                return chain([first], pictures)
            pictures.close()
        self._container.close()
        self._open()
        return self._from_start()

    def _decode(self) -> Generator[av.VideoFrame]:
        """Every picture that can be decoded, drained at the end."""
        for packet in self._packets():
            yield from self._attempt(packet)
            if self._failures_in_a_row >= _FAILURES_IN_A_ROW:
                self._broken = f"{_FAILURES_IN_A_ROW} damaged packets in a row"
                break
        while pictures := self._attempt(None):
            yield from pictures

    def _attempt(self, packet: Packet[av.VideoStream] | None) -> list[av.VideoFrame]:
        """Pictures that `packet` (None: the end) completes; none, counted, when it is damaged."""
        try:
            pictures = self._stream.codec_context.decode(packet)
        except av.EOFError:
            return []
        except av.FFmpegError as error:
            self.failures += 1
            self._failures_in_a_row += 1
            log.warning("%s: a packet cannot be decoded: %s", self._source, reason(error))
            if isinstance(error, BlockingIOError):  # the decoder is stuck on what it holds
                self._stream.codec_context.flush_buffers()
            return []
        if pictures:
            self._failures_in_a_row = 0
        return pictures

    def _packets(self) -> Generator[Packet[av.VideoStream]]:
        """The packets of the stream; an error of the container is passed over if more follows."""
        errors = 0
        while errors < _FAILURES_IN_A_ROW:
            try:
                for packet in self._container.demux():
                    if (
                        not packet.size
                    ):  # the end, or "same again"; a decoder would take it for the end
                        continue
                    errors, self._broken = 0, ""
                    self._reach.add(packet)
                    if packet.stream_index == self._stream.index:
                        yield packet
                return
            except av.FFmpegError as error:
                errors += 1
                self._broken = reason(error)
                log.warning("%s: cannot be read on: %s", self._source, self._broken)

    def _require_whole(self, last_end: int) -> None:
        """Raise TruncatedError when the film ended before it should."""
        why = self._broken or cut_off(self._container, self._stream, self._reach)
        if why:
            done = format_time(last_end * self._time_base - self._zero)
            total = self._reach.stated
            of = f" of {format_time(total)}" if total else ""
            raise TruncatedError(
                f"{self._source}: broke off at {done}{of} ({why}); what could be read is kept"
            )

    def _no_picture(self) -> str:
        if self._begin is not None:
            at = format_time(self._begin - self._zero)
            return f"no picture could be decoded at or after {at}"
        codec = self._stream.codec_context.name
        return (
            f"its {codec} video holds no picture that can be decoded ({self._broken or 'no data'})"
        )


def _rate(stream: av.VideoStream) -> Fraction | None:
    """Average frames per second as the container states or implies it."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= _FASTEST:
            return snap_rate(rate)
    return None


def _format(first: av.VideoFrame, stream: av.VideoStream, chroma_location: int) -> VideoFormat:
    return VideoFormat(
        width=first.width + first.width % 2,
        height=first.height + first.height % 2,
        fps=_rate(stream),
        bit_depth=bit_depth(first.format),
        sample_aspect_ratio=sample_aspect_ratio(stream),
        rotation=round(first.rotation / 90) * 90 % 360,
        color=color_of(first, stream.codec_context, chroma_location),
    )

"""The pictures of a film's main video stream, every one of them, as FFmpeg decodes them."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from fractions import Fraction
from itertools import chain
from math import floor
from pathlib import Path

import av
from av.codec.context import Flags
from av.packet import Packet
from av.stream import Stream

from vidgen.media.joins import Joins
from vidgen.media.source import (
    chroma_location,
    described,
    film_start,
    main_video,
    open_source,
    reason,
)
from vidgen.media.whole import cut_off, stated_duration

__all__ = ["Pictures"]

log = logging.getLogger(__name__)

_FAILURES_IN_A_ROW = 8  # then the rest is taken for lost
_RUN_IN_SECONDS = (0, 2, 10, 60)  # how far before a time to look for a picture to begin from


class Pictures:
    """An open film. Read it once, by `all` or by `before`; then `why_not_whole` can be asked.

    Raises InputError when it cannot be opened or holds no video.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._container = open_source(source)
        try:
            self.stream = main_video(self._container, source)
            facts = described(self._container).get(self.stream.index, "")
            self.chroma_location = chroma_location(facts)
        except BaseException:
            self._container.close()
            raise
        self.time_base = self.stream.time_base or Fraction(1, av.time_base)
        self.zero = film_start(self._container)
        """Seconds on the container's clock at which the film begins."""
        self.stated = stated_duration(self._container, self.stream)
        """Seconds that the film should have."""
        self.joins = Joins(self._container)
        self.failures = 0
        """Packets that could not be decoded, and errors of the container."""
        self.broken = ""
        """Why reading stopped early; empty while it did not."""
        self._failures_in_a_row = 0
        self._context = self.stream.codec_context
        self._context.thread_type = "AUTO"
        # Theora and old H.264 crop at the left; without this FFmpeg rounds that to its alignment.
        self._context.flags |= Flags.unaligned

    def close(self) -> None:
        """Let go of the file; pictures already handed out stay valid."""
        self._container.close()

    def all(self) -> Generator[av.VideoFrame]:
        """Every picture that can be decoded, drained at the end."""
        for packet in self._packets():
            yield from self._attempt(packet)
            if self._failures_in_a_row >= _FAILURES_IN_A_ROW:
                self.broken = f"{_FAILURES_IN_A_ROW} damaged packets in a row"
                break
        while pictures := self._attempt(None):
            yield from pictures

    def before(self, seconds: Fraction) -> Iterator[av.VideoFrame] | None:
        """Pictures from a keyframe at or before `seconds` of the container's clock.

        None where no such place is found; the film must then be opened anew and read from its
        start. Transport streams seek by guess and may land late: then it is tried further back.
        """
        for run_in in _RUN_IN_SECONDS:
            if seconds - run_in <= self.zero:
                return None
            try:
                self._container.seek(floor((seconds - run_in) / self.time_base), stream=self.stream)
            except av.FFmpegError as error:
                log.debug("%s: cannot seek, %s", self._source, reason(error))
                return None
            pictures = self.all()
            first = next(pictures, None)
            if (
                first is not None
                and first.pts is not None
                and first.pts * self.time_base <= seconds
            ):
                return chain([first], pictures)
            pictures.close()
        return None

    def why_not_whole(self) -> str:
        """After the last picture: why there should have been more; empty when that was all."""
        return self.broken or cut_off(self._source, self._container.format.name)

    def _attempt(self, packet: Packet[Stream] | None) -> list[av.VideoFrame]:
        """Pictures that `packet` (None: the end) completes; none, counted, when it is damaged."""
        try:
            pictures = self._context.decode(packet)
        except av.EOFError:
            return []
        except av.FFmpegError as error:
            self.failures += 1
            self._failures_in_a_row += 1
            log.warning("%s: a packet cannot be decoded: %s", self._source, reason(error))
            if isinstance(error, BlockingIOError):  # the decoder is stuck on what it holds
                self._context.flush_buffers()
            return []
        if pictures:
            self._failures_in_a_row = 0
        return pictures

    def _packets(self) -> Generator[Packet[Stream]]:
        """The packets of the stream; an error of the container is passed over if more follows."""
        errors = 0
        while errors < _FAILURES_IN_A_ROW:
            try:
                for packet in self._container.demux():
                    # Without data it is the end, or "the same picture again", which the next
                    # picture's time says too; a decoder would take it for the end.
                    if not packet.size:
                        continue
                    errors, self.broken = 0, ""
                    self.joins(packet)
                    if packet.stream_index == self.stream.index:
                        yield packet
                return
            except av.FFmpegError as error:
                errors += 1
                self.failures += 1
                self.broken = reason(error)
                log.warning("%s: cannot be read on: %s", self._source, self.broken)

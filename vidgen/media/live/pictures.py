"""LivePictures: packets of one stream into frames of one format, whatever comes."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import av
from av.codec.context import Flags
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidgen.errors import InputError
from vidgen.frame import Frame, VideoFormat
from vidgen.media.color import PictureReader
from vidgen.media.decode import format_of
from vidgen.media.live.fields import Deinterlacer
from vidgen.media.source import reason
from vidgen.media.unsaid import said_by_size

__all__ = ["LivePictures"]

log = logging.getLogger(__name__)

_MOST_PIXELS = 8192 * 4608
"""Of a picture: a header can announce sizes whose buffers alone would end the program."""
_MORE_DAMAGED = 500
"""By so many there are more packets that cannot be decoded than pictures: then it is no stream any
more. Not in a row, since of another codec's packets a decoder makes a picture now and then."""
_LENGTH_WHEN_UNKNOWN = Fraction(1, 25)  # seconds


class LivePictures:
    """Decodes `stream`, packet by packet; damaged ones are passed over and counted.

    All frames have the size and depth of the first one, or of `expect`: what changes in mid-stream
    is scaled to it. Times are the stream's own. `chroma` is where its chroma samples lie, as
    `chroma_location` tells it; `notes` is told what was done to the pictures.
    """

    video: VideoFormat
    """Of the frames, from the first one on."""

    def __init__(
        self,
        url: str,
        stream: VideoStream,
        chroma: int,
        expect: VideoFormat | None,
        notes: list[str],
    ) -> None:
        self._url, self._stream, self._chroma = url, stream, chroma
        self._expect, self._notes = expect, notes
        self._whole: Deinterlacer | None = None
        self.damaged = 0
        """Packets that could not be decoded though they came whole."""
        self._more_damaged = self._next_pts = 0
        context = stream.codec_context
        context.flags |= Flags.low_delay | Flags.unaligned
        context.thread_type = "SLICE"  # threads by frame hold back a frame each
        context.options = {"max_pixels": str(_MOST_PIXELS)}

    def __call__(self, packet: Packet[Stream] | None) -> list[Frame]:
        """Frames that `packet` completes; None: what is still held back. Raises InputError where
        the stream is none any more."""
        try:
            pictures = self._stream.codec_context.decode(packet)
            self._more_damaged = max(0, self._more_damaged - len(pictures))
        except av.EOFError:
            return []
        except av.FFmpegError as error:
            self.damaged += not (packet and packet.is_corrupt)  # which has been counted
            self._more_damaged += 1
            log.debug("%s: a packet cannot be decoded: %s", self._url, reason(error))
            if self._more_damaged >= _MORE_DAMAGED:
                raise InputError(f"{self._url}: sends nothing that can be decoded") from error
            return []
        try:
            whole = [each for picture in pictures for each in self._progressive(picture)]
            if packet is None and self._whole is not None:
                whole += self._whole(None)
            return [self._frame(each) for each in whole]
        except av.FFmpegError as error:
            why = reason(error)
            raise InputError(f"{self._url}: sends pictures that are none ({why})") from error

    def _progressive(self, picture: av.VideoFrame) -> Iterable[av.VideoFrame]:
        """`picture` without fields; from the first one that is flagged as two fields on."""
        if self._whole is None:
            if not picture.interlaced_frame:
                return [picture]
            self._whole = Deinterlacer(self._stream.time_base or Fraction(1, av.time_base))
            self._notes.append("interlaced: fields are made whole by bwdif, a picture a frame")
        return self._whole(picture)

    def _frame(self, picture: av.VideoFrame) -> Frame:
        if not hasattr(self, "video"):
            self._settle(picture)
        pts = self._next_pts if picture.pts is None else picture.pts
        duration = picture.duration or self._nominal
        self._next_pts = pts + duration
        y, uv = self._read(picture)
        return Frame(y, uv, pts, duration, self._time_base)

    def _settle(self, picture: av.VideoFrame) -> None:
        video = format_of(picture, self._stream, self._chroma)
        color, _ = said_by_size(video.color, picture.width, picture.height)
        self.video = self._expect or replace(video, color=color)
        self._time_base = self._stream.time_base or Fraction(1, av.time_base)
        length = 1 / video.fps if video.fps else _LENGTH_WHEN_UNKNOWN
        self._nominal = max(1, round(length / self._time_base))
        self._read = PictureReader(self.video)

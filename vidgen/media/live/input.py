"""LiveInput: one connection to a source, as pictures and the packets beside them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Event
from time import monotonic
from typing import Self

import av
from av.codec.context import Flags
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidgen.errors import InputError
from vidgen.frame import Frame, VideoFormat
from vidgen.media.color import PictureReader
from vidgen.media.decode import format_of
from vidgen.media.live.address import Address, is_paced, source
from vidgen.media.live.fields import Deinterlacer
from vidgen.media.live.peer import Peer
from vidgen.media.live.relay import Relay
from vidgen.media.live.twins import Twins, kind
from vidgen.media.source import chroma_location, described, is_picture, reason
from vidgen.media.unsaid import said_by_size

__all__ = ["LiveInput", "Passing"]

log = logging.getLogger(__name__)

_MOST_PIXELS = 8192 * 4608
"""Of a picture: a header can announce sizes whose buffers alone would end the program."""
_MORE_DAMAGED = 500
"""By so many there are more packets that cannot be decoded than pictures: then it is no stream any
more. Not in a row, since of another codec's packets a decoder makes a picture now and then."""
_LENGTH_WHEN_UNKNOWN = Fraction(1, 25)  # seconds
_MOST_HELD = 1000  # packets of sound before the first picture
_PASSES = ("audio", "subtitle")
_FLV = ("flv", "live_flv")
"""What RTMP carries. Of another codec in mid-stream their demuxer makes a stream of its own, whose
packets PyAV shows to nobody; where the codec is given beforehand, it refuses them instead."""


@dataclass(frozen=True, slots=True)
class Passing:
    """A packet of another stream that goes by as it is."""

    lane: int
    """Which of `LiveInput.others`."""
    packet: Packet[Stream]
    time: Fraction
    """When it is due, in seconds on the source's clock."""


class LiveInput:
    """One connection; a context manager, to be iterated once.

    Opening waits for the source (with `listen`: for a sender) and for its first picture. Frames and
    packets come in the order of their arrival, with the source's own times. All pictures have the
    size and depth of `video`: what changes in mid-stream is scaled to it. A clean end ends the
    iteration; a source that breaks off, says nothing for `stall_seconds` or sends rubbish raises
    InputError, and so does one that cannot be opened.

    `expect` is the format that frames are to have, where a connection before this one had it;
    `stop`, set by another thread, ends a wait for the source.
    """

    video: VideoFormat
    others: list[Stream]
    """Like the streams that `Passing` packets are of; they outlive the connection."""
    kinds: Sequence[str]
    """`audio aac` and the like, of each."""

    def __init__(
        self,
        url: str,
        *,
        container: str | None = None,
        listen: bool = False,
        options: Mapping[str, str] | None = None,
        stall_seconds: float = 10.0,
        expect: VideoFormat | None = None,
        stop: Event | None = None,
    ) -> None:
        self._url, self._stall_seconds = url, stall_seconds
        self._stop, self._closed = stop or Event(), False
        self._peer: Peer | None = None
        self._relay: Relay | None = None
        self._whole: Deinterlacer | None = None
        self._listens = listen
        self.notes: list[str] = []
        """What was done to the pictures."""
        self.damaged = 0
        """Packets that came broken, or could not be decoded."""
        self._container: InputContainer | None = None
        self._expect = expect
        self._more_damaged = 0
        self._next_pts = 0
        self.paced = is_paced(url)
        """Whether it waits for its reader, as files and pipes do."""
        try:
            self._begin(source(url, container, listen, options))
        except BaseException:
            self.__exit__()
            raise

    def _begin(self, address: Address) -> None:
        """Connect, and wait for the first picture."""
        self._container = self._opened(address)
        if not _videos(self._container) and self._container.format.name in _FLV:
            self._container = self._opened(self._until_a_keyframe(address))
        videos = _videos(self._container)
        if not videos:
            raise InputError(f"{self._url}: holds no video")
        self._stream = videos[0]
        # What comes over a network is connected to anew while other threads run: see `dump`.
        facts = described(self._container) if self.paced else {}
        self._chroma_location = chroma_location(facts.get(self._stream.index, ""))
        if self._container.format.name in _FLV:
            self._container.video_codec_id = self._stream.codec_context.codec.id
        self._begin_others(self._container)
        context = self._stream.codec_context
        context.flags |= Flags.low_delay | Flags.unaligned
        context.thread_type = "SLICE"  # threads by frame hold back a frame each
        context.options = {"max_pixels": str(_MOST_PIXELS)}
        self._arrived = self._items()
        self._held = self._first()

    def _until_a_keyframe(self, address: Address) -> Address:
        """The same to be probed for longer: RTMP servers send sound alone until there is one."""
        assert self._container is not None
        if self.paced or self._listens:  # neither a file nor a publisher sends all of it again
            raise InputError(f"{self._url}: holds no video")
        self._container.close()
        duration = str(round(self._stall_seconds * av.time_base))
        return replace(address, options={**address.options, "analyzeduration": duration})

    def _begin_others(self, container: InputContainer) -> None:
        self._twins, self._passing, self.others = Twins(), [], []
        for stream in (each for each in container.streams if each.type in _PASSES):
            if twin := self._twins.of(stream):
                self._passing.append(stream)
                self.others.append(twin)
            else:
                self.notes.append(f"{kind(stream)} stays behind: no container takes it")
        self.kinds = [kind(each) for each in self._passing]

    def _opened(self, address: Address) -> InputContainer:
        timeout = None if self.paced else self._stall_seconds
        try:
            if address.relay:
                self._relay = Relay(*address.relay)
            if address.socket:
                self._peer = Peer(address.socket, self._stall_seconds, InputError, self._stop)
                if not self._peer.accept():
                    raise InputError(f"{self._url}: closed while waiting for a sender")
            while True:
                try:
                    return av.open(
                        self._peer or address.url,
                        "r",
                        format=address.container,
                        options=dict(address.options),
                        timeout=timeout,
                        metadata_errors="replace",
                    )
                except av.ExitError:  # nobody came in that time
                    if not self._listens or self._peer or self._stop.is_set():
                        raise
        except (av.FFmpegError, OSError, ValueError) as error:
            self._interrupt()
            raise InputError(f"{self._url}: cannot be opened ({reason(error)})") from error

    def _first(self) -> list[Frame | Passing]:
        """All until the first picture, whose format is that of the stream."""
        held: deque[Frame | Passing] = deque(maxlen=_MOST_HELD)
        for item in self._arrived:
            held.append(item)
            if isinstance(item, Frame):
                return list(held)
        raise InputError(f"{self._url}: ended before its first picture")

    def __iter__(self) -> Iterator[Frame | Passing]:
        held, self._held = self._held, []
        yield from held
        yield from self._arrived

    def _items(self) -> Iterator[Frame | Passing]:
        lanes = {stream.index: lane for lane, stream in enumerate(self._passing)}
        pictured = monotonic()
        for packet in self._packets():
            if packet.stream_index == self._stream.index:
                frames = self._frames(packet)
                yield from frames
                if frames or not hasattr(self, "video"):  # the first keyframe may be long in coming
                    pictured = monotonic()
            if not self.paced and monotonic() - pictured > self._stall_seconds:
                raise InputError(f"{self._url}: sends no pictures any more that can be decoded")
            if packet.stream_index in lanes and packet.pts is not None:
                yield Passing(lanes[packet.stream_index], packet, packet.pts * packet.time_base)
        yield from self._frames(None)

    def _packets(self) -> Iterator[Packet[Stream]]:
        """What arrives, until the source ends. Raises InputError where it breaks off."""
        assert self._container is not None
        try:
            for packet in self._container.demux(self._stream, *self._passing):
                if self._closed:
                    return
                self.damaged += packet.is_corrupt
                if packet.size:
                    yield packet
            self._interrupt()
        except (av.FFmpegError, TimeoutError, IndexError) as error:
            if not self._closed:
                changed = isinstance(error, av.error.PatchWelcomeError)
                why = "another codec in mid-stream" if changed else reason(error)
                raise InputError(f"{self._url}: lost ({why})") from error

    def _interrupt(self) -> None:
        if self._peer is not None:
            self._peer.interrupt()

    def _frames(self, packet: Packet[Stream] | None) -> list[Frame]:
        """Pictures that `packet` completes; damaged ones are passed over."""
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
            self.notes.append("interlaced: fields are made whole by bwdif, a picture a frame")
        return self._whole(picture)

    def _frame(self, picture: av.VideoFrame) -> Frame:
        if not hasattr(self, "video"):
            self._settle(picture)
        if self._peer is not None:
            self._peer.pictured()
        pts = self._next_pts if picture.pts is None else picture.pts
        duration = picture.duration or self._nominal
        self._next_pts = pts + duration
        y, uv = self._read(picture)
        return Frame(y, uv, pts, duration, self._time_base)

    def _settle(self, picture: av.VideoFrame) -> None:
        video = format_of(picture, self._stream, self._chroma_location)
        color, _ = said_by_size(video.color, picture.width, picture.height)
        self.video = self._expect or replace(video, color=color)
        self._time_base = self._stream.time_base or Fraction(1, av.time_base)
        length = 1 / video.fps if video.fps else _LENGTH_WHEN_UNKNOWN
        self._nominal = max(1, round(length / self._time_base))
        self._read = PictureReader(self.video)

    def close(self) -> None:
        """End the connection; from any thread. A read that waits ends with its time-out."""
        self._closed = True
        for each in (self._peer, self._relay):
            if each is not None:
                each.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
        if self._container is not None:
            self._container.close()


def _videos(container: InputContainer) -> list[VideoStream]:
    return [stream for stream in container.streams.video if not is_picture(stream)]

"""LiveInput: one connection to a source, as pictures and the packets beside them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from threading import Event
from time import monotonic
from typing import Self

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidgen.errors import InputError
from vidgen.frame import Frame, VideoFormat
from vidgen.media.live.address import Address, is_paced, source
from vidgen.media.live.peer import Peer
from vidgen.media.live.pictures import LivePictures
from vidgen.media.live.programs import Programs
from vidgen.media.live.relay import Relay
from vidgen.media.live.twins import Twins, kind
from vidgen.media.live.wire import Wire
from vidgen.media.source import chroma_location, described, is_picture, reason

__all__ = ["LiveInput", "Passing"]

log = logging.getLogger(__name__)

_MOST_HELD = 1000  # packets of sound before the first picture
_PASSES = ("audio", "subtitle")
_STREAMS = (b"\x47", b"FLV", b"\x1aE\xdf\xa3", b"nut/multimedia")
"""How MPEG-TS, FLV, Matroska and NUT begin."""
_PEEKED = 14  # bytes, the longest of them
_IN_PIECES = ("hls", "dash")
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
    in_pieces: bool
    """Whether it comes in files of some seconds each, as HLS does: each is there all at once."""
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
        self._peer: Peer | Wire | None = None
        self._programs: Programs | None = None
        self._relay: Relay | None = None
        self._listens = listen
        self.notes: list[str] = []
        """What was done to the pictures."""
        self._corrupt = 0
        self._container: InputContainer | None = None
        self._expect = expect
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
        where = chroma_location(facts.get(self._stream.index, ""))
        self._pictures = LivePictures(self._url, self._stream, where, self._expect, self.notes)
        if self._container.format.name in _FLV:
            self._container.video_codec_id = self._stream.codec_context.codec.id
        if self._programs is not None:
            has_tables = self._container.format.name == "mpegts"
            self._programs.follow(self._stream.id if has_tables else None)
        self.in_pieces = self._container.format.name in _IN_PIECES
        self._begin_others(self._container)
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
            if address.wired:
                self._peer = self._wire(address)
            self._programs = Programs(self._peer) if self._peer else None
            while True:
                try:
                    return av.open(
                        self._programs or address.url,
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

    def _wire(self, address: Address) -> Wire | None:
        """A connection of our own; None where FFmpeg has to make it, and others after it."""
        wire = Wire(address.url, address.options, self._stall_seconds, self._stop)
        if not address.may_be_list or wire.peek(_PEEKED).startswith(_STREAMS):
            return wire
        wire.close()
        return None

    def _first(self) -> list[Frame | Passing]:
        """All until the first picture, whose format is that of the stream."""
        held: deque[Frame | Passing] = deque(maxlen=_MOST_HELD)
        for item in self._arrived:
            held.append(item)
            if isinstance(item, Frame):
                self.video = self._pictures.video
                return list(held)
        raise InputError(f"{self._url}: ended before its first picture")

    @property
    def damaged(self) -> int:
        """Packets that came broken, or could not be decoded."""
        return self._corrupt + self._pictures.damaged

    def __iter__(self) -> Iterator[Frame | Passing]:
        held, self._held = self._held, []
        yield from held
        yield from self._arrived

    def _items(self) -> Iterator[Frame | Passing]:
        lanes = {stream.index: lane for lane, stream in enumerate(self._passing)}
        pictured = monotonic()
        for packet in self._packets():
            if packet.stream_index == self._stream.index:
                frames = self._pictures(packet)
                if frames and self._peer is not None:
                    self._peer.pictured()
                yield from frames
                if frames or not hasattr(self, "video"):  # the first keyframe may be long in coming
                    pictured = monotonic()
            if not self.paced and monotonic() - pictured > self._stall_seconds:
                raise InputError(f"{self._url}: sends no pictures any more that can be decoded")
            if packet.stream_index in lanes and packet.pts is not None:
                yield Passing(lanes[packet.stream_index], packet, packet.pts * packet.time_base)
        yield from self._pictures(None)

    def _packets(self) -> Iterator[Packet[Stream]]:
        """What arrives, until the source ends. Raises InputError where it breaks off."""
        assert self._container is not None
        try:
            for packet in self._container.demux(self._stream, *self._passing):
                if self._closed:
                    return
                self._corrupt += packet.is_corrupt
                if packet.size:
                    yield packet
            self._interrupt()
        except (av.FFmpegError, TimeoutError, IndexError) as error:
            if not self._closed and not self._has_moved():
                changed = isinstance(error, av.error.PatchWelcomeError)
                why = "another codec in mid-stream" if changed else reason(error)
                raise InputError(f"{self._url}: lost ({why})") from error
        if self._has_moved() and not self._closed:
            raise InputError(f"{self._url}: lost (its programs are laid out anew)")

    def _has_moved(self) -> bool:
        return self._programs is not None and self._programs.moved

    def _interrupt(self) -> None:
        if self._peer is not None:
            self._peer.interrupt()

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

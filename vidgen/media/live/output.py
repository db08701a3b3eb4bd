"""LiveOutput: one connection to a sink; pictures encoded at once, other packets as they are."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from threading import Event
from typing import Self

import av
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidgen.errors import OutputError, UsageError
from vidgen.frame import Frame, VideoFormat
from vidgen.media.codec import Codec
from vidgen.media.codecs import Container, find_codec, ordinary_priority
from vidgen.media.color import picture
from vidgen.media.live.address import Address, sink
from vidgen.media.live.input import Passing
from vidgen.media.live.peer import Peer
from vidgen.media.live.relay import Relay
from vidgen.media.live.twins import kind
from vidgen.media.live.wire import Wire
from vidgen.media.output import video_stream
from vidgen.media.source import reason

__all__ = ["LiveOutput", "OutputOptions"]

log = logging.getLogger(__name__)

_FRAGMENTED = ("mp4", "mov")
"""Their header says once what MPEG-TS says before each packet of AAC: FFmpeg's muxer changes that
for itself, but not in fragments."""
_INTERLEAVE = "200000"  # us that a muxer may wait for a stream that says nothing
_AT_ONCE = {
    "x264": {"tune": "zerolatency"},
    "x265": {"tune": "zerolatency"},
    "nvenc": {"tune": "ull", "delay": "0", "zerolatency": "1"},
    "qsv": {"async_depth": "1", "low_delay_brc": "1"},
    "amf": {"usage": "ultralowlatency"},
}
"""By the first word of the codec: what keeps an encoder from holding pictures back."""
_PRESET = "superfast"
"""Of x264 and x265: at 6 Mbit/s as good as `veryfast` (42.85 and 42.84 dB of a cartoon, 720p60,
nothing held back) for 0.57 of the processor time; `ultrafast` is 3.6 dB worse."""
_RAW = Codec(
    word="raw",
    encoder="rawvideo",
    pix_fmts={8: "yuv420p", 10: "yuv420p10le"},
    containers=(".nut", ".y4m", ".mkv"),
)
_LOSSLESS = Codec(
    word="lossless",
    encoder="libx264",
    pix_fmts={8: "yuv420p", 10: "yuv420p10le"},
    options=(("preset", "ultrafast"), ("qp", "0")),
    containers=(".nut", ".mkv", ".mp4", ".ts"),
)
"""H.264 that gives every sample back; unlike raw pictures it carries colour tags in a pipe."""
_RAW_ONLY = ("yuv4mpegpipe",)
_ALSO = {
    "mpegts": ("aac", "mp3", "ac3", "eac3", "opus", "dvb_subtitle", "dvb_teletext")
}  # what muxers hold and do not say


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What a sink is given; words as on the command line."""

    codec: str = ""
    """A word of `--codec`, `lossless` or `raw`; empty: raw for Y4M, else x264."""
    crf: float | None = None
    bitrate: str = ""
    """Bits a second, such as `6M`; instead of `crf`."""
    preset: str | None = None
    keyframe_seconds: Fraction = Fraction(2)
    container: str | None = None
    """FFmpeg's name of the muxer; None: by the URL."""
    serve: bool = False
    """Wait at a TCP port for one reader."""
    muxing: Mapping[str, str] = field(default_factory=dict)
    """Options of the muxer."""
    stall_seconds: float = 10.0


class LiveOutput:
    """One connection; a context manager. Raises OutputError, UsageError for a word.

    Times are rounded to `time_base`; None is a picture's length, for which `video` must state its
    rate. `others` are streams of the source whose packets `mux` will be given; those that the
    container cannot hold are left out and named in `notes`. `stop`, set by another thread, ends a
    wait for the other side.
    """

    def __init__(
        self,
        url: str,
        video: VideoFormat,
        others: Sequence[Stream],
        options: OutputOptions,
        time_base: Fraction | None = None,
        stop: Event | None = None,
    ) -> None:
        self.notes: list[str] = []
        self._url, self._video = url, video
        address = sink(url, options.container, options.serve, options.muxing)
        self._muxer = address.container or ""
        self._codec = _codec(options, self._muxer)
        words = _words(self._codec, options, video)
        if time_base is None:
            assert video.fps
            time_base = 1 / video.fps
        self._time_base = time_base
        self._stop = stop or Event()
        self._peer: Peer | Wire | None = None
        self._relay: Relay | None = None
        self._last: int | None = None
        try:
            with self._errors_named():
                self._open(address, options)
                self._begin(words, others)
        except BaseException:
            self._let_go()
            raise

    def _open(self, address: Address, options: OutputOptions) -> None:
        if address.relay:
            self._relay = Relay(*address.relay)
        if address.socket:
            self._peer = Peer(address.socket, options.stall_seconds, OutputError, self._stop)
            if not self._peer.accept():
                raise OutputError(f"{self._url}: closed while waiting for a reader")
        if address.wired:
            self._peer = Wire(
                address.url, address.options, options.stall_seconds, self._stop, writes=True
            )
        muxing = {"max_interleave_delta": _INTERLEAVE, "flush_packets": "1"}
        if self._muxer == "rtsp":  # calls by itself, and while it waits no other thread may run
            muxing["timeout"] = str(round(options.stall_seconds * av.time_base))
        self._output = av.open(
            self._peer or address.url,
            "w",
            format=self._muxer,
            container_options={**address.options, **muxing},
            timeout=options.stall_seconds,
        )

    def _begin(self, words: dict[str, str], others: Sequence[Stream]) -> None:
        container = Container("", self._muxer)
        self._stream: VideoStream = video_stream(
            self._output, self._codec, self._video, words, self._time_base, container
        )
        if self._codec.word != "raw":
            self._stream.codec_context.max_b_frames = 0
            self._stream.codec_context.gop_size = int(words["g"])
        self._reached: dict[int, int] = {}
        self._lanes = [_twin(self._output, stream, self.notes) for stream in others]
        self._filters = {
            lane: BitStreamFilterContext("aac_adtstoasc", stream)
            for lane, stream in enumerate(others)
            if self._muxer in _FRAGMENTED and kind(stream) == "audio aac"
        }
        with ordinary_priority():
            try:
                self._output.start_encoding()
            except av.InvalidDataError as error:
                if self._muxer != "rtsp":
                    raise
                raise TimeoutError("no RTSP server answers in time") from error

    def write(self, frame: Frame) -> None:
        """Encode a frame of the format; its time is counted from the begin of the stream."""
        pts = round(frame.time / self._time_base)
        if self._last is not None and pts <= self._last:
            raise ValueError(f"a frame at {frame.time} s after one at or behind it")
        self._last = pts
        if self._relay is not None and not self._relay.lives():
            raise OutputError(f"{self._url}: lost (the SRT helper has ended)")
        image = picture(frame.planes, self._codec.pix_fmts[self._video.bit_depth])
        image.pts, image.time_base = pts, self._time_base
        color = self._video.color
        image.color_range, image.colorspace = color.range, color.matrix
        image.color_primaries, image.color_trc = color.primaries, color.transfer
        with self._errors_named():
            for packet in self._stream.encode(image):
                self._output.mux_one(packet)

    def mux(self, passing: Passing, shift: Fraction) -> None:
        """Pass a packet on, `shift` seconds later than its source says."""
        stream = self._lanes[passing.lane] if passing.lane < len(self._lanes) else None
        if stream is None:
            return
        packet: Packet[Stream] = passing.packet
        ticks = round(shift / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = packet.pts if packet.dts is None else packet.dts + ticks
        if packet.dts is None or packet.dts <= self._reached.get(passing.lane, packet.dts - 1):
            return  # after a jump of the source's clock; muxers refuse to go back
        self._reached[passing.lane] = packet.dts
        with self._errors_named():
            try:
                for each in self._without_adts(passing.lane, packet):
                    each.stream = stream
                    self._output.mux_one(each)
            except (ValueError, av.InvalidDataError, av.ArgumentError) as error:
                log.debug("%s: a packet cannot be passed on: %s", self._url, reason(error))

    def _without_adts(self, lane: int, packet: Packet[Stream]) -> list[Packet[Stream]]:
        return self._filters[lane].filter(packet) if lane in self._filters else [packet]

    def close(self) -> None:
        """Flush and end the stream; a peer that has left is not waited for."""
        with self._errors_named():
            try:
                for packet in self._stream.encode(None):
                    self._output.mux_one(packet)
            except BaseException:
                self.abandon()  # what comes of that is no news
                raise
            self._leave()

    def _leave(self) -> None:
        try:
            self._output.close()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        for each in (self._peer, self._relay):
            if each is not None:
                each.close()

    def abandon(self) -> None:
        """Let go of a sink that is gone."""
        with suppress(av.FFmpegError, OSError):
            self._leave()

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            raise OutputError(f"{self._url}: cannot be written ({reason(error)})") from error
        finally:
            if self._peer is not None:
                self._peer.interrupt()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


def _codec(options: OutputOptions, muxer: str) -> Codec:
    word = options.codec or ("raw" if muxer in _RAW_ONLY else "x264")
    if muxer in _RAW_ONLY and word != "raw":
        raise UsageError(f"--codec {word}: Y4M holds raw pictures alone; leave it out")
    return {"raw": _RAW, "lossless": _LOSSLESS}.get(word) or find_codec(word)


def _words(codec: Codec, options: OutputOptions, video: VideoFormat) -> dict[str, str]:
    """FFmpeg's options for the encoder. Raises UsageError."""
    if codec.word == "raw":
        return {}
    if options.bitrate and options.crf is not None:
        raise UsageError("--crf and --bitrate exclude each other; give one of them")
    preset = options.preset or (_PRESET if _PRESET in codec.presets else None)
    words = codec.encoder_options(options.crf, preset) | _AT_ONCE.get(codec.word.split("-")[0], {})
    if options.bitrate:
        for each in codec.crf_options:
            words.pop(each, None)
        words |= {"b": options.bitrate, "maxrate": options.bitrate, "bufsize": options.bitrate}
    return words | {"g": str(max(1, ceil(options.keyframe_seconds * (video.fps or 25))))}


def _twin(output: OutputContainer, stream: Stream, notes: list[str]) -> Stream | None:
    """The stream's like in the output; None, noted, where it cannot be there."""
    codec = stream.codec_context.name if stream.codec_context else "unknown"
    muxer = output.format.name
    if codec not in {*output.supported_codecs, *_ALSO.get(muxer, ())}:
        notes.append(f"{codec} {stream.type} stays behind: {muxer} cannot hold it")
        return None
    try:
        return output.add_stream_from_template(stream, opaque=True)
    except (ValueError, av.FFmpegError) as error:
        notes.append(f"{codec} {stream.type} stays behind: {reason(error)}")
        return None

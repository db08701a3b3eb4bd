"""Every stream but the main video, from a film to its new version, in step with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from vidgen.media.codecs import Container
from vidgen.media.holding import Fate, fates
from vidgen.media.lanes import CopyLane, Lane
from vidgen.media.mapping import wanted_streams
from vidgen.media.packets import Packets
from vidgen.media.retime import Retimer
from vidgen.media.sound import SoundEncoder
from vidgen.media.sound_codecs import COPY, SOUND_CODECS
from vidgen.media.source import (
    codec_delay,
    described,
    film_start,
    is_picture,
    main_video,
    open_source,
    reason,
)
from vidgen.media.subtitles import TextConverter, text_codec
from vidgen.media.tags import chapters, global_tags, stream_tags
from vidgen.media.whole import SLACK_SECONDS

__all__ = ["StreamCopier"]

log = logging.getLogger(__name__)

_RUN_IN_SECONDS = (
    30  # read from so far before `start`, to find subtitles that are still shown there
)
_RUN_OUT_SECONDS = 10  # and so far beyond `end`, for files that are not well interleaved


class StreamCopier:
    """The other streams of `source`, on their way into an output container.

    Holds one packet at a time: reading goes no further than the video is written. Raises
    OutputError naming the first stream that the container cannot hold and one that can. `maps` are
    words of `--map`; the main video comes along in any case. `audio` is a word of `--audio`.
    """

    offset: Fraction
    """Seconds on the source's clock that become 0 in the output."""
    notes: list[str]
    """What was left behind, and where it would be kept."""

    def __init__(
        self,
        source: Path,
        container: Container,
        start: Fraction | None,
        end: Fraction | None,
        maps: Sequence[str] = (),
        audio: str = COPY,
    ) -> None:
        self._source, self._container = source, container
        self._sound = SOUND_CODECS.get(audio)
        self._input = open_source(source)
        try:
            self._video = main_video(self._input, source)
            self.offset = film_start(self._input) + (start or 0)
            self._start = start
            self._length = None if end is None else end - (start or 0)
            self._facts = described(self._input, source)
            wanted = wanted_streams(self._input, maps)
            self._fates, self.notes = fates(
                self._input, self._video, container, wanted, self._sound
            )
        except BaseException:
            self._input.close()
            raise
        self._audio = {stream.index for stream in self._input.streams.audio} & wanted
        self._videos = {stream.index for stream in self._input.streams.video}
        self._silent = set(self._audio)
        self.damaged = 0
        """Packets that the container refused and that were left out."""
        self._picture = Fraction(0)
        self._covers: list[Packet[Stream]] = []
        self._lanes: dict[int, Lane] = {}
        self._packets: Iterator[Packet[Stream]] = iter(())
        self._pending: Packet[Stream] | None = None

    def add_streams(
        self, output: OutputContainer, add_video: Callable[[], VideoStream], fps: Fraction | None
    ) -> None:
        """Add all streams in the source's order, tags and chapters; `add_video` adds the main."""
        covers = self._cover_packets()
        for stream in self._input.streams:
            fate = self._fates[stream.index]
            if fate is Fate.MAIN:
                copy: Stream = add_video()
                copy.metadata.update(
                    stream_tags(stream, timecode=not self._start and fps == self._rate())
                )
                copy.disposition = stream.disposition
            elif fate is Fate.ATTACHMENT:
                _attach(output, covers[stream.index])
            elif fate is Fate.COPY:
                copy = output.add_stream_from_template(stream, opaque=True)
                copy.metadata.update(stream_tags(stream, timecode=True))
                copy.disposition = stream.disposition
                if is_picture(stream):
                    covers[stream.index].stream = copy
                    self._covers.append(covers[stream.index])
                elif stream.type != "attachment":
                    self._lanes[stream.index] = self._copying(stream, copy)
            elif fate is Fate.TEXT and isinstance(stream, SubtitleStream):
                convert = TextConverter(stream, output, text_codec(stream, self._container.muxer))
                _tag_like(stream, convert.stream)
                self._lanes[stream.index] = CopyLane(convert.stream, self._retimer(stream), convert)
            elif fate is Fate.SOUND and isinstance(stream, AudioStream) and self._sound:
                encoder = SoundEncoder(stream, output, self._sound, self.offset, self._length)
                _tag_like(stream, encoder.stream)
                self.notes.append(f"stream {stream.index} (audio) becomes {encoder.described}")
                self._lanes[stream.index] = encoder
        output.metadata.update(global_tags(self._input))
        self._set_chapters(output)

    def _copying(self, stream: Stream, copy: Stream) -> CopyLane:
        retimer = self._retimer(stream)
        silence = self._container.negative_times
        return CopyLane(copy, retimer, fills_gaps=_is_mov_text(stream), silence=silence)

    def _rate(self) -> Fraction | None:
        return self._video.average_rate

    def _retimer(self, stream: Stream) -> Retimer:
        delay = codec_delay(self._facts.get(stream.index, ""))
        return Retimer(stream, self.offset, self._length, bool(self._start), self._container, delay)

    def _set_chapters(self, output: OutputContainer) -> None:
        kept = chapters(self._input, self.offset, self._length)
        if kept and not self._container.chapters:
            self.notes.append(f"{self._container.suffix} holds no chapters; use .mkv or .mp4")
        elif kept:
            output.set_chapters(kept)

    def _cover_packets(self) -> dict[int, Packet[Stream]]:
        """The one packet of each cover picture, read on a handle of its own."""
        wanted = {
            index
            for index, fate in self._fates.items()
            if fate in (Fate.COPY, Fate.ATTACHMENT) and is_picture(self._input.streams[index])
        }
        found: dict[int, Packet[Stream]] = {}
        if not wanted:
            return found
        self._cover_input = open_source(self._source)  # open as long as its packets are used
        for packet in self._cover_input.demux():
            if packet.size and packet.stream_index in wanted:
                found.setdefault(packet.stream_index, packet)
            if len(found) == len(wanted):
                break
        return found

    def begin(self, output: OutputContainer) -> None:
        """Write what belongs at the head and get ready to copy; the header is written by now."""
        self._output = output
        for packet in self._covers:
            packet.pts = packet.dts = 0
            output.mux_one(packet)
        if not self._lanes:
            return
        if self._start:
            self._seek(self.offset - _RUN_IN_SECONDS)
        self._packets = self._read()
        self._pending = next(self._packets, None)

    def _seek(self, seconds: Fraction) -> None:
        if seconds > film_start(self._input):
            try:
                self._input.seek(int(seconds * av.time_base))
            except av.FFmpegError as error:
                log.debug("%s: reading from the start, %s", self._source, reason(error))

    def _read(self) -> Iterator[Packet[Stream]]:
        """Packets in the order of the file, retimed; what lies outside the range is left out."""
        for packet in Packets(self._input, self._source):
            self._silent.discard(packet.stream_index)
            lane = self._lanes.get(packet.stream_index)
            if lane is None:
                continue
            if lane.is_past(packet, _RUN_OUT_SECONDS):
                break
            yield from lane(packet)
        for lane in self._lanes.values():
            yield from lane.finish()

    def advance(self, time: Fraction) -> None:
        """Write all packets up to `time`, in seconds of the output."""
        self._picture = time
        while self._pending is not None and _begin(self._pending) <= time:
            self._write(self._pending)

    def _write(self, packet: Packet[Stream]) -> None:
        try:
            self._output.mux_one(packet)
        except (
            av.InvalidDataError,
            av.PatchWelcomeError,
        ) as error:  # a muxer that looks inside: AAC without its head
            self.damaged += 1
            log.warning("%s: a packet cannot be copied: %s", self._source, reason(error))
        self._pending = next(self._packets, None)

    def finish(self) -> None:
        """Write what is left."""
        while self._pending is not None:
            self._write(self._pending)

    def findings(self) -> list[str]:
        """After the end: notes on what was found on the way."""
        notes = []
        if self.damaged:
            notes.append(f"{self.damaged} damaged packets of other streams were left out")
        if self._length is None and not self._start:
            notes += [f"stream {n} (audio) holds nothing that can be read" for n in self._silent]
        for index, lane in self._lanes.items():
            if index in self._videos and not lane.end:
                notes.append(f"stream {index} (video) has no keyframe in the range: left empty")
            if index in self._audio - self._silent:
                notes += self._said_of_sound(f"stream {index} (audio)", lane)
        return notes

    def _said_of_sound(self, name: str, lane: Lane) -> list[str]:
        notes, short = [], self._picture - lane.end
        if lane.missing:
            notes.append(f"{name} is silent for {float(lane.missing):.2f} s in gaps")
        if short > SLACK_SECONDS and self._length is None:
            notes.append(f"{name} ends {float(short):.2f} s before the picture")
        return notes

    def close(self) -> None:
        """Let go of the source."""
        self._packets, self._pending = iter(()), None
        self._input.close()
        if self._covers:
            self._covers.clear()
            self._cover_input.close()


def _tag_like(stream: Stream, copy: Stream) -> None:
    """What the source says of a stream that is not copied by packet."""
    copy.metadata.update(stream_tags(stream, timecode=False))
    copy.disposition = stream.disposition


def _is_mov_text(stream: Stream) -> bool:
    return stream.codec_context is not None and stream.codec_context.name == "mov_text"


def _begin(packet: Packet[Stream]) -> Fraction:
    """When a retimed packet is due, in seconds of the output."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return (ticks or 0) * packet.time_base


def _attach(output: OutputContainer, packet: Packet[Stream]) -> None:
    """Cover art the Matroska way: an attachment that is called cover."""
    codec = packet.stream.codec_context
    name = "png" if codec is not None and codec.name == "png" else "jpeg"
    suffix = "png" if name == "png" else "jpg"
    output.add_attachment(f"cover.{suffix}", f"image/{name}", bytes(packet))

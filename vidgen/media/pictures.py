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
from av.codec.hwaccel import HWAccel
from av.packet import Packet
from av.stream import Stream

from vidgen.frame import VideoFormat
from vidgen.media.info import MediaInfo, media_info
from vidgen.media.packets import FAILURES_IN_A_ROW, Packets
from vidgen.media.scenes import length_size, scene_data
from vidgen.media.source import (
    chroma_location,
    described,
    film_start,
    main_video,
    open_source,
    reason,
)
from vidgen.media.whole import Stated, cut_off

__all__ = ["Pictures"]

log = logging.getLogger(__name__)

_RUN_IN_SECONDS = (0, 2, 10, 60)  # how far before a time to look for a picture to begin from


class Pictures:
    """An open film. Read it once, by `all` or by `before`; then `why_not_whole` can be asked.

    With `hwaccel` its pictures come from that hardware, where it takes them. Raises InputError when
    it cannot be opened or holds no video.
    """

    def __init__(self, source: Path, hwaccel: HWAccel | None = None) -> None:
        self._source = source
        self._container = open_source(source, hwaccel)
        try:
            self.stream = main_video(self._container, source)
            facts = described(self._container, source).get(self.stream.index, "")
            self.chroma_location = chroma_location(facts)
        except BaseException:
            self._container.close()
            raise
        self.time_base = self.stream.time_base or Fraction(1, av.time_base)
        self.zero = film_start(self._container)
        """Seconds on the container's clock at which the film begins."""
        self.begin = self.stream.start_time
        """When the first picture should be shown, in units of the time base, where that is said."""
        self.stated = Stated(self._container, self.stream)
        self.format_name = self._container.format.name
        """FFmpeg's name of the container's format."""
        self._packets = Packets(self._container, source)
        self._damaged = self._damaged_in_a_row = 0
        self.patched = 0
        """Pictures that are damaged by the decoder's own word."""
        self._awaited: set[int] = set()
        self._scenes: dict[int, bytes] = {}
        self._context = self.stream.codec_context
        self._context.thread_type = "AUTO"
        if hwaccel is not None:  # FFmpeg's threads would only take more of its few surfaces
            self._context.thread_count = 1
        self._has_scenes = self._context.name == "hevc"
        self._length_size = length_size(self._context.extradata)
        # Theora and old H.264 crop at the left; without this FFmpeg rounds that to its alignment.
        self._context.flags |= Flags.unaligned

    def info(self, video: VideoFormat) -> MediaInfo:
        """What the container says; `video` is what the pictures are."""
        return media_info(self._source, self._container, video)

    def close(self) -> None:
        """Let go of the file; pictures already handed out stay valid."""
        self._container.close()

    @property
    def failures(self) -> int:
        """Packets that could not be decoded, and errors of the container."""
        return self._damaged + self._packets.failures

    @property
    def joins(self) -> int:
        """How often the clock began anew."""
        return self._packets.joins

    @property
    def broken(self) -> str:
        """Why reading stopped early; empty while it did not."""
        if self._damaged_in_a_row >= FAILURES_IN_A_ROW:
            return f"{FAILURES_IN_A_ROW} damaged packets in a row"
        return self._packets.broken

    def all(self) -> Generator[av.VideoFrame]:
        """Every picture that can be decoded, drained at the end."""
        for packet in self._packets:
            if packet.stream_index == self.stream.index:
                self._note_scene(packet)
                yield from self._attempt(packet)
            if self._damaged_in_a_row >= FAILURES_IN_A_ROW:
                break
        while pictures := self._attempt(None):
            yield from pictures
        # An error while the decoder is drained takes along, unsaid, the pictures behind it.
        self._damaged += max(len(self._awaited) - self._damaged_in_a_row, 0)

    def _note_scene(self, packet: Packet[Stream]) -> None:
        if self._has_scenes and packet.pts is not None:
            scene = scene_data(bytes(packet), self._length_size)
            if scene:
                self._scenes[packet.pts] = scene

    def has_scene(self, picture: av.VideoFrame) -> bool:
        """Whether the picture's HDR10+ data is there, for `scene`."""
        return picture.pts in self._scenes

    def scene(self, picture: av.VideoFrame) -> bytes:
        """HDR10+ data of a picture that was decoded, given once; see `Frame.scene`."""
        return self._scenes.pop(picture.pts, b"") if picture.pts is not None else b""

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
        return self.broken or cut_off(self._source, self.format_name)

    def _attempt(self, packet: Packet[Stream] | None) -> list[av.VideoFrame]:
        """Pictures that `packet` (None: the end) completes; none, counted, when it is damaged."""
        if packet is not None and packet.pts is not None and not packet.is_discard:
            self._awaited.add(packet.pts)
        try:
            pictures = self._context.decode(packet)
        except av.EOFError:
            return []
        except av.FFmpegError as error:
            self._damaged += 1
            self._damaged_in_a_row += 1
            log.warning("%s: a packet cannot be decoded: %s", self._source, reason(error))
            if isinstance(error, BlockingIOError):  # the decoder is stuck on what it holds
                self._context.flush_buffers()
            return []
        if pictures:
            self._damaged_in_a_row = 0
            self.patched += sum(picture.is_corrupt for picture in pictures)
            shown = max((p.pts for p in pictures if p.pts is not None), default=None)
            if shown is not None:  # what came before it will not come any more
                self._awaited = {pts for pts in self._awaited if pts > shown}
        return pictures

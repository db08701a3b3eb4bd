"""Frames into a file, beside every other stream of the film they came from."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

from vidgen.errors import OutputError
from vidgen.frame import Frame, VideoFormat
from vidgen.light import HLG, PQ
from vidgen.media.codecs import (
    Container,
    container_of,
    find_codec,
    ordinary_priority,
    piece_container,
)
from vidgen.media.color import FULL, LIMITED, LimitedRange, picture
from vidgen.media.hdr import light_levels, with_light_levels
from vidgen.media.matroska import tell_display_aspect
from vidgen.media.nvidia import Feeder, shared
from vidgen.media.output import create, fitting, lost_tags, require_folder, video_stream
from vidgen.media.scenes import with_scene
from vidgen.media.sound_codecs import COPY
from vidgen.media.source import reason
from vidgen.media.streams import StreamCopier
from vidgen.surface import GpuPictures
from vidgen.timing import common_time_base

__all__ = ["Encoder", "scenes_left_behind"]

log = logging.getLogger(__name__)

_TAKES_SCENES = "x265"
_NO_SCENES = f"HDR10+ scene data is not carried; --codec {_TAKES_SCENES} takes it"
_MATROSKA = ("matroska", "webm")


def scenes_left_behind(codec: str, scene: bytes) -> list[str]:
    """A note where a picture has HDR10+ data, `scene`, and the codec of that word takes none."""
    return [_NO_SCENES] if scene and codec != _TAKES_SCENES else []


class Encoder:
    """Writes frames to `target`; a context manager.

    All that can be refused is refused here, before a frame is asked for: UsageError for a word,
    OutputError for the file or a stream that its container cannot hold. `time_base` is that of the
    frames; with `copy_from`, its other streams, chapters and tags come along by packet, and its
    sound so or encoded as `audio` says. Times are
    written counted from the beginning of that film, or from `start` seconds into it, and copied
    streams end at `end`. With `piece_of` a piece of that film's new version is written: pictures
    alone, counted from `start`, in a container that holds packets as they are; see `Joiner`.
    `threads` is how many the machine has for an encoder; 0 leaves that to the encoder. With `gpu`
    frames may lie there, and NVENC takes them as they are.

    Leaving the block writes what the encoder still holds and the container's index. Leaving it by
    an exception does too, up to the last frame written, so the file plays.
    """

    notes: list[str]
    """What the container could not be given."""
    coded: list[int]
    """Presentation times of the packets written, in coding order, in units of `time_base`."""
    time_base: Fraction

    def __init__(
        self,
        target: Path,
        format: VideoFormat,
        *,
        codec: str = "x264",
        crf: float | None = None,
        preset: str | None = None,
        time_base: Fraction,
        copy_from: Path | None = None,
        start: Fraction | None = None,
        end: Fraction | None = None,
        maps: Sequence[str] = (),
        audio: str = COPY,
        piece_of: Path | None = None,
        threads: int = 0,
        gpu: GpuPictures | None = None,
    ) -> None:
        self._target, self._format, self.notes, self.coded = target, format, [], []
        self._codec = find_codec(codec)
        self._codec.require_size(format.width, format.height)
        options = self._codec.encoder_options(crf, preset)
        film = copy_from or piece_of
        if film and format.color.transfer in (PQ, HLG):
            options = self._with_light_levels(options, film)
        self._pix_fmt = self._codec.pix_fmts[format.bit_depth]
        self._to_limited = self._range_converter() if self._codec.limited_range else None
        container = (piece_container if piece_of else partial(container_of, target))(self._codec)
        self._muxer = container.muxer
        require_folder(target)
        self._is_new = not target.exists()
        self._gpu, self._feed = gpu, Feeder(gpu) if gpu else None
        self._durations: dict[int, int] = {}
        self._scenes: dict[int, bytes] = {}
        self._last: int | None = None
        self._others: StreamCopier | None = None
        if copy_from:
            self._others = StreamCopier(copy_from, container, start, end, maps, audio)
        self._offset = self._others.offset if self._others else (start or Fraction(0))
        self.time_base = fitting(common_time_base(time_base, self._offset))
        try:
            with self._errors_named():
                self._output = create(target, container)
                self._add_streams(container, options, threads)
                with ordinary_priority():
                    self._output.start_encoding()
                if self._others:
                    self._others.begin(self._output)
        except BaseException:
            self._discard()
            raise

    def _range_converter(self) -> LimitedRange:
        """What makes the pictures limited range; the format is limited range from then on."""
        color = self._format.color
        if color.range == FULL:
            self.notes.append(f"{self._codec.word} knows no full range: it becomes limited range")
            self._format = replace(self._format, color=replace(color, range=LIMITED))
        return LimitedRange(self._pix_fmt, color.range)

    def _with_light_levels(self, options: dict[str, str], source: Path) -> dict[str, str]:
        """The options, with what the source says of its HDR10 display and light."""
        levels = light_levels(source)
        if levels is None:
            return options
        said = with_light_levels(options, self._codec.word, levels)
        if said == options:
            self.notes.append(f"{self._codec.word} cannot say HDR10's mastering display and light")
        return said

    def _add_streams(self, container: Container, options: dict[str, str], threads: int) -> None:
        def add_video() -> VideoStream:
            words = options, self.time_base, container
            with self._gpu.current() if self._gpu else nullcontext():
                hwaccel = shared(self._gpu.device) if self._gpu else None
                self._stream = video_stream(
                    self._output, self._codec, self._format, *words, hwaccel
                )
            self._stream.codec_context.thread_count = self._codec.threads(threads)
            return self._stream

        self.notes += lost_tags(self._format, container)
        if self._others:
            self._others.add_streams(self._output, add_video, self._format.fps)
            self.notes += self._others.notes
        else:
            add_video()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._finish(whole=True)
            return
        try:
            self._finish(whole=False)
        except OutputError as second:  # the first one is what the user must hear of
            log.debug("while closing: %s", second)

    def write(self, frame: Frame) -> None:
        """Add a frame of the format, after all before it. Raises OutputError when it cannot be."""
        if frame.y.shape != (self._format.height, self._format.width):
            raise ValueError(f"a frame of {frame.y.shape}, not of {self._format}")
        image = self._image(frame)
        if self._to_limited:
            image = self._to_limited(image)
        image.pts = self._ticks(frame.time - self._offset)
        image.time_base = self.time_base
        if self._last is not None and image.pts <= self._last:
            raise ValueError(f"a frame at {frame.time} s after one at or behind it")
        self._last = image.pts
        self._keep_scene(image.pts, frame.scene)
        self._durations[image.pts] = self._ticks(frame.end - self._offset) - image.pts
        color = self._format.color
        image.color_range, image.colorspace = color.range, color.matrix
        image.color_primaries, image.color_trc = color.primaries, color.transfer
        with self._errors_named():
            self._mux(self._stream.encode(image))

    def _image(self, frame: Frame) -> av.VideoFrame:
        """The frame's picture for the encoder, or for what makes it limited range."""
        if self._feed and not isinstance(frame.y, np.ndarray):
            return self._feed(frame.planes, self._pix_fmt)
        return picture(frame.planes, self._source_pix_fmt(frame))

    def _keep_scene(self, pts: int, scene: bytes) -> None:
        """HDR10+ data for the packet of that picture; a note where the codec takes none."""
        left = scenes_left_behind(self._codec.word, scene)
        self.notes += [note for note in left if note not in self.notes]
        if scene and not left:
            self._scenes[pts] = scene

    def _source_pix_fmt(self, frame: Frame) -> str:
        """The layout of the planes that the encoder takes, or that its pictures are made of."""
        if self._pix_fmt == "p010le":
            return self._pix_fmt
        if self._pix_fmt == "nv12" or frame.y.itemsize == 2:
            return "nv12" if frame.y.itemsize == 1 else "yuv420p10le"
        return "yuv420p"

    def _ticks(self, seconds: Fraction) -> int:
        return round(seconds / self.time_base)

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        """Write packets of the video, and before each the other streams up to its time."""
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, 0) if packet.pts is not None else 0
            self.coded.append(packet.pts or 0)
            if packet.pts is not None and (scene := self._scenes.pop(packet.pts, b"")):
                packet = with_scene(packet, scene)
            if self._others and packet.dts is not None:
                self._others.advance(packet.dts * self.time_base)
            self._output.mux_one(packet)

    def _finish(self, whole: bool) -> None:
        """Drain the encoder, then the other streams (if `whole`), and write the index."""
        try:
            with self._errors_named():
                try:
                    self._drain()
                    if self._others and whole:
                        self._others.finish()
                finally:
                    self._output.close()
                if whole:
                    self._tell_shape()
        finally:
            if self._others:
                self._others.close()
                self.notes += self._others.findings()

    def _tell_shape(self) -> None:
        """Have the finished file say how wide its pixels are, where only we can."""
        ratio, word = self._format.sample_aspect_ratio, self._codec.word
        if ratio == 1 or self._codec.tells_pixel_aspect or self._muxer not in _MATROSKA:
            return
        aspect = Fraction(self._format.width, self._format.height) * ratio
        if not tell_display_aspect(self._target, aspect):
            self.notes.append(f"the file with {word} is not told that pixels are {ratio} wide")

    def _drain(self) -> None:
        self._mux(self._stream.encode(None))

    def _discard(self) -> None:
        """Undo a target that could not be begun; a file that was there before is left alone."""
        if self._others:
            self._others.close()
        if self._is_new:
            self._target.unlink(missing_ok=True)

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        """FFmpeg's errors as one line that names the target."""
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            raise OutputError(f"{self._target}: cannot be written ({reason(error)})") from error

"""A film as frames: every picture in order, with exact times; an error if the end is missing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from os import PathLike
from pathlib import Path
from types import TracebackType

import av
from av.codec.hwaccel import HWAccel
from av.video.stream import VideoStream

from vidgen.errors import InputError, TruncatedError
from vidgen.frame import Color, Frame, VideoFormat
from vidgen.media.color import PictureReader, bit_depth, color_of, what_is_given_up
from vidgen.media.extras import what_is_left_behind
from vidgen.media.gaps import Gaps
from vidgen.media.hdr import stated_peak
from vidgen.media.info import MediaInfo
from vidgen.media.nvidia import Landing, exact, on_host, shared, why_not
from vidgen.media.pictures import Pictures
from vidgen.media.source import sample_aspect_ratio
from vidgen.media.timestamps import Stamps
from vidgen.media.unsaid import said_by_size
from vidgen.media.whole import SLACK_SECONDS, fragments_missing, lists_all
from vidgen.surface import GpuPictures
from vidgen.timing import format_time, snap_rate

__all__ = ["Decoder", "format_of", "probe"]

_Begun = tuple[av.VideoFrame | None, Iterator[av.VideoFrame]]
"""The first picture, if there is one, and those after it."""

_NO_TIMES = 0x80  # AVFMT_NOTIMESTAMPS: raw streams
_FASTEST = 1000  # frames per second; a "rate" above it is a clock, not a rate


def probe(source: str | PathLike[str]) -> MediaInfo:
    """What `source` holds, by its container and its first picture. Raises InputError."""
    with Decoder(source) as decoder:
        return decoder.info


class Decoder:
    """The frames of the main video stream of `source`; a context manager, to be iterated once.

    `start` and `end` are seconds from the beginning of the film; frames keep their own absolute
    `pts`. Frames with `start <= time < end` come out, decoded from the keyframe before. They may
    begin up to `early` seconds before `start`, at that keyframe, where any frames thereabouts do.

    `video` is what frames are to be, where that is known. Then, with `gpu`, NVDEC decodes them and
    they lie there, unless `decoded_on_host` says why not.

    Raises InputError when nothing can be read, and TruncatedError after the last readable frame
    when the film broke off.
    """

    info: MediaInfo
    """What the film holds, beside its pictures."""
    format: VideoFormat
    """What every frame will be: even size, 8 or 10 bits, 4:2:0, colours known."""
    tagged: Color
    """The colour tags that the film itself has."""
    notes: list[str]
    """What is given up, padded or put right; complete when the iteration has ended."""
    left_behind: list[str]
    """Those of the notes that tell what pictures carry and cannot take along; known at once."""
    decoded_on_host: str
    """Why the processor decodes, though there is a `gpu`; else empty."""

    def __init__(
        self,
        source: str | PathLike[str],
        *,
        start: Fraction | None = None,
        end: Fraction | None = None,
        early: Fraction = Fraction(0),
        video: VideoFormat | None = None,
        gpu: GpuPictures | None = None,
    ) -> None:
        self._source, self._asked = Path(source), (start, end)
        self.decoded_on_host = ""
        self._landing: Landing | None = None
        first, decoded = self._begun(video, gpu)
        try:
            if first is None:
                raise InputError(f"{source}: {self._no_picture()}")
            self._decoded: Iterator[av.VideoFrame] = chain([first], decoded)
            self._first_pts = first.pts
            if self._begin is not None and early:
                self._begin -= early  # a keyframe after that is the first to come
            seen = on_host(first)
            self.format = format_of(seen, self._pictures.stream, self._pictures.chroma_location)
            self.tagged = self.format.color
            self.info = self._pictures.info(self.format)
            color, unsaid = said_by_size(self.tagged, first.width, first.height)
            self.format = video or replace(self.format, color=color)
            scene = self._pictures.has_scene(first)
            self.left_behind = what_is_left_behind(first, scene=scene)
            self.notes = what_is_given_up(seen) + unsaid + self.left_behind
            self._stamps = Stamps(self._pictures.time_base, self.format.fps)
        except BaseException:
            self.close()
            raise

    def _begun(self, video: VideoFormat | None, gpu: GpuPictures | None) -> _Begun:
        """The first picture and those after it, on the GPU where there is one that takes them."""
        if video is not None and gpu is not None:
            try:
                with gpu.current():
                    begun = self._first_and_rest(shared(gpu.device))
            except InputError as error:
                self.decoded_on_host = f"no NVDEC: {error}"
            else:
                self.decoded_on_host = self._why_not_there(begun[0], video)
                if not self.decoded_on_host:
                    self._landing = Landing(video, gpu)
                    return begun
                self._pictures.close()
        return self._first_and_rest(None)

    def _why_not_there(self, first: av.VideoFrame | None, video: VideoFormat) -> str:
        codec = self._pictures.stream.codec_context.name
        if not exact(codec):
            return f"NVDEC is not used for {codec}"
        if first is None or self.failures:
            return "NVDEC does not read its first pictures"
        return why_not(first, video)

    def _first_and_rest(self, hwaccel: HWAccel | None) -> _Begun:
        """Pictures from before the range asked for, else from the start of the film."""
        start, end = self._asked
        self._pictures = Pictures(self._source, hwaccel)
        zero = self._pictures.zero
        self._begin = zero + start if start else None
        self._end = None if end is None else zero + end
        decoded = self._pictures.before(self._begin) if self._begin is not None else None
        if decoded is None and self._begin is not None:
            self._pictures.close()
            self._pictures = Pictures(self._source, hwaccel)
        decoded = decoded or self._pictures.all()
        return next(decoded, None), decoded

    @property
    def failures(self) -> int:
        """Packets that could not be decoded and were skipped."""
        return self._pictures.failures

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
        self._decoded = iter(())
        self._pictures.close()

    def __iter__(self) -> Iterator[Frame]:
        read = self._landing or PictureReader(self.format)
        time_base = self._pictures.time_base
        gaps, end = self._gaps(), None
        for picture, pts, duration in self._timed():
            end = pts + duration
            gaps(pts, self._stamps.duration(picture), duration)
            scene = self._pictures.scene(picture)
            if self._begin is None or pts * time_base >= self._begin:
                y, uv = read(picture)
                woven = bool(picture.interlaced_frame)
                yield Frame(y, uv, pts, duration, time_base, interlaced=woven, scene=scene)
        self.notes += self._stamps.notes() + gaps.notes() + read.notes
        if self._pictures.joins:
            self.notes.append("its clock jumps in the middle: parts are joined without a gap")
        if self.failures:
            self.notes.append(f"{self.failures} damaged packets were skipped")
        if patched := self._pictures.patched:
            self.notes.append(f"{patched} damaged pictures are shown as well as FFmpeg mends them")
        if end is not None and (self._end is None or end * time_base < self._end):
            self._require_whole(end * time_base)

    def _gaps(self) -> Gaps:
        """Ready for the first picture; where the film is read from its start, that is looked at."""
        pictures = self._pictures
        gaps = Gaps(pictures.time_base, pictures.zero, pictures.format_name)
        if self._begin is not None or self._first_pts is None:
            return gaps
        late = self._first_pts * pictures.time_base - pictures.zero
        if pictures.begin is not None and self._first_pts > pictures.begin:
            nominal = self._stamps.nominal
            gaps(pictures.begin - nominal, nominal, self._first_pts - pictures.begin + nominal)
        elif late > SLACK_SECONDS:
            self.notes.append(f"its first picture is shown {float(late):.2f} s after its sound")
        return gaps

    def _timed(self) -> Generator[tuple[av.VideoFrame, int, int]]:
        """Pictures before the end of the range with pts and duration: until the next one begins."""
        previous: tuple[av.VideoFrame, int] | None = None
        for picture in self._decoded:
            pts = self._stamps(picture)
            if previous is not None:
                yield (*previous, pts - previous[1])
            previous = picture, pts
            if self._end is not None and pts * self._pictures.time_base >= self._end:
                return
        if previous is not None:
            yield (*previous, self._stamps.duration(previous[0]))

    def _require_whole(self, end: Fraction) -> None:
        """Raise TruncatedError when the film ended, at `end` seconds, before it should."""
        done, stated = end - self._pictures.zero, self._pictures.stated
        why = self._pictures.why_not_whole()
        if not why and not self._pictures.joins and stated.is_far_beyond(done):
            why = "its pictures end before the film does"
        if why:
            of = f" of {format_time(stated.seconds)}" if stated.seconds > done else ""
            raise TruncatedError(
                f"{self._source}: broke off at {format_time(done)}{of} ({why}); "
                f"what could be read is kept"
            )
        if lost := fragments_missing(self._source, self._pictures.format_name):
            self.notes.append(
                f"{lost} fragments of the file are missing, with all that was in them"
            )
        format_name = self._pictures.format_name
        if (late := stated.unseen(done)) and not lists_all(self._source, format_name):
            self.notes.append(
                f"its pictures begin {float(late):.2f} s after the 0 that its length counts from: "
                f"if there were any before, they are missing"
            )
        picture = self._stamps.nominal * self._pictures.time_base
        if not self._pictures.joins and stated.is_beyond(done, picture):
            self.notes.append(
                f"its last picture ends at {format_time(done)}, "
                f"{float(stated.missing(done)):.2f} s before the film does"
            )

    def _no_picture(self) -> str:
        codec = self._pictures.stream.codec_context.name
        why = self._pictures.broken or "no data"
        return f"its {codec} video holds no picture that can be decoded ({why})"


def _rate(stream: VideoStream) -> Fraction | None:
    """Average frames per second as the container states or implies it."""
    rates = [stream.average_rate, stream.guessed_rate]
    if stream.container.format.flags & _NO_TIMES:  # the average is then 25, whatever the codec says
        rates.reverse()
    for rate in rates:
        if rate and 0 < rate <= _FASTEST:
            return snap_rate(rate)
    return None


def format_of(first: av.VideoFrame, stream: VideoStream, chroma_location: int) -> VideoFormat:
    """What the pictures of a stream become, by its first one."""
    return VideoFormat(
        width=first.width + first.width % 2,
        height=first.height + first.height % 2,
        fps=_rate(stream),
        bit_depth=bit_depth(first.format),
        sample_aspect_ratio=sample_aspect_ratio(stream),
        rotation=round(first.rotation / 90) * 90 % 360,
        color=color_of(first, stream.codec_context, chroma_location),
        peak=stated_peak(first),
    )

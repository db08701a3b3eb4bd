"""What a segment is made from: its own frames, those before it to run in, and a few after it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from vidgen.errors import TruncatedError
from vidgen.frame import Frame
from vidgen.job import Job, Segment
from vidgen.media import Decoder
from vidgen.surface import GpuPictures

__all__ = ["Reading"]

_DECODED_BEFORE = Fraction(2)  # seconds: pictures beside a keyframe may refer to ones before it
_RUN_IN = Fraction(2, 3)  # seconds, from which history and flow converge
_RUN_OUT = Fraction(1, 3)  # seconds, in which are the fields and repetitions that are looked at
_NEXT = Fraction(1, 1 << 30)  # seconds, in which only the first frame after it is


class Reading:
    """The run-in, the segment's own frames, and the first one after it; more where that is needed.

    `restores`: fields are made pictures, from those around them. `looks_on`: repetitions are looked
    for beyond a frame. Where `gpu` is given, and NVDEC takes the film, frames lie on that GPU.
    """

    def __init__(
        self,
        job: Job,
        segment: Segment,
        *,
        restores: bool,
        looks_on: bool,
        gpu: GpuPictures | None = None,
    ) -> None:
        alone = segment.fresh and not restores
        self._from = segment.begin if alone else segment.begin - _RUN_IN
        self._segment = segment
        first = max(segment.begin - job.zero - _DECODED_BEFORE, job.settings.start or Fraction(0))
        end = job.settings.end
        if segment.end is not None:
            own = segment.end - job.zero
            reach = own + (_RUN_OUT if restores or looks_on else _NEXT)
            end = reach if end is None else min(reach, max(end, own))
        video = job.video  # also where the source changes its own in mid-film
        self.decoder = Decoder(job.settings.source, start=first, end=end, video=video, gpu=gpu)
        self.lands = gpu is not None and not self.decoder.decoded_on_host
        """Whether frames lie on the GPU."""
        self.frames = 0
        """Frames of the segment itself."""
        self.broken = ""
        """Why the source broke off; what was read before that is used."""

    def __iter__(self) -> Iterator[Frame]:
        begin, end = self._segment.begin, self._segment.end
        try:
            for frame in self.decoder:
                if frame.time >= self._from:
                    self.frames += frame.time >= begin and (end is None or frame.time < end)
                    yield frame
        except TruncatedError as error:
            self.broken = str(error)

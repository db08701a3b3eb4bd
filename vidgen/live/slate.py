"""A still picture for the sink while there is nothing else to show."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event

import numpy as np

from vidgen.errors import InputError, UsageError
from vidgen.frame import Color, Frame, VideoFormat
from vidgen.live.clock import Clock
from vidgen.live.settings import LiveReport, LiveSettings
from vidgen.live.sink import Sink
from vidgen.media import Decoder
from vidgen.sizes import target_format
from vidgen.stage import background
from vidgen.stages import Fit
from vidgen.timing import parse_rate

__all__ = ["Slate"]

_WIDE = VideoFormat(width=1280, height=720)
"""What the source is taken for as long as nothing is known of it."""
_BLACK = "black"
_BT709, _LIMITED = 1, 1
_LUMA, _CHROMA = 16, 128  # of black


class Slate:
    """Sends the picture that `settings.slate` names from now on until `close`; none, where none.

    It has a connection of its own, without sound, since a sink is told at its beginning of all that
    will come. Raises UsageError, InputError for the picture, OutputError.
    """

    seconds: Fraction
    """For how long it has been shown, once it is closed."""

    def __init__(self, settings: LiveSettings, clock: Clock) -> None:
        self.seconds = Fraction(0)
        self._closed, self._ended = Event(), Event()
        if not settings.slate:
            self._ended.set()
            return
        if "://" not in settings.sink:
            raise UsageError(
                f"--slate: {settings.sink} begins with its first picture; leave --slate out"
            )
        if not settings.size or not settings.fps:
            raise UsageError("--slate: give --size and --fps, which no source tells yet")
        fps = parse_rate(settings.fps)
        frame, video = _picture(settings.slate, target_format(_WIDE, None, settings.size))
        self._frame, self._clock = frame, clock
        sink = Sink(settings, replace(video, fps=fps), [], clock, LiveReport())
        background(lambda: self._show(sink, fps), "slate")

    def _show(self, sink: Sink, fps: Fraction) -> None:
        begin, n = self._clock.now(), 0
        try:
            with closing(sink):
                while not self._closed.is_set():
                    sink.write(self._frame, n / fps)
                    n += 1
                    self._clock.sleep(begin + n / fps - self._clock.now())
        finally:
            self.seconds = n / fps
            self._ended.set()

    def close(self) -> None:
        """Let go of the sink; calling again does nothing."""
        self._closed.set()
        self._ended.wait()


def _picture(name: str, video: VideoFormat) -> tuple[Frame, VideoFormat]:
    """The picture, and its format: `video` in size. Raises InputError."""
    if name == _BLACK:
        y = np.full((video.height, video.width), _LUMA, np.uint8)
        uv = np.full((video.height // 2, video.width // 2, 2), _CHROMA, np.uint8)
        color = Color(range=_LIMITED, matrix=_BT709, primaries=_BT709, transfer=_BT709)
        return Frame(y, uv, 0, 1, Fraction(1)), replace(video, color=color)
    with Decoder(Path(name)) as decoder:
        given = decoder.format
        target = replace(given, width=video.width, height=video.height)
        for frame in Fit(target)(decoder):
            return frame, target
    raise InputError(f"{name}: holds no picture; give one, or black")

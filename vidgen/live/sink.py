"""One sink through all its connections."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from threading import Event
from typing import Any

from vidgen.errors import OutputError, VidgenError
from vidgen.frame import Frame, VideoFormat
from vidgen.live.clock import Clock
from vidgen.live.settings import LiveReport, LiveSettings
from vidgen.media.live import LiveOutput
from vidgen.stage import background

__all__ = ["Sink"]

log = logging.getLogger(__name__)

_NOTHING = Fraction(0)
_BACK_OFF = (Fraction(1, 2), Fraction(1), Fraction(2), Fraction(5))


class Sink:
    """Opened with the first picture; opened again, where it is no file, after it was lost.

    The sink's clock is `already` at its first picture, and goes on over connections. Whoever reads
    what is served (see `OutputOptions`) is waited for beside the stream, unless `patient`; nobody
    is, once `stop` is set. Raises OutputError, or UsageError for a word, where the first opening
    fails: `write` does where that was waited for.
    """

    def __init__(
        self,
        settings: LiveSettings,
        video: VideoFormat,
        others: Sequence[Any],
        clock: Clock,
        report: LiveReport,
        connect: Callable[..., LiveOutput] = LiveOutput,
        start: Callable[[Callable[[], object], str], object] = background,
        *,
        patient: bool = False,
        already: Fraction = _NOTHING,
        stop: Event | None = None,
    ) -> None:
        self._settings, self._video, self._others = settings, video, others
        self._clock, self._report, self._connect, self._start = clock, report, connect, start
        self._begin: Fraction | None = None
        self._already = already
        self._failures = 0
        self._retry = clock.now()
        self._output: LiveOutput | None = None
        self._opening = self._was_open = False
        self._stop = stop or Event()
        self._refused: VidgenError | None = None
        if patient or not settings.output.serve:
            self._open()

    def _open(self) -> None:
        options = self._settings.output
        self._output = self._connect(
            self._settings.sink, self._video, self._others, options, stop=self._stop
        )
        self._was_open = True
        for note in self._output.notes:
            if note not in self._report.notes:
                self._report.notes.append(note)

    def write(self, frame: Frame, due: Fraction) -> None:
        """Show `frame` at `due` on the output's clock. Raises OutputError for a file."""
        if self._begin is None:
            self._begin = due - self._already
        if not self._is_there():
            return
        step = 1 / (self._video.fps or Fraction(1))
        n = round((due - self._begin) / step)
        try:
            assert self._output is not None
            self._output.write(replace(frame, pts=n, duration=1, time_base=step))
            self._failures = 0
        except OutputError as error:
            self._lost(error)

    def pass_on(self, due: Fraction, shift: Fraction, passing: Any) -> None:
        """A packet of another stream, due then; before the first picture it is left out."""
        if self._begin is None or due < self._begin + self._already or self._output is None:
            return
        try:
            self._output.mux(passing, shift - self._begin)
        except OutputError as error:
            self._lost(error)

    def _lost(self, error: OutputError) -> None:
        """Let go, to try again later. Raises `error` where that makes no sense."""
        url = self._settings.sink
        if "://" not in url or not self._settings.reconnect:
            raise error
        log.warning("%s", error)
        if self._output is not None:
            self._output.abandon()
        self._output = None
        self._retry = self._clock.now() + _BACK_OFF[min(self._failures, len(_BACK_OFF) - 1)]
        self._failures += 1

    def _is_there(self) -> bool:
        """Whether pictures can be written; where not, somebody else waits for the other side."""
        if self._refused is not None:
            raise self._refused
        if self._output is None and not self._opening and self._clock.now() >= self._retry:
            self._opening = True
            self._start(self._open_again, "sink")
        return self._output is not None

    def _open_again(self) -> None:
        again = self._was_open
        try:
            self._open()
            self._report.sink_reconnects += again
        except VidgenError as error:
            if again and isinstance(error, OutputError):
                self._lost(error)
            else:
                self._refused = error
        finally:
            self._opening = False

    def close(self) -> None:
        """Flush and end; a reader that has not come, or has left, is not waited for."""
        try:
            if self._output is not None:
                self._output.close()
        except OutputError as error:
            self._lost(error)
        finally:
            self._stop.set()

    def abandon(self) -> None:
        """End without waiting for the other side."""
        self._stop.set()
        if self._output is not None:
            self._output.abandon()

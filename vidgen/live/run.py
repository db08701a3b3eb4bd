"""A stream from its source to its sink, on the clock.

    source ──queue──> stages ──queue──> pacer ─> encode + mux
    thread            thread            thread
      └──────────── sound, subtitles ──────────────┘

The first queue lets go of its oldest frame when it is full, so nothing piles up, and a frame that
would be too late gives way to a newer one; the second queue holds what is made before it is due. At
every instant of the output's grid the pacer shows the picture that was made for it, or the one
before it again: never a late one, since the sound keeps its time. The caller's thread listens for
signals, which none of the others would hear while a source or sink keeps it waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import ceil

import numpy as np

from vidgen.errors import OutputError
from vidgen.frame import Frame, VideoFormat, dtype_of
from vidgen.live.attend import attend
from vidgen.live.chain import Chain
from vidgen.live.clock import Clock, MachineClock
from vidgen.live.governor import Governor
from vidgen.live.pacer import Pacer, Shown
from vidgen.live.settings import TIERS, LiveReport, LiveSettings
from vidgen.live.sink import Sink
from vidgen.live.slate import Slate
from vidgen.live.source import Source
from vidgen.live.watch import Watch
from vidgen.memory import short_collections
from vidgen.stage import Feed, future

__all__ = ["run"]

_SLICE = Fraction(1, 10)
"""Seconds slept at once, so that a stop is heard."""
_WARM_UP = Fraction(2)
"""Seconds after the first picture in which lateness says nothing yet."""
_LEAST_AHEAD = 4
_LEAST_WAITING = 2
_MOST_AHEAD = 240
_PICTURES = 2
"""Of the source, over which load is measured at least: less may have none in it."""
_LEAD, _LARGEST_LEAD = Fraction(3, 2), Fraction(1, 4)
"""What encoding is given of the latency: so many instants of the output, at most that share."""


def run(
    settings: LiveSettings,
    said: Callable[[LiveReport], None] = lambda report: None,
    clock: Clock | None = None,
) -> LiveReport:
    """Run until the source ends for good, or `said` raises KeyboardInterrupt. Raises VidgenError.

    `said` is told about once a second, on another thread, how it goes. On the way out the sink is
    flushed and closed. So it is at a signal that would raise KeyboardInterrupt, which is raised
    where nothing has been shown yet, or where another one comes and the sink cannot be closed
    within a second.
    """
    settings.check()
    clock, report = clock or MachineClock(), LiveReport()
    slate, source = Slate(settings, clock), Source(settings, clock, report)
    try:
        future(source.connect, "connect").result()
        with Watch(settings, report) as watch:
            attend(_Stream(settings, source, slate, clock, report, watch, said))
    finally:
        source.close()
        slate.close()
    return report


class _Stream:
    """One run; see the module."""

    def __init__(
        self,
        settings: LiveSettings,
        source: Source,
        slate: Slate,
        clock: Clock,
        report: LiveReport,
        watch: Watch,
        said: Callable[[LiveReport], None],
    ) -> None:
        self._settings, self._source, self._slate, self._clock = settings, source, slate, clock
        self._report, self._watch, self._said = report, watch, said
        start = TIERS.index("realtime") if settings.tier == "auto" else 0
        self._chain = Chain(settings, source.video, lambda: self._governor.level, self._time, clock)
        tiers = self._chain.tiers
        self._governor = Governor(tiers, min(start, len(tiers) - 1), self._need)
        self._fps = self._chain.target.fps or Fraction(25)
        self._encode_seconds = 0.0
        latency = settings.latency
        self._delay = latency - min(_LEAD / self._fps, latency * _LARGEST_LEAD)
        """Seconds from when a picture comes until it is due, so that it is sent on in time."""
        self._too_late = 0
        self._sink: Sink | None = None
        self._stopped, self._left, self._hurry = False, False, threading.Event()
        report.engine, report.generate = self._chain.engine, self._chain.generate
        report.tier = self._governor.tier

    def run(self) -> None:
        """Make pictures and show them until the source ends, or `stop`."""
        self._ahead = ceil(self._settings.latency * self._fps) + _LEAST_AHEAD
        self._inbox: Feed[Frame] | None = None
        self._made: Feed[Frame] = Feed(self._pictures(), min(self._ahead, _MOST_AHEAD), "stages")
        try:
            while self._made.peek() is None and not (self._made.ended or self._stopped):
                self._clock.sleep(Fraction(1, 200))
            if self._made.peek() is not None and not self._stopped:
                self._sink = self._opened()
                self._show_and_end(self._sink)
        except OutputError:
            if not self._left:
                raise
        finally:
            self._end()
        if self._stopped and self._sink is None:
            raise KeyboardInterrupt

    def stop(self) -> bool:
        """End well, from any thread; whether that is to be waited for. Where nothing has been shown
        yet, or at the second call, nobody is waited for."""
        if self._stopped or self._sink is None:
            self._left = True
            self._hurry.set()
        self._stopped = True
        self._source.close()
        return not self._hurry.is_set()

    def _show_and_end(self, sink: Sink) -> None:
        try:
            with short_collections():
                self._show_all(sink)
        except KeyboardInterrupt:
            pass  # what was shown so far is a whole stream
        except BaseException:
            sink.abandon()
            raise
        sink.close()

    def _end(self) -> None:
        """Let go of source and stages."""
        self._source.close()
        if self._inbox is not None:
            self._inbox.close(0)  # else the stages wait for what comes no more
        self._made.close()
        if self._inbox is not None:
            self._inbox.close(0.5)  # a source that says nothing is not waited for
        self._tell()
        self._watch.end()

    def _pictures(self) -> Iterator[Frame]:
        """What the stages make of the source, from its first picture on."""
        for frame in self._chain(self._frames()):
            if self._inbox is not None and frame.time >= self._source.begin:
                yield frame

    def _frames(self) -> Iterator[Frame]:
        """Two grey frames from before the beginning, then the source's.

        When the source is asked for, the engines are built and the first grey frame has been drawn:
        not before that does it begin to be read, so that no picture waits for it.
        """
        for n in (-2, -1):
            yield _grey(self._source.video, n, self._fps)
        frames = self._source.frames(self._fps)
        # What waits for longer than half the budget would be late whatever happens to it.
        rate = self._source.video.fps or self._fps
        depth = max(_LEAST_WAITING, int(self._settings.latency * rate / 2))
        self._inbox = Feed(frames, depth, "source", drops=True)
        for frame in self._inbox:
            if len(self._inbox) and not self._in_time(frame, 1 / rate):
                self._too_late += 1
            else:
                yield frame

    def _in_time(self, frame: Frame, before: Fraction) -> bool:
        """Whether what is made of the frame will be there when it is due, if it takes as long as
        the last one; pictures between it and the last one are due up to `before` sooner."""
        works = self._chain.work_seconds
        left = frame.time - self._time() - (before if self._chain.looks_ahead else 0)
        return not works or works[-1] < left

    def _opened(self) -> Sink:
        """The sink, once there is a picture for it."""
        self._slate.close()
        return Sink(
            self._settings,
            self._chain.target,
            self._source.others,
            self._clock,
            self._report,
            patient=self._source.paced,
            already=self._slate.seconds,
            stop=self._hurry,
        )

    def _show_all(self, sink: Sink) -> None:
        pacer = Pacer(self._fps, self._made.peek, self._made.take, lambda: self._source.end)
        pacer.begin(self._time())
        self._warm = self._clock.now() + _WARM_UP
        self._load()
        told = self._clock.now()
        while not (self._made.ended or self._stopped):
            if pacer.over:  # what is still being made comes too late
                self._made.take(float(_SLICE))
                continue
            self._wait(pacer.due)
            self._skip(pacer)
            due = pacer.due
            frame, shown = pacer.show(self._source.newest, self._source.since)
            self._count(shown)
            if frame is not None:
                self._write(sink, frame, due)
            if self._clock.now() - told >= 1:
                told = self._clock.now()
                self._tell()
        if self._source.end is not None:
            self._pass_on(sink, self._source.end)

    def _time(self) -> Fraction:
        """The output's clock as the sink sees it: behind the source's by the delay."""
        return self._clock.now() - self._source.epoch - self._delay

    def _wait(self, due: Fraction) -> None:
        while (left := due - self._time()) > 0 and not self._stopped:
            self._clock.sleep(min(left, _SLICE))

    def _skip(self, pacer: Pacer) -> None:
        skipped = pacer.behind(self._time())
        self._report.skipped += skipped
        if skipped and self._clock.now() > self._warm:
            self._governor.late(self._clock.now())

    def _count(self, shown: Shown) -> None:
        if shown is not Shown.NEW:
            self._report.repeats += 1
        if shown is Shown.LATE and self._clock.now() > self._warm:
            self._report.late += 1
            self._governor.late(self._clock.now())

    def _write(self, sink: Sink, frame: Frame, due: Fraction) -> None:
        began = time.perf_counter()
        sink.write(frame, due)
        self._pass_on(sink, due)
        self._encode_seconds += time.perf_counter() - began
        self._report.frames_out += 1
        self._report.generated += frame.generated
        self._watch.latency(float(self._clock.now() - self._source.epoch - due))

    def _pass_on(self, sink: Sink, until: Fraction) -> None:
        passing = self._source.passing
        while passing and passing[0][0] <= until:
            sink.pass_on(*passing.popleft())

    def _need(self) -> float | None:
        """The share of the time from picture to picture that the stages work; None where either is
        not known: of a source that states no rate, before its second picture."""
        work, period = self._chain.usual_seconds, self._source.period
        return None if work is None or not period else work / float(period)

    def _load(self) -> float:
        """See `Watch.load`."""
        long_enough = max(Fraction(1), _PICTURES * self._source.period)
        seconds = self._chain.busy_seconds, self._encode_seconds
        return self._watch.load(self._clock.now(), *seconds, long_enough)

    def _tell(self) -> None:
        """Bring the report up to date, and show it to the governor and the world."""
        busy, now, report = self._load(), self._clock.now(), self._report
        if report.fps_in:
            self._governor.load(busy, now)
        else:
            self._governor.nothing_came()
        if report.shifts != self._governor.shifts:
            self._chain.work_seconds.clear()
            self._chain.processor_seconds.clear()
        report.tier, report.shifts = self._governor.tier, self._governor.shifts
        if self._inbox is not None:
            report.dropped = self._inbox.dropped + self._too_late
            report.queue = len(self._inbox)
        self._watch.publish(self._chain.work_seconds, self._chain.processor_seconds)
        self._said(report)


def _grey(video: VideoFormat, n: int, fps: Fraction) -> Frame:
    """A picture at `n / fps` in which nothing is to be seen."""
    dtype, middle = dtype_of(video.bit_depth), 1 << (video.bit_depth - 1)
    y = np.full((video.height, video.width), middle, dtype)
    uv = np.full((video.height // 2, video.width // 2, 2), middle, dtype)
    return Frame(y, uv, n, 1, 1 / fps)

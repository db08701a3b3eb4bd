"""One source through all its connections: frames on the output's clock, as they come."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from statistics import median

from vidgen.errors import InputError
from vidgen.frame import Frame, VideoFormat
from vidgen.live.clock import Clock
from vidgen.live.settings import LiveReport, LiveSettings
from vidgen.live.timeline import Timeline
from vidgen.media.live import LiveInput, Passing
from vidgen.timing import common_time_base

__all__ = ["Due", "Source"]

log = logging.getLogger(__name__)

Due = tuple[Fraction, Fraction, Passing]
"""When a packet is due on the output's clock, how much later than its source says, and itself."""

Connect = Callable[..., LiveInput]

_LONGEST_WAIT = Fraction(1)
"""Seconds that reading a file waits between two pictures: more is a jump of its clock."""
_BEHIND = Fraction(1, 4)
"""Seconds by which pictures in pieces lag before their pace is begun anew: see `_in_time`."""
_BURST_SECONDS = 3
"""For so long at most what a server had stored comes faster than in real time."""
_BACK_OFF = (Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2))
"""Seconds before each attempt to connect again; the last one is used from then on."""
_APART = Fraction(5)
"""Seconds that sound may lie before or behind the newest picture: more is another clock's time."""
_GAP = Fraction(1, 4)
"""Seconds without a picture, over which the one before is shown again; see `Generate`."""
_GAPS = 15
"""Between the last pictures, of which most say how far they are apart."""
_MOST_PACKETS = 4096
"""Of sound and the like that wait; beyond it the oldest go."""


class Source:
    """Connects, reads, waits for files' clocks, and connects again; see `LiveSettings`.

    `connect()` first; then iterate, on another thread if wanted. `passing` fills with what goes by
    the network.
    """

    video: VideoFormat
    others: Sequence[object]
    paced: bool
    """Whether it waits for its reader: a file, not a stream that goes on without one."""

    def __init__(
        self,
        settings: LiveSettings,
        clock: Clock,
        report: LiveReport,
        connect: Connect = LiveInput,
    ) -> None:
        self._settings, self._clock, self._report, self._connect = settings, clock, report, connect
        self._closed = threading.Event()
        self._input: LiveInput | None = None
        self._damaged = 0  # packets of earlier connections
        self.passing: deque[Due] = deque(maxlen=_MOST_PACKETS)
        self.newest = Fraction(-1)
        """Until when, on the output's clock, pictures have come."""
        self.since = Fraction(0)
        """From when on, on the output's clock, they have come without a gap."""
        self._length = Fraction(0)  # of the newest one
        self._gaps: deque[Fraction] = deque(maxlen=_GAPS)
        self.end: Fraction | None = None
        """When, on the output's clock, the last picture has been shown, once no other will come."""
        self.begin = Fraction(0)
        """When, on the output's clock, the first picture is due."""
        self.epoch = Fraction(0)
        """The machine's time at which the output's clock was 0."""

    def connect(self) -> LiveInput:
        """Open the first connection; with a slate, whenever there is one. Raises InputError."""
        waits = self._settings.slate and "://" in self._settings.source
        first = self._called(None) if waits else self._opened(None)
        assert first is not None
        self.video, self.others, self._kinds = first.video, first.others, first.kinds
        self.paced = first.paced
        return first

    @property
    def period(self) -> Fraction:
        """Seconds from picture to picture: what the source says, or more where fewer come."""
        said = 1 / self.video.fps if self.video.fps else Fraction(0)
        return max(said, median(tuple(self._gaps) or (Fraction(0),)))

    def _opened(self, expect: VideoFormat | None) -> LiveInput:
        settings = self._settings
        source = self._input = self._connect(
            settings.source,
            container=settings.container,
            listen=settings.listen,
            options=settings.options,
            stall_seconds=settings.stall_seconds,
            expect=expect,
            stop=self._closed,
        )
        if self._closed.is_set():  # nobody waits for it any more
            source.close()
        self._report.notes += [each for each in source.notes if each not in self._report.notes]
        return source

    def frames(self, fps: Fraction) -> Iterator[Frame]:
        """Frames of all connections, on the clock of an output of that rate."""
        self.epoch = self._clock.now()
        timeline = Timeline(fps, self.epoch)
        for source in self._connections():
            with source:
                try:
                    yield from self._frames(source, timeline)
                except InputError as error:
                    if not self._again(source):
                        raise
                    log.warning("%s", error)
            self._damaged += source.damaged
            timeline.lost()
        self.end = self.newest + self._length

    def _connections(self) -> Iterator[LiveInput]:
        """The first one, and others after it for as long as there are to be any."""
        assert self._input is not None
        source = self._input
        while True:
            yield source
            if not self._again(source):
                return
            next_one = self._called(self.video)
            if next_one is None:
                return
            source = next_one
            self._report.reconnects += 1

    def _called(self, expect: VideoFormat | None) -> LiveInput | None:
        """A connection, tried for until there is one; None where `close` came first."""
        for wait in chain(_BACK_OFF, iter(lambda: _BACK_OFF[-1], None)):
            self._clock.sleep(wait)
            if self._closed.is_set():
                break
            try:
                return self._opened(expect)
            except InputError as error:
                log.info("%s", error)
        return None

    def _again(self, source: LiveInput) -> bool:
        return self._settings.reconnect and not source.paced and not self._closed.is_set()

    def _frames(self, source: LiveInput, timeline: Timeline) -> Iterator[Frame]:
        waits = source.paced or source.in_pieces
        for item in self._in_time(source) if waits else self._at_the_edge(source):
            if self._closed.is_set():
                return
            if isinstance(item, Passing):
                self._pass(source, item, timeline.shift)
                continue
            self._report.frames_in += 1
            self._report.damaged = self._damaged + source.damaged
            due = timeline.place(item.time, self._clock.now())
            self._report.jumps = timeline.jumps
            if due is not None:
                self.begin = due if self.newest < 0 else self.begin
                if self.newest >= 0:
                    self._gaps.append(due - self.newest)
                if due - self.newest > max(_GAP, 2 * self._length):
                    self.since = due
                self.newest, self._length = due, item.duration * item.time_base
                yield _at(item, due)

    def _pass(self, source: LiveInput, item: Passing, shift: Fraction | None) -> None:
        """Give it the picture's shift; after a jump of the clock, what comes late is left out."""
        if shift is None or not self._is_known(source, item.lane):
            return
        if abs(item.time + shift - self.newest) < _APART:
            self.passing.append((item.time + shift, shift, item))

    def _is_known(self, source: LiveInput, lane: int) -> bool:
        """Whether that stream is of the kind that the sink was told of at the beginning."""
        return source.kinds[lane : lane + 1] == self._kinds[lane : lane + 1]

    def _in_time(self, source: LiveInput) -> Iterator[Frame | Passing]:
        """What files hold, not before its time. A piece of HLS that comes late puts off all after
        it: those come no sooner."""
        begin: Fraction | None = None
        last = Fraction(0)
        for item in source:
            if isinstance(item, Frame):
                now = self._clock.now()
                step = min(max(item.time - last, Fraction(0)), _LONGEST_WAIT)
                begin = now if begin is None else begin + step
                if source.in_pieces and now - begin > _BEHIND:
                    begin = now
                last = item.time
                while (left := begin - self._clock.now()) > 0 and not self._closed.is_set():
                    self._clock.sleep(min(left, Fraction(1, 4)))
            yield item

    def _at_the_edge(self, source: LiveInput) -> Iterator[Frame | Passing]:
        """What comes live, without what had been stored before."""
        began, before = self._clock.now(), None
        items = iter(source)
        for item in items:
            now = self._clock.now()
            if isinstance(item, Frame):
                slow = before is not None and now - before >= item.duration * item.time_base / 2
                before = now
                if slow or now - began > _BURST_SECONDS:
                    yield item
                    break
        yield from items

    def close(self) -> None:
        """End all; from any thread."""
        self._closed.set()
        if self._input is not None:
            self._input.close()


def _at(frame: Frame, due: Fraction) -> Frame:
    """The frame, shown at `due` on the output's clock."""
    length = frame.duration * frame.time_base
    unit = common_time_base(due, length)
    return replace(frame, pts=int(due / unit), duration=int(length / unit), time_base=unit)

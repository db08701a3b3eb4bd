"""A clock that tests turn, and sources that are lists."""

import socket
import subprocess
import sys
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from vidgen.errors import InputError
from vidgen.frame import Frame, VideoFormat

SENDER = """
import sys, time, av
source, url = sys.argv[1:3]
length, seconds = map(float, sys.argv[3:])

def opened(film):
    "The sink once somebody is there: the header is what is sent first."
    out = av.open(url, "w", format="mpegts", container_options={"flush_packets": "1"})
    twins = {each.index: out.add_stream_from_template(each) for each in film.streams}
    out.start_encoding()
    return out, twins

out, again, reached, deadline = None, 0, {}, time.monotonic() + 100
while again * length < seconds:
    with av.open(source) as film:
        while out is None:
            try:
                out, twins = opened(film)
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            began = time.monotonic()
        for packet in film.demux():
            if packet.dts is None:
                continue
            ticks = round(length * again / packet.time_base)
            packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
            packet.stream = twins[packet.stream_index]
            due = float(packet.dts * packet.time_base)
            if due < seconds and packet.dts > reached.get(packet.stream_index, -1):
                reached[packet.stream_index] = packet.dts  # priming goes back at each beginning
                time.sleep(max(0, due - time.monotonic() + began))
                out.mux(packet)
    again += 1
out.close()
"""
FAST = {"preset": "ultrafast", "g": "10"}
VIDEO = VideoFormat(width=32, height=16, fps=Fraction(30))


class Turned:
    """Goes on only when somebody sleeps, or by `pass_by`."""

    def __init__(self):
        self.time = Fraction(1000)

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += max(seconds, 0)


@pytest.fixture
def clock():
    return Turned()


def frame(n, rate=30, zero=Fraction(0)):
    """Frame n of a source whose clock begins at `zero`."""
    base = Fraction(1, 90000)
    pts = int((zero + Fraction(n, rate)) / base)
    y, uv = np.full((16, 32), n % 250, np.uint8), np.full((8, 16, 2), 128, np.uint8)
    return Frame(y, uv, pts, 90000 // rate, base)


class Connection:
    """What `LiveInput` is to `Source`: items come, each after a while, then it ends or is lost."""

    in_pieces = False

    def __init__(self, clock, items, *, paced=False, lost=False, kinds=()):
        self.video, self.others, self.kinds, self.paced = VIDEO, [], list(kinds), paced
        self.notes, self.damaged = (), 0
        self._clock, self._items, self._lost = clock, items, lost

    def __iter__(self):
        for wait, item in self._items:
            self._clock.sleep(wait)
            yield item
        if self._lost:
            raise InputError("lost")

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass


@pytest.fixture
def connections(clock):
    """`connections(first, second, ...)`: each call of it gives the next; None cannot be opened."""

    def make(*given):
        left = list(given)

        def connect(url, **words):
            found = left.pop(0)
            if found is None:
                raise InputError("refused")
            return found

        return connect

    return make


@pytest.fixture
def live():
    """The names above."""
    return SimpleNamespace(frame=frame, Connection=Connection, VIDEO=VIDEO)


@pytest.fixture
def port():
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def child():
    """`child(*command)`: a process that does not outlive the test."""
    started = []

    def start(*command, **words):
        process = subprocess.Popen(list(map(str, command)), **words)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=30)


@pytest.fixture
def sender(child):
    """`sender(film, url, length, seconds)`: a process that sends a film of that length, in seconds,
    as MPEG-TS at its own pace, over and over, once somebody listens."""

    def start(film, url, length, seconds):
        return child(sys.executable, "-c", SENDER, film, url, length, seconds)

    return start


@pytest.fixture
def film(clip):
    return clip("in.mp4", frames=30, size=(64, 48), audio="aac", options=FAST)

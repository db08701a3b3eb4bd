"""A broadcaster, and who watches what comes out, on simulated time."""

from __future__ import annotations

import random
from collections import Counter, deque
from dataclasses import replace
from fractions import Fraction
from functools import partial
from importlib import import_module
from types import SimpleNamespace

import numpy as np

from tests.live.simulation import SimulatedFeed, Simulation
from vidgen.errors import InputError, OutputError
from vidgen.frame import Frame, VideoFormat
from vidgen.live import LiveSettings, run
from vidgen.live.chain import Chain
from vidgen.live.settings import TIERS
from vidgen.live.sink import Sink
from vidgen.live.source import Source
from vidgen.media.live import Passing

RATE = 30
BASE = Fraction(1, 90000)
WRAP = 1 << 33  # ticks: as MPEG-TS counts
SOUND_LATER = Fraction(1, 200)
"""Each picture has a packet of sound that is due so much later."""


class Broadcaster:
    """Sends picture n, and its sound, at `began + n / rate`, late by up to 10 ms; each may be told
    to be an event: `jump`, `lost`, `stall`, `refuse` (lost, and not to be reached for 4 s), `away`
    (for 14 s). It says that it sends `said` pictures a second, where that is not `rate`."""

    def __init__(self, simulation, events=None, seed=0, *, rate=RATE, said=None):
        self.rate, self.said = rate, said or rate
        self.simulation, self.events, self.random = simulation, events or {}, random.Random(seed)
        self.began, self.zero, self.refused = simulation.now(), 95_000 * 90_000, 0
        self.happened, self.last_ones = Counter(), set()

    def due(self, n):
        return self.began + n / Fraction(self.rate)

    def __call__(self, url, **words):
        if self.refused:
            self.refused -= 1
            raise InputError("refused")
        return Connection(self)


class Connection:
    """What `LiveInput` is to `Source`."""

    paced = in_pieces = False
    others, kinds, notes, damaged = [None], ["audio aac"], (), 0

    def __init__(self, sender):
        self._sender = sender
        self.video = VideoFormat(width=32, height=16, fps=Fraction(sender.said))

    def __iter__(self):
        sender = self._sender
        n = int((sender.simulation.now() - sender.began) * sender.rate) + 1
        while True:
            due = sender.due(n) + Fraction(sender.random.randrange(10), 1000)
            sender.simulation.sleep(due - sender.simulation.now())
            self._event(n, sender.events.pop(n, None))
            ticks = (sender.zero + n * 90_000 // sender.rate) % WRAP
            yield Frame(*_picture(n), ticks, 90_000 // sender.said, BASE)
            later = (ticks + int(SOUND_LATER / BASE)) % WRAP
            yield Passing(0, SimpleNamespace(number=n), later * BASE)
            n += 1

    def _event(self, n, event):
        sender = self._sender
        sender.happened[event] += 1
        if event == "jump":
            sender.zero = sender.random.randrange(WRAP)
        elif event == "stall":
            sender.simulation.sleep(5)
        elif event in ("refuse", "away"):
            sender.refused = 3 if event == "refuse" else 8
        if event in ("lost", "refuse", "away", "stall"):
            sender.last_ones.add(n - 1)
            raise InputError(event)

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass


def _picture(n):
    y, uv = np.zeros((16, 32), np.uint8), np.full((8, 16, 2), 128, np.uint8)
    y[0, :4] = np.frombuffer(n.to_bytes(4, "big"), np.uint8)
    y[6:10, n % 24 : n % 24 + 4] = 200  # something that moves, too small for doubt
    return y, uv


class Viewer:
    """What `LiveOutput` is to `Sink`; keeps the worst of what was seen, not all of it."""

    def __init__(self, simulation, sender, breaks_at=()):
        self.simulation, self.sender, self.breaks_at = simulation, sender, list(breaks_at)
        self.notes, self.written, self.sounds = [], 0, 0
        self.longest_gap = self.longest_age = self.worst_drift = self.worst_offset = Fraction(0)
        self._before = self._origin = None
        self._shown = {}
        self._order = deque()

    def write(self, frame):
        now = self.simulation.now()
        if self.breaks_at and now >= self.breaks_at[0]:
            self.breaks_at.pop(0)
            raise OutputError("gone")
        if self._before is None:
            self._origin = now - frame.time
        else:
            self.longest_gap = max(self.longest_gap, now - self._before)
        self._before = now
        self.worst_drift = max(self.worst_drift, abs(now - frame.time - self._origin))
        self.written += 1
        n = int.from_bytes(frame.y[0, :4].tobytes(), "big")
        if frame.generated or n in self._shown:
            return
        if n not in self.sender.last_ones:  # such a one stays until the source is there again
            self.longest_age = max(self.longest_age, now - self.sender.due(n))
        self._shown[n] = frame.time
        self._order.append(n)
        if len(self._order) > 100:
            del self._shown[self._order.popleft()]

    def mux(self, passing, shift):
        time = passing.time + shift - SOUND_LATER
        if passing.packet.number in self._shown:
            self.sounds += 1
            off = abs(time - self._shown[passing.packet.number])
            self.worst_offset = max(self.worst_offset, off)

    def close(self):
        pass

    abandon = close


def watch(
    monkeypatch, seconds, events=None, breaks_at=(), chain=None, told=None, sends=None, **words
):
    """What comes of `seconds` of a broadcast: the report, the sender and the viewer."""
    simulation = Simulation()
    sender = Broadcaster(simulation, events, **sends or {})
    breaks_at = [simulation.now() + each for each in breaks_at]
    viewer = Viewer(simulation, sender, breaks_at)
    module = import_module("vidgen.live.run")  # its function has the same name
    monkeypatch.setattr(module, "Feed", partial(SimulatedFeed, simulation))
    monkeypatch.setattr(module, "Source", partial(Source, connect=sender))
    sink = partial(Sink, connect=lambda *given, stop: viewer, start=lambda work, name: work())
    monkeypatch.setattr(module, "Sink", sink)
    if chain:
        monkeypatch.setattr(module, "Chain", chain)
    given = {"source": "tcp://there:1", "sink": "tcp://here:1", "scale": 1, "fps": "60"}
    settings = LiveSettings(**given | {"latency": Fraction(1, 5), "tier": "off"} | words)
    end = simulation.now() + seconds

    left = [KeyboardInterrupt]

    def said(report):
        if told:
            told(report)
        if simulation.now() >= end and left:
            raise left.pop()

    return run(settings, said, simulation), sender, viewer


class Costly(Chain):
    """The stages, as if each picture, unless it is shown again, took `costs[tier]` seconds."""

    costs: dict[str, Fraction]

    def __init__(self, settings, source, level, shown, clock):
        super().__init__(replace(settings, tier="off"), source, level, shown, clock)
        self.tiers = TIERS if settings.tier == "auto" else (settings.tier,)
        self._stages.append(self._slowly)

    def _slowly(self, frames):
        for frame in frames:
            if not frame.duplicate:
                self._clock.sleep(self.costs[self.tiers[self._level()]])
            yield frame

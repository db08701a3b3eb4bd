"""How a stream is doing, for whoever looks: a file, or HTTP on loopback."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any, Self

from vidgen.errors import OutputError, UsageError
from vidgen.live.settings import LiveReport, LiveSettings
from vidgen.stage import background

__all__ = ["Watch"]

_NOTHING = Fraction(0)
_LAST_WRITE_SECONDS = 5
_ENOUGH = Fraction(1, 2)
"""Seconds that a rate is told of at least: over less, one picture more or less is a multiple."""
_LATENCIES = 1000
"""The last so many pictures are what percentiles are of."""


class Watch:
    """Keeps the figures of a report that change with time, and publishes it; a context manager.

    Raises UsageError where the port is taken, OutputError where the file cannot be written.
    """

    def __init__(self, settings: LiveSettings, report: LiveReport) -> None:
        self._file, self._report = settings.status_file, report
        self._seconds: deque[float] = deque(maxlen=_LATENCIES)
        self._before: deque[tuple[Fraction, float, float, int, int]] = deque()
        self._begin: Fraction | None = None
        self._text = {"/": b"{}\n", "/metrics": b"\n"}
        self._server: ThreadingHTTPServer | None = None
        if settings.status_port is not None:
            self._server = _server(settings.status_port, self._text)
        self._publish_file()
        self._fresh, self._over, self._written = Event(), Event(), Event()
        self._failed: OutputError | None = None

    @property
    def port(self) -> int | None:
        """The port that answers, where one was asked for; 0 asks for any."""
        return self._server.server_address[1] if self._server else None

    def __enter__(self) -> Self:
        if self._server is not None:
            background(self._server.serve_forever, "status")
        background(self._write, "status file")
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._fresh.set()
        self._written.wait(_LAST_WRITE_SECONDS)
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def latency(self, seconds: float) -> None:
        """A picture was written so long after it came."""
        self._seconds.append(seconds)

    def load(
        self, now: Fraction, stages: float, encoder: float, over: Fraction = _NOTHING
    ) -> float:
        """The share of the time that the busier of both threads worked: since the last call that
        is `over` seconds ago, or since the first, with which the run begins; 1 too soon after that.

        Both are given as seconds so far. Rates of frames are brought up to date, too.
        """
        report = self._report
        counts = report.frames_in, report.frames_out
        while len(self._before) > 1 and now - self._before[1][0] >= over:
            self._before.popleft()
        before = self._before[0] if self._before else (now, stages, encoder, *counts)
        self._before.append((now, stages, encoder, *counts))
        self._begin = now if self._begin is None else self._begin
        report.seconds = round(float(now - self._begin), 3)
        if now - before[0] < _ENOUGH:
            return 1.0
        seconds = float(now - before[0])
        report.fps_in = round((counts[0] - before[3]) / seconds, 2)
        report.fps_out = round((counts[1] - before[4]) / seconds, 2)
        report.load = round(max(stages - before[1], encoder - before[2]) / seconds, 3)
        return report.load

    def end(self) -> None:
        """The rates of the whole run, where it was long enough to have any.

        All that came before the first picture was shown counts: the last one is shown as much later
        than it came.
        """
        report = self._report
        if report.seconds >= _ENOUGH:
            report.fps_in = round(report.frames_in / report.seconds, 2)
            report.fps_out = round(report.frames_out / report.seconds, 2)

    def publish(self, works: Collection[float], processor: Collection[float] = ()) -> None:
        """Have the report written where it was asked for; `works` are seconds that frames in took,
        and `processor` those of a core. Raises OutputError where that failed the last time."""
        if self._failed is not None:
            raise self._failed
        report = self._report
        report.latency_p50 = _percentile(self._seconds, 50)
        report.latency_p95 = _percentile(self._seconds, 95)
        report.stages_p99 = _percentile(works, 99)
        report.processor_p99 = _percentile(processor, 99)
        report.latency_p99 = _percentile(self._seconds, 99)
        self._text["/"] = (json.dumps(report.plain()) + "\n").encode()
        self._text["/metrics"] = report.prometheus().encode()
        self._fresh.set()

    def _write(self) -> None:
        """What is published, on its own thread: who shows pictures is not to wait for a disk."""
        try:
            while not self._over.is_set():
                self._fresh.wait()
                self._fresh.clear()
                self._publish_file()
            self._publish_file()  # what came while that was being written
        except OutputError as error:
            self._failed = error
        finally:
            self._written.set()

    def _publish_file(self) -> None:
        """Whole or not at all: a reader never sees half of it."""
        if self._file is None:
            return
        part = self._file.with_name(f"{self._file.name}.part")
        try:
            part.write_bytes(self._text["/"])
            part.replace(self._file)
        except OSError as error:
            raise OutputError(f"{self._file}: cannot be written ({error.strerror})") from error


def _percentile(seconds: Collection[float], share: int) -> float:
    """In milliseconds; 0 where there are none."""
    ordered = sorted(seconds)
    return round(1000 * ordered[len(ordered) * share // 100], 1) if ordered else 0.0


def _server(port: int, text: dict[str, bytes]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text.get(self.path)
            self.send_response(200 if body else 404)
            kind = "application/json" if self.path == "/" else "text/plain; version=0.0.4"
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body or b"there are / and /metrics\n")

        def log_message(self, format: str, *args: Any) -> None:
            pass  # stderr is the stream's

    try:
        return ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise UsageError(f"--status-port {port}: cannot listen ({error.strerror})") from error

"""Several processes on one machine, each on a segment of its own, with its share of the cores.

The run hands out segments and hears of frames, log lines, pieces and errors. A worker ends when its
pipe does, so none outlives the run by more than a frame, however that ends.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from functools import partial
from logging.handlers import QueueHandler
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from threading import Lock
from types import TracebackType
from typing import Any

from vidgen.engines import gpu_count
from vidgen.errors import VidgenError
from vidgen.job import Job, Made, Segment
from vidgen.memory import keep_freed_memory
from vidgen.segments.folder import Work
from vidgen.segments.pieces import Pieces
from vidgen.segments.tally import Tally

__all__ = ["Workers"]

log = logging.getLogger(__name__)

_PROCESSES = multiprocessing.get_context("spawn")  # a fork would copy locks that threads hold
_PATIENCE = 5.0  # seconds for a worker to end by itself


class Workers:
    """`count` processes that make segments: a `Maker` for one film, and a context manager.

    They start at once, so that they have loaded what they need when the film has been looked at.
    """

    def __init__(self, count: int) -> None:
        self._workers = [_Worker(number, cores) for number, cores in enumerate(_shares(count))]

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def __call__(
        self, work: Work, todo: Iterator[Segment], tally: Tally
    ) -> Iterator[tuple[Segment, Made]]:
        """Make the segments; those that are finished first come first.

        The first error of a worker is raised here. All have ended when this returns, so that the
        folder can be put in order.
        """
        try:
            while True:
                for worker in self._workers:
                    if worker.segment is None and (segment := next(todo, None)) is not None:
                        worker.begin(work, segment)
                busy = [worker for worker in self._workers if worker.segment is not None]
                if not busy:
                    return
                ready = wait([worker.pipe for worker in busy])
                for worker in [worker for worker in busy if worker.pipe in ready]:
                    made = worker.hear(tally)
                    if made is not None and worker.segment is not None:
                        yield worker.segment, made
                        worker.segment = None
        finally:
            self._end()

    def _end(self) -> None:
        """Stop all, whatever they do; a second time, nothing."""
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.end()


def _shares(count: int) -> list[list[int]]:
    """Cores for each of `count` workers; empty lists where they are fewer, or cannot be chosen."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return [cores[n::count] if len(cores) >= count else [] for n in range(count)]


def _on_its_gpu(job: Job, number: int) -> Job:
    """The job for worker `number`: where there are several GPUs, each takes the next one."""
    if job.settings.device is None and (count := gpu_count()):
        return replace(job, settings=replace(job.settings, device=number % count))
    return job


class _Worker:
    """A process that makes segments, seen from the run."""

    segment: Segment | None = None
    """What it works on."""

    def __init__(self, number: int, cores: list[int]) -> None:
        self._number, self._employed = number, False
        self.pipe, its_own = _PROCESSES.Pipe()
        words = (its_own, cores, logging.root.level)
        self._process = _PROCESSES.Process(target=_serve, args=words, daemon=True)
        with _deaf():
            self._process.start()
        its_own.close()  # so that the pipe ends when the worker does

    def begin(self, work: Work, segment: Segment) -> None:
        """Hand out a segment, and before the first one the job that it is part of."""
        self.segment = segment
        with suppress(ConnectionError):  # it has ended, which is heard of next
            if not self._employed:
                self.pipe.send((_on_its_gpu(work.job, self._number), work.pieces.folder))
                self._employed = True
            self.pipe.send(segment)

    def hear(self, tally: Tally) -> Made | None:
        """Take one message; a segment that is made is returned. Raises what the worker raised."""
        try:
            message = self.pipe.recv()
        except (EOFError, ConnectionError):
            raise VidgenError(self._how_it_ended()) from None
        if isinstance(message, BaseException):
            raise message
        if isinstance(message, logging.LogRecord):
            logging.getLogger(message.name).handle(message)
        elif isinstance(message, Made):
            return message
        elif self.segment is not None:
            tally.running(self.segment, *message)
        return None

    def _how_it_ended(self) -> str:
        self._process.join(_PATIENCE)
        code = self._process.exitcode or 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"a worker process ended ({how}); if memory ran out, give fewer --jobs"

    def stop(self) -> None:
        """Tell it to end; what it has not finished does not count."""
        self.pipe.close()
        self._process.terminate()

    def end(self) -> None:
        """Wait until it has ended, and see to it."""
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started here do not hear a Ctrl-C, which reaches all: the run ends its workers."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # else the first worker begins it, which unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection[Any, Any], cores: list[int], level: int) -> None:
    """Body of a worker: hear of the job, then make what comes until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for systems without masks
    if cores:
        os.sched_setaffinity(0, cores)
    keep_freed_memory()
    lock = Lock()  # log lines come from several threads

    def send(message: object) -> None:
        with lock:
            pipe.send(message)

    handler = QueueHandler(_LogPipe(send))  # type: ignore[arg-type]
    logging.basicConfig(level=level, handlers=[handler], force=True)
    with suppress(EOFError, ConnectionError):  # the run has ended
        job, folder = pipe.recv()
        while True:
            segment = pipe.recv()
            try:
                send(Pieces(folder).make(job, segment, partial(_tell, send)))
            except ConnectionError:
                raise
            except Exception as error:  # noqa: BLE001 - handed to the run, which raises it
                send(_sendable(error))


def _tell(send: Callable[[object], None], frames: int, end: Fraction) -> None:
    send((frames, end))


def _sendable(error: Exception) -> Exception:
    """`error`, or the text of it where it does not survive the pipe."""
    log.debug("%s", traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - any class may fail in any way here
        return RuntimeError("".join(traceback.format_exception_only(error)).strip())
    return error


class _LogPipe:
    """What a QueueHandler takes for a queue: records go to the run."""

    def __init__(self, send: Callable[[object], None]) -> None:
        self._send = send

    def put_nowait(self, record: object) -> None:
        """Send it; a run that has ended needs no log."""
        with suppress(ConnectionError):
            self._send(record)

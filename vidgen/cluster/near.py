"""Segments as tasks of Ray: the same pieces, made on as many machines as there are.

Each machine needs vidgen in the same version. The film may lie in a folder that all see under the
same name; where a machine does not have it, what a segment needs of it is read through the machine
that began the run. Pieces come back in chunks to the disk of that machine, and only there does a
piece count; a task that is lost with its machine is begun anew elsewhere.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from vidgen.cluster.far import LISTEN_SECONDS, Desk, import_ray, make
from vidgen.errors import BackendError, VidgenError
from vidgen.job import Made, Progress, Report, Segment, Settings
from vidgen.segments import Tally, Work, content_of, program, sha256_of
from vidgen.segments import run as run_here

__all__ = ["run"]

log = logging.getLogger(__name__)

_ATTEMPTS = 4  # that a segment has before its machines are taken to be at fault
_PATIENCE = 10.0  # seconds for the cluster's head to answer


def run(
    settings: Settings,
    progress: Callable[[Progress], None] = lambda _: None,
    announce: Callable[[str], None] | None = None,
    *,
    address: str = "auto",
) -> Report:
    """A film as by `vidgen.run`, on the Ray cluster at `address`; `jobs` pieces at a time, or one
    a machine.

    Raises BackendError where there is no such cluster, and VidgenError as `vidgen.run` does.
    """
    with _connected(address):
        return run_here(settings, progress, announce, make=_make_all)


@contextmanager
def _connected(address: str) -> Iterator[None]:
    ray = import_ray()
    if ray.is_initialized():  # by the program that called us, who also ends it
        yield
        return
    _require_listener(address)
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_cluster(address, str(error).strip().splitlines()[0]) from error
    try:
        yield
    finally:
        ray.shutdown()


def _require_listener(address: str) -> None:
    """Ray itself tries for minutes, in C++, and ends the process."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():  # auto, or a name that Ray knows
        return
    try:
        socket.create_connection((host, int(port)), _PATIENCE).close()
    except OSError as error:
        raise _no_cluster(address, error.strerror or str(error)) from error


def _no_cluster(address: str, why: str) -> BackendError:
    return BackendError(
        f"--cluster {address}: no Ray cluster ({why}); begin one with: ray start --head"
    )


@dataclass(slots=True)
class _Task:
    """A segment in the making."""

    segment: Segment
    stream: Any
    """Ray's generator of what the task yields."""
    attempts: int
    file: BinaryIO
    """Where its piece is put together."""


def _make_all(work: Work, todo: Iterator[Segment], tally: Tally) -> Iterator[tuple[Segment, Made]]:
    """Make the segments on the cluster; those that are finished first come first."""
    tasks = _Tasks(work)
    try:
        while True:
            while tasks.have_room() and (segment := next(todo, None)) is not None:
                tasks.begin(segment)
            if not tasks.running:
                return
            for segment, frames, end in tasks.told():
                tally.running(segment, frames, end)
            yield from tasks.finished()
    finally:
        tasks.close()


class _Tasks:
    """All tasks of a run, and the desk at which they ask for the film and tell how far they are."""

    def __init__(self, work: Work) -> None:
        self._ray = ray = import_ray()
        self._pieces = work.pieces
        nodes = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
        jobs = work.job.settings.jobs
        self._room = jobs if jobs > 1 else len(nodes)
        cores = max(1, int(min(filter(None, nodes)) // -(-self._room // len(nodes))))
        settings = work.job.settings
        self._job = replace(work.job, settings=replace(settings, source=settings.source.absolute()))
        strategies = import_module("ray.util.scheduling_strategies")
        node = ray.get_runtime_context().get_node_id()
        here = strategies.NodeAffinitySchedulingStrategy(node, soft=False)
        desk = ray.remote(num_cpus=0, scheduling_strategy=here)(Desk)
        self._desk = desk.remote(self._job.settings.source)
        words = {"num_cpus": cores, "num_returns": "streaming", "max_retries": 0}
        self._make = ray.remote(**words, _generator_backpressure_num_objects=4)(make)
        self.running: list[_Task] = []

    def have_room(self) -> bool:
        """Whether another task may begin."""
        return len(self.running) < self._room

    def begin(self, segment: Segment, attempts: int = 1) -> None:
        """Hand out a segment."""
        content = content_of(self._job.settings.source)
        stream = self._make.remote(self._job, segment, content, program(), self._desk)
        path = self._pieces.folder / f"{segment.index:05}.{os.getpid()}.tmp"
        self.running.append(_Task(segment, stream, attempts, path.open("wb")))

    def told(self) -> list[tuple[Segment, int, Fraction]]:
        """How far the tasks say they are."""
        said: dict[int, tuple[int, Fraction]] = self._ray.get(self._desk.told.remote())
        running = {task.segment.index: task.segment for task in self.running}
        return [(running[index], *far) for index, far in said.items() if index in running]

    def finished(self) -> Iterator[tuple[Segment, Made]]:
        """Take what has come in; pieces that are whole are kept and given."""
        streams = {task.stream: task for task in self.running}
        ready, _ = self._ray.wait([*streams], num_returns=1, timeout=LISTEN_SECONDS)
        for stream in ready:
            task = streams[stream]
            try:
                item = self._ray.get(next(stream))
            except (StopIteration, self._ray.exceptions.RayError) as error:
                self._lost(task, error)
                continue
            if isinstance(item, bytes):
                task.file.write(item)
                continue
            self._drop(task)
            made, sha256 = item
            temporary = Path(task.file.name)
            if made.coded and sha256_of(temporary) != sha256:
                self._again(task, "its piece came in damaged")
                continue
            self._pieces.keep(task.segment, temporary, made)
            temporary.unlink(missing_ok=True)
            yield task.segment, made

    def _lost(self, task: _Task, error: Exception) -> None:
        self._drop(task)
        if isinstance(error, self._ray.exceptions.RayTaskError):
            raise error.cause if isinstance(error.cause, Exception) else error
        self._again(task, type(error).__name__)

    def _again(self, task: _Task, why: str) -> None:
        if task.attempts == _ATTEMPTS:
            raise VidgenError(f"segment {task.segment.index} was lost {_ATTEMPTS} times ({why})")
        log.warning("segment %d was lost and is begun anew (%s)", task.segment.index, why)
        self.begin(task.segment, task.attempts + 1)

    def _drop(self, task: _Task) -> None:
        task.file.close()
        self.running.remove(task)

    def close(self) -> None:
        """Stop all tasks."""
        for task in self.running:
            task.file.close()
            self._ray.cancel(task.stream, force=True)
        self._ray.kill(self._desk)

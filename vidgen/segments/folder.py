"""The work folder, `OUT.vidgen` beside the output: who works in it, on what, and how far it is.

    film.mkv.vidgen/
      lock                 held by the run that works here
      3f9a01c27bd4/        one for each film, settings and program (Identity.key)
        job.json           that identity, the source's name, the number of threads, the scan
        starts.jsonl       where segments begin, as far as that has been found out
        00007.piece        encoded pictures of segment 7
        00007.json         its SHA-256 and what else is known, written when the piece is on the disk
        pictures.jsonl     of numbered pictures, instead of pieces: those that are finished

A piece without a record is not finished, whatever it looks like.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from vidgen.errors import OutputError
from vidgen.job import Job
from vidgen.segments.identity import Identity
from vidgen.segments.journal import Journal
from vidgen.segments.pieces import Pieces
from vidgen.segments.plan import Start, starts
from vidgen.segments.records import BAD_RECORD, plain, start_from, sync_folder, write_durably

__all__ = ["SUFFIX", "Work", "finished_in", "hold", "jobs_in", "work_folder"]

SUFFIX = ".vidgen"


def work_folder(target: Path) -> Path:
    """Where the pieces of that output lie until it is whole."""
    return target.with_name(target.name + SUFFIX)


class Work:
    """The work on one output, held by this process; a context manager.

    Leaving it keeps what is finished, and removes the folder where nothing is. Raises OutputError
    where the folder cannot be written, where another run holds it, or where `--resume` was asked
    for and what is there was made of something else.
    """

    def __init__(self, job: Job, identity: Identity) -> None:
        self._root = work_folder(job.settings.target)
        self.notes: list[str] = []
        """What was found of earlier runs."""
        try:
            self._root.mkdir(exist_ok=True)
            self._lock = hold(self._root)
            try:
                folder = self._root / self._chosen(identity, job.settings.resume)
                if job.settings.resume is False:
                    shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(exist_ok=True)
                self.pieces = Pieces(folder)
                self.job = _entered(folder, job, identity)
            except BaseException:
                self._leave()
                raise
        except OSError as error:
            raise OutputError(f"{self._root}: cannot be written ({error.strerror})") from error

    def _chosen(self, identity: Identity, resume: bool | None) -> str:
        """The key to go on with: the identity's own, else of a run that was asked the same."""
        others = jobs_in(self._root)
        if identity.key in others or not others or resume is False:
            return identity.key
        for key, facts in others.items():
            if resume and facts.get("done") == identity.done:
                self.notes.append(f"goes on, though {identity.differences(facts)}")
                return key
        differences = identity.differences(next(iter(others.values())))
        if resume:
            raise OutputError(f"{self._root}: {differences}; to start anew, leave out --resume")
        self.notes.append(f"starts anew: in the earlier run {differences}")
        return identity.key

    def __enter__(self) -> Work:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        for stray in self._root.glob("*/*.tmp"):  # of workers that were ended
            stray.unlink(missing_ok=True)
        folders = list(self._root.glob("*/"))
        empty = [folder for folder in folders if not finished_in(folder)]
        for each in [self._root] if empty == folders else empty:
            shutil.rmtree(each, ignore_errors=True)
        os.close(self._lock)

    def remove(self) -> None:
        """Remove all pieces, those of other settings too."""
        shutil.rmtree(self._root, ignore_errors=True)

    def starts(self) -> Iterator[Start]:
        """Where segments begin: those known from earlier runs, then those found now."""
        path, known = self.pieces.folder / "starts.jsonl", list[Start]()
        with suppress(*BAD_RECORD):  # the last line may be cut off; what it said is found again
            known += [start_from(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
        yield from known
        with path.open("w", encoding="utf-8") as file:
            for start in known:
                print(json.dumps(plain(start)), file=file)
            for start in starts(self.job, known[-1] if known else None):
                print(json.dumps(plain(start)), file=file, flush=True)
                yield start


def finished_in(folder: Path) -> int:
    """How many pieces, or pictures of a sequence, are finished in the folder of one key."""
    return Pieces(folder).count() or len(Journal(folder))


def jobs_in(root: Path) -> dict[str, dict[str, Any]]:
    """What is known of each run that has left something in a work folder, by key, latest first."""
    found = {}
    for path in sorted(root.glob("*/job.json"), key=lambda path: -path.stat().st_mtime_ns):
        with suppress(*BAD_RECORD):
            found[path.parent.name] = json.loads(path.read_text("utf-8"))
    return found


def hold(root: Path) -> int:
    """A handle that keeps other runs out of the folder until it is closed, by death even.

    Raises OutputError where another run has it.
    """
    handle = os.open(root / "lock", os.O_CREAT | os.O_RDWR, 0o644)
    if sys.platform != "win32":
        import fcntl  # absent there

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise OutputError(f"{root}: another vidgen is at work in it; wait for it") from None
    return handle


def _entered(folder: Path, job: Job, identity: Identity) -> Job:
    """The job as the last run has begun it in `folder`; where none has, this one begins it."""
    for stray in folder.glob("*.tmp"):
        stray.unlink(missing_ok=True)
    path = folder / "job.json"
    with suppress(*BAD_RECORD):
        return replace(job, threads=int(json.loads(path.read_text("utf-8"))["threads"]))
    facts = {"done": identity.done, "by": identity.by, "threads": job.threads}
    facts["scan"] = job.scan.to_json()
    write_durably(path, {"source": str(job.settings.source.absolute()), **facts})
    sync_folder(folder.parent)
    sync_folder(folder.parent.parent)
    return job

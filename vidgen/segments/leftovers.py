"""Work folders that are lying about: what is in them, and how to be rid of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vidgen.errors import InputError, OutputError
from vidgen.segments.folder import SUFFIX, finished_in, hold, jobs_in

__all__ = ["Leftover", "clean_leftover", "leftovers"]


@dataclass(frozen=True, slots=True)
class Leftover:
    """A work folder."""

    path: Path
    source: str
    """The film, or sequence, that was worked on last."""
    finished: int
    """Pieces, or pictures of a sequence, that are finished, of all settings."""
    bytes: int
    """On the disk."""
    changed: float
    """When a piece was finished last, in seconds since 1970."""
    busy: bool
    """True while a run is at work in it."""


def leftovers(places: Iterable[Path]) -> list[Leftover]:
    """The work folders in `places`: themselves, or the folders they lie in. Raises InputError."""
    found: list[Path] = []
    for place in places:
        if not place.is_dir():
            raise InputError(f"{place}: no such folder; give a work folder or the one it lies in")
        inside = sorted(place.glob(f"*{SUFFIX}/"))
        found += [place] if place.name.endswith(SUFFIX) else inside
    return [_described(path) for path in found if jobs_in(path)]


def _described(path: Path) -> Leftover:
    files = [each.stat() for each in path.rglob("*") if each.is_file()]
    jobs = jobs_in(path)
    return Leftover(
        path=path,
        source=str(next(iter(jobs.values())).get("source", "")),
        finished=sum(finished_in(path / key) for key in jobs),
        bytes=sum(facts.st_size for facts in files),
        changed=max(facts.st_mtime for facts in files),
        busy=_is_held(path),
    )


def _is_held(path: Path) -> bool:
    try:
        os.close(hold(path))
    except OutputError:
        return True
    return False


def clean_leftover(leftover: Leftover) -> None:
    """Remove a work folder and all in it. Raises OutputError where a run is at work in it."""
    handle = hold(leftover.path)
    try:
        shutil.rmtree(leftover.path)
    except OSError as error:
        raise OutputError(f"{leftover.path}: cannot be removed ({error.strerror})") from error
    finally:
        os.close(handle)

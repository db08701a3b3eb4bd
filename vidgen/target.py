"""The output's name: checked before work begins, given only to a whole file."""

from __future__ import annotations

import os
from pathlib import Path

from vidgen.errors import OutputError

__all__ = ["partial_path", "publish", "require_writable"]


def partial_path(target: Path) -> Path:
    """`film.mkv` while it is being made: `film.partial.mkv`, so that players know its container."""
    return target.with_name(f"{target.stem}.partial{target.suffix}")


def require_writable(target: Path, source: Path, overwrite: bool) -> None:
    """Raise OutputError unless `target` may be made. Nothing is created."""
    folder = target.parent
    if target.is_dir():
        raise OutputError(f"{target} is a folder; give the name of a file, such as out.mkv")
    if not folder.is_dir():
        raise OutputError(f"there is no folder {folder}; create it or give another output")
    if target.exists():
        if source.exists() and target.samefile(source):
            raise OutputError(f"{target} is the input itself; give another output")
        if not overwrite:
            raise OutputError(f"{target} exists; give another output or --overwrite")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"no permission to write in {folder}; give another output")


def publish(partial: Path, target: Path) -> None:
    """Give the finished file its name, after its bytes are on the disk."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(target)

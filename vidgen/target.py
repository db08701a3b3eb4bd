"""Names of files: what they tell, and the output's: checked before work, given to a whole file."""

from __future__ import annotations

import os
from pathlib import Path

from vidgen.errors import OutputError

__all__ = [
    "PICTURES",
    "is_picture",
    "partial_path",
    "publish",
    "require_apart",
    "require_beside",
    "require_writable",
]


PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
"""How names of pictures, and of numbered ones, end."""


def is_picture(path: Path) -> bool:
    """Whether the name is that of a picture or of a sequence, by its suffix."""
    return path.suffix.lower() in PICTURES


def partial_path(target: Path) -> Path:
    """`film.mkv` while it is being made: `film.partial.mkv`, so that players know its container."""
    return target.with_name(f"{target.stem}.partial{target.suffix}")


def require_writable(target: Path, source: Path, overwrite: bool) -> None:
    """Raise OutputError unless `target` may be made. Nothing is created."""
    _require_place(target)
    require_apart(target, source)
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists; give another output or --overwrite")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"no permission to write in {target.parent}; give another output")


def require_apart(target: Path, source: Path) -> None:
    """Raise OutputError where `target` would be written over `source`, by whatever name."""
    if target.exists() and source.exists() and target.samefile(source):
        raise OutputError(f"{target} is the input itself; give another output")


def require_beside(path: Path, *films: Path) -> None:
    """Raise OutputError unless `path`, which tells of `films`, may be written and is none of them.

    An older one is written over. A film need not be there yet. Nothing is created.
    """
    for film in films:
        if path.resolve() == film.resolve():
            raise OutputError(f"{path} is the film itself; give what tells of it another name")
        require_apart(path, film)
    _require_place(path)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OutputError(f"no permission to write {path}; give another name")


def _require_place(path: Path) -> None:
    try:
        partial_path(path).exists()  # the longest name that will be needed
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; create it first")


def publish(partial: Path, target: Path) -> None:
    """Give the finished file its name, after its bytes are on the disk."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(target)

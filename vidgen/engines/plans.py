"""Built engines on disk, and what was learnt on the way to them.

Found by all that they depend on, believed only when they are whole.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["cached", "identity", "keep", "plans_folder", "read"]

log = logging.getLogger(__name__)

_MAGIC = b"vidgen plan 1\n"
_SUM = 32  # bytes of a SHA-256


def plans_folder() -> Path:
    """`$XDG_CACHE_HOME/vidgen/plans`; it may not exist, and may be removed at any time."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "vidgen" / "plans"


def identity(facts: Mapping[str, Any]) -> str:
    """The name of the engine that all those facts lead to: the same in every process."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def cached(name: str, build: Callable[[], bytes], folder: Path | None = None) -> bytes:
    """The plan of that name, built and kept where it is not there or is damaged."""
    plan = read(f"{name}.plan", folder)
    if plan is None:
        plan = build()
        keep(f"{name}.plan", plan, folder)
    return plan


def read(file: str, folder: Path | None = None) -> bytes | None:
    """What was kept as that file; None where that is nothing, or not what was written."""
    path = (folder or plans_folder()) / file
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("%s cannot be read (%s): made anew", path, error.strerror)
        return None
    head, plan = data[: len(_MAGIC) + _SUM], data[len(_MAGIC) + _SUM :]
    if head == _MAGIC + hashlib.sha256(plan).digest():
        return plan
    log.warning("%s is damaged: made anew", path)
    return None


def keep(file: str, data: bytes, folder: Path | None = None) -> None:
    """Keep `data` as that file.

    Written under another name first, so that a reader never sees half of it. Where nothing can be
    written it is made each time, and the log says so.
    """
    path = (folder or plans_folder()) / file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            part.write(_MAGIC + hashlib.sha256(data).digest() + data)
        os.replace(part.name, path)
    except OSError as error:
        log.warning("%s cannot be written (%s): made again next time", path, error.strerror)

"""What a film's new version depends on: only if it is the same do two runs' pieces fit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vidgen.job import NO_PICTURE_DEPENDS_ON, Job, Settings
from vidgen.pipeline import Steps
from vidgen.stages import Upscale

__all__ = ["Identity", "asked_of", "content_of", "identify", "program"]

_ENDS = 1 << 20  # bytes at the head and the tail of the source that are looked at
_PROGRAM = ("vidgen", "av", "numpy", "opencv-python-headless")  # what makes pictures beside engines


@dataclass(frozen=True, slots=True)
class Identity:
    """All that the pictures depend on."""

    asked: dict[str, str]
    """The source's content and the settings."""
    by: dict[str, str]
    """The program, its libraries, its networks, the machine."""

    @property
    def key(self) -> str:
        """Short and different for each identity; a folder's name."""
        text = json.dumps([self.asked, self.by], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def differences(self, other: Mapping[str, Any]) -> str:
        """`--crf was 18.0`: in what an identity that was written down is another one."""
        was = {**other.get("asked", {}), **other.get("by", {})}
        now = {**self.asked, **self.by}
        changed = [name for name in was.keys() | now.keys() if was.get(name) != now.get(name)]
        return ", ".join(f"{name} was {was.get(name, 'not known')}" for name in sorted(changed))


def identify(job: Job, steps: Steps, engine: str) -> Identity:
    """The identity of a run. Raises OSError where the source cannot be read."""
    models = {
        f"model {step.model.name}": " ".join(sorted(step.model.sha256.values()))
        for step in steps.values()
        if isinstance(step, Upscale)
    }
    return Identity(
        asked_of(job.settings),
        {**program(), **models, "engine": engine},
    )


def asked_of(settings: Settings) -> dict[str, str]:
    """The source's content and the settings that pictures depend on. Raises OSError."""
    words = {
        f"--{field.name}": str(getattr(settings, field.name))
        for field in fields(settings)
        if field.name not in NO_PICTURE_DEPENDS_ON
    }
    return {"source": content_of(settings.source), **words}


def program() -> dict[str, str]:
    """Versions of what makes pictures beside the engines, on this machine."""
    return {name: _version(name) for name in _PROGRAM}


def content_of(source: Path) -> str:
    """Size, time of the last change, and a hash of both ends. Raises OSError."""
    facts, digest = source.stat(), hashlib.sha256()
    with source.open("rb") as file:
        digest.update(file.read(_ENDS))
        file.seek(max(facts.st_size - _ENDS, 0))
        digest.update(file.read(_ENDS))
    return f"{facts.st_size} bytes, {facts.st_mtime_ns} ns, {digest.hexdigest()[:16]}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"

"""What a film's new version depends on: only if it is the same do two runs' pieces fit.

That is what is done, not how it was asked for: a default that is said aloud, or a size or rate in
other words, is the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vidgen.frame import VideoFormat
from vidgen.job import NO_PICTURE_DEPENDS_ON, Job, Settings
from vidgen.media.codecs import find_codec
from vidgen.pipeline import Steps, output_format
from vidgen.stages import Upscale

__all__ = ["Identity", "content_of", "done_to", "identify", "program"]

_ENDS = 1 << 20  # bytes at the head and the tail of the source that are looked at
_PROGRAM = ("vidgen", "av", "numpy", "opencv-python-headless")  # what makes pictures beside engines


@dataclass(frozen=True, slots=True)
class Identity:
    """All that the pictures depend on."""

    done: dict[str, str]
    """The source's content and what the settings come to."""
    by: dict[str, str]
    """The program, its libraries, its networks, the machine."""

    @property
    def key(self) -> str:
        """Short and different for each identity; a folder's name."""
        text = json.dumps([self.done, self.by], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def differences(self, other: Mapping[str, Any]) -> str:
        """`--crf was 18.0`: in what an identity that was written down is another one."""
        if "done" not in other:
            return "vidgen was an earlier one, which wrote down less"
        was, now = {**other["done"], **other.get("by", {})}, {**self.done, **self.by}
        changed = [name for name in was.keys() | now.keys() if was.get(name) != now.get(name)]
        return ", ".join(f"{name} was {was.get(name, 'not known')}" for name in sorted(changed))


def identify(job: Job, steps: Steps, engine: str, content: str) -> Identity:
    """The identity of a run on a source of that `content`."""
    models = {
        f"model {step.model.name}": " ".join(sorted(step.model.sha256.values()))
        for step in steps.values()
        if isinstance(step, Upscale)
    }
    settings = _said(job.settings, steps, output_format(steps, job.video))
    return Identity(done_to(settings, content), {**program(), **models, "engine": engine})


def _said(settings: Settings, steps: Steps, video: VideoFormat) -> Settings:
    """The settings with all that pictures depend on said aloud, each thing in one way."""
    codec = find_codec(settings.codec)
    network = next((step for step in steps.values() if isinstance(step, Upscale)), None)
    pixels = "" if video.sample_aspect_ratio == 1 else f", pixels {video.sample_aspect_ratio}"
    quality = codec.crf if settings.crf is None else settings.crf
    return replace(
        settings,
        scale=None,
        size=f"{video.width}x{video.height}{pixels}",
        fps=None if settings.fps is None else str(video.fps),
        tier=settings.tier or "realtime",
        model=network.model.name if network else None,
        strength=float(network.model.strength) if network else None,
        backend=network.backend.name if network else settings.backend,
        crf=None if quality is None else float(quality),
        preset=settings.preset or codec.preset or None,
        depth=video.bit_depth,
    )


def done_to(settings: Settings, content: str) -> dict[str, str]:
    """The source's content and the settings that pictures depend on."""
    settings = replace(settings, start=settings.start or None)
    words = {
        f"--{field.name}": str(getattr(settings, field.name))
        for field in fields(settings)
        if field.name not in NO_PICTURE_DEPENDS_ON
    }
    return {"source": content, **words}


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

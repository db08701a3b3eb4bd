"""Real-time video super-resolution and frame generation.

    from vidgen import Settings, run

    report = run(Settings(source=Path("film.mkv"), target=Path("out.mkv"), size="1080p", fps="60"))

The command line, `vidgen.cli`, is a thin layer over these names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidgen.errors import VidgenError as VidgenError
    from vidgen.job import Progress as Progress
    from vidgen.job import Report as Report
    from vidgen.job import Settings as Settings
    from vidgen.segments import run as run
    from vidgen.stages.predict import predict as predict

__all__ = ["Progress", "Report", "Settings", "VidgenError", "predict", "run"]

_HOMES = {
    "Progress": "vidgen.job",
    "Report": "vidgen.job",
    "Settings": "vidgen.job",
    "VidgenError": "vidgen.errors",
    "predict": "vidgen.stages.predict",
    "run": "vidgen.segments",
}


def __getattr__(name: str) -> object:
    """Load a name at its first use: `import vidgen` alone must not cost the media libraries."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

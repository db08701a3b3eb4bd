"""Real-time video super-resolution and frame generation.

    from vidgen import Settings, run

    report = run(Settings(source="film.mkv", target="out.mkv", size="1080p", fps="60"))

The command line, `vidgen.cli`, is a thin layer over these names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidgen.errors import VidgenError as VidgenError
    from vidgen.filter import Filter as Filter
    from vidgen.filter import open as open
    from vidgen.filter import stream as stream
    from vidgen.frame import Frame as Frame
    from vidgen.job import Progress as Progress
    from vidgen.job import Report as Report
    from vidgen.job import Settings as Settings
    from vidgen.media.rgb import RGB as RGB
    from vidgen.media.rgb import from_rgb as from_rgb
    from vidgen.media.rgb import to_rgb as to_rgb
    from vidgen.stages.predict import predict as predict
    from vidgen.upscale import run as run

__all__ = [
    "RGB",
    "Filter",
    "Frame",
    "Progress",
    "Report",
    "Settings",
    "VidgenError",
    "from_rgb",
    "open",
    "predict",
    "run",
    "stream",
    "to_rgb",
]

_HOMES = {
    "Filter": "vidgen.filter",
    "Frame": "vidgen.frame",
    "Progress": "vidgen.job",
    "Report": "vidgen.job",
    "Settings": "vidgen.job",
    "RGB": "vidgen.media.rgb",
    "VidgenError": "vidgen.errors",
    "from_rgb": "vidgen.media.rgb",
    "open": "vidgen.filter",
    "predict": "vidgen.stages.predict",
    "run": "vidgen.upscale",
    "stream": "vidgen.filter",
    "to_rgb": "vidgen.media.rgb",
}


def __getattr__(name: str) -> object:
    """Load a name at its first use: `import vidgen` alone must not cost the media libraries."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

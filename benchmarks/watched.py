"""`python -m benchmarks.watched WORDS`: `vidgen upscale WORDS`, with a watch on its frames.

Nothing is imported that the command line would not import. Prints one JSON object; times are
`time.monotonic()`, the clock of all processes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import vidgen.segments
from vidgen.cli import main
from vidgen.job import Progress, Report, Settings


def upscale(*words: str) -> dict[str, Any]:
    """`vidgen upscale WORDS`, noting when frames were written; times are `time.monotonic()`."""
    stamps: list[float] = []
    reports: list[Report] = []
    run = vidgen.segments.run

    def watched(settings: Settings, progress: Callable[[Progress], None], *more: Any) -> Report:
        """The pipeline as the command line calls it."""

        def note(done: Progress) -> None:
            stamps.append(time.monotonic())
            progress(done)

        reports.append(run(settings, note, *more))
        stamps.append(time.monotonic())
        return reports[0]

    vidgen.segments.run = watched  # type: ignore[assignment]
    code = main(["upscale", *words, "--quiet"])
    if code:
        sys.exit(code)
    return {
        "frames": len(stamps) - 1,
        "first": stamps[0],
        "last": stamps[-1],
        "engine": reports[0].engine,
        "step_seconds": reports[0].step_seconds,
    }


if __name__ == "__main__":
    print(json.dumps(upscale(*sys.argv[1:])))

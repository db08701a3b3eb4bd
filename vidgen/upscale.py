"""What `vidgen upscale` does with one source: a film or pictures, as the source's name says."""

from __future__ import annotations

from collections.abc import Callable

from vidgen import segments, stills
from vidgen.job import Progress, Report, Settings
from vidgen.target import is_picture

__all__ = ["is_there", "run"]


def is_there(settings: Settings) -> bool:
    """Whether the target is there as a whole: of a sequence all pictures, and no work is left.

    Raises VidgenError where numbered pictures are none.
    """
    return stills.are_there(settings) if is_picture(settings.source) else settings.target.exists()


def run(
    settings: Settings,
    progress: Callable[[Progress], None] = lambda _: None,
    announce: Callable[[str], None] | None = None,
) -> Report:
    """Read the source, make the target, say what was done. Raises VidgenError.

    A name that ends in `target.PICTURES` is one picture, or with `%05d` numbered ones, of which
    `progress` is told one by one. Of a film, `announce` is told before the work begins what the new
    one will lack, and what a long one will take: without it, no sample is made. A KeyboardInterrupt
    passes, and says how far a film is.
    """
    if is_picture(settings.source):
        return stills.run(settings, progress)
    return segments.run(settings, progress, announce)

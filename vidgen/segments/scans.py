"""How the film was recorded: looked at once, and not again by the run that goes on."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from vidgen.frame import Frame
from vidgen.job import Settings
from vidgen.media import MediaInfo
from vidgen.restore import scan_film
from vidgen.scan import PROGRESSIVE, Scan
from vidgen.segments.folder import jobs_in, work_folder
from vidgen.segments.identity import content_of, done_to, program
from vidgen.segments.records import BAD_RECORD

__all__ = ["scanned"]

_DEPENDS_ON = ("source", "--start", "--end", "--deinterlace")


def scanned(settings: Settings, info: MediaInfo, frames: Iterable[Frame]) -> Scan:
    """What is to be undone in the film, as an earlier run has found it, else by a first pass.

    `frames`: those asked for, in order.
    """
    if settings.deinterlace == "off":
        return PROGRESSIVE
    if settings.resume is not False and (found := _found(settings)):
        return found
    forced = settings.deinterlace == "on"
    return scan_film(info, frames, start=settings.start, end=settings.end, forced=forced)


def _found(settings: Settings) -> Scan | None:
    """From the work folder, whatever else the settings were; None where it is not there."""
    jobs = jobs_in(work_folder(settings.target)).values()
    if not jobs:
        return None
    done, by = done_to(settings, content_of(settings.source)), program()
    for facts in jobs:
        with suppress(*BAD_RECORD):
            same = all(facts["done"][name] == done[name] for name in _DEPENDS_ON)
            if same and by.items() <= facts["by"].items():
                return Scan.from_json(facts["scan"])
    return None

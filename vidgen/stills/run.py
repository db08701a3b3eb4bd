"""What `vidgen upscale` does with a picture, or with numbered ones.

Where no network is asked for, a single picture gets `quality`: frames of a film are many. `still`
has learnt from photographs and is nearer to them on average; soft edges, as of drawings that were
blurred before they were shrunk, it makes harder than they were.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields, replace
from fractions import Fraction

from vidgen.errors import UsageError
from vidgen.frame import VideoFormat
from vidgen.job import Job, Progress, Report, Settings
from vidgen.pipeline import build_stages, output_format
from vidgen.segments import identify
from vidgen.stills.draw import Drawing
from vidgen.stills.names import Names, is_numbered
from vidgen.stills.picture import left_out, read_picture, write_picture
from vidgen.stills.sequence import make_sequence
from vidgen.target import is_picture, require_writable

__all__ = ["run"]

_FILMS_ONLY = (
    "fps", "generate", "deinterlace", "codec", "depth", "hdr", "crf", "preset", "audio", "maps",
    "video_only", "start", "end", "jobs",
)  # fmt: skip
_DEFAULTS = {field.name: field.default for field in fields(Settings)}


def run(settings: Settings, progress: Callable[[Progress], None] = lambda _: None) -> Report:
    """Enlarge one picture, or all of a sequence (`%05d` in both names). Raises VidgenError.

    Pictures of a sequence must be of one size; each one sees what was drawn for the one before it.
    A KeyboardInterrupt passes, and says how far a sequence is.
    """
    began = time.perf_counter()
    _require_words(settings)
    names, alone = Names(settings.source, settings.target), not is_numbered(settings.source)
    source, target = names[0]  # what there is of a sequence is looked at later
    require_writable(target, source, settings.overwrite or not alone)
    names.require_apart()
    settings = replace(settings, tier=settings.tier or ("quality" if alone else None))
    first = read_picture(names[0][0])
    job = _job(settings, VideoFormat(first.y.shape[1], first.y.shape[0], bit_depth=10))
    steps, engine = build_stages(settings, job.video)
    report = Report(job.video, output_format(steps, job.video), engine, frames_in=len(names))

    def tell(found: bool) -> None:
        report.frames_out += 1
        report.frames_found += found
        report.seconds = time.perf_counter() - began
        progress(_progress(report))

    drawing = Drawing(names, first.size, tuple(steps.values()))
    if alone:
        report.notes = _make_one(drawing)
        tell(found=False)
    else:
        content = f"pictures of {first.size[1]}x{first.size[0]}"
        report.notes = make_sequence(job, identify(job, steps, engine, content), drawing, tell)
    report.seconds = time.perf_counter() - began
    return report


def _make_one(drawing: Drawing) -> list[str]:
    """Make the only picture; notes."""
    (drawn,) = drawing(range(1))
    target = drawing.names[0][1]
    write_picture(target, drawn.y, drawn.parts)
    note = left_out(target, drawn.parts)
    return [note] if note else []


def _job(settings: Settings, video: VideoFormat) -> Job:
    """A sequence as a film: what is kept of it lies where films' pieces do."""
    zero = Fraction(0)
    return Job(
        settings=settings,
        video=video,
        zero=zero,
        offset=zero,
        origin=zero,
        total=None,
        one_piece=True,
        threads=1,
    )


def _progress(report: Report) -> Progress:
    made, found = report.frames_out, report.frames_found
    return Progress(
        frames=made,
        done=Fraction(made),
        total=Fraction(report.frames_in),
        seconds=report.seconds,
        found=Fraction(found),
        frames_found=found,
        counts=True,
    )


def _require_words(settings: Settings) -> None:
    if not is_picture(settings.target):
        raise UsageError(f"{settings.target}: a picture in gives one out; end it in .png or .jpg")
    for name in _FILMS_ONLY:
        if getattr(settings, name) != _DEFAULTS[name]:
            word = name.removesuffix("s") if name == "maps" else name.replace("_", "-")
            raise UsageError(f"--{word}: a picture has none; leave it out")
    if settings.segment != _DEFAULTS["segment"] and not is_numbered(settings.source):
        raise UsageError("--segment: a single picture has none; leave it out")

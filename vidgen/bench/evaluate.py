"""What a model is worth: its figures on films and test sets, beside those of plain kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from vidgen.bench.clips import Clip, film_clips, still_sets, vid4_clips
from vidgen.bench.meter import METRICS, Extras, Measures, Meter, means
from vidgen.bench.methods import BASELINES, Maker, Resize
from vidgen.bench.metrics import psnr, ssim
from vidgen.errors import UsageError
from vidgen.frame import Frame, Planes

__all__ = ["LARGE", "Evaluation", "Row", "evaluate", "mean_row", "paper_sets"]

LARGE = 700
"""Rows of a film that counts as large; cropping may take some of 720."""

_EVERY = 4  # LPIPS, tOF and warp error at one of so many frames


@dataclass(frozen=True)
class Row:
    """One film or test set."""

    name: str
    size: str
    """`1920x1080`; empty for test sets."""
    frames: int
    scores: dict[str, Measures]
    """Mean figures by method."""

    @property
    def film(self) -> bool:
        """Whether it is a film that went through a codec."""
        return bool(self.size)

    @property
    def large(self) -> bool:
        """Whether it is a film of 720 lines and more."""
        return self.film and int(self.size.split("x")[1]) >= LARGE


@dataclass
class Evaluation:
    """All rows, and what was left out."""

    scale: int
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def evaluate(
    methods: Mapping[str, Maker],
    scale: int,
    folder: str | PathLike[str],
    *,
    frames: int = 24,
    extras: Extras = Extras(),  # noqa: B008 - frozen
    progress: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Measure `methods`, which enlarge by `scale`, and the baselines. Raises UsageError.

    Films are those of `folder`, or of `video/` in it; test sets lie in its `research-only/`, where
    it has one. `frames` neighbouring ones of each film are taken.
    """
    folder = Path(folder)
    films = folder / "video" if (folder / "video").is_dir() else folder
    if not films.is_dir():
        raise UsageError(f"{folder}: no such folder; give one with films by --clips FOLDER")
    ways = _with_baselines(methods, scale)
    result = Evaluation(scale)
    for clip in film_clips(films, scale, frames):
        if isinstance(clip, str):
            result.notes.append(clip)
            continue
        progress(clip.name)
        result.rows.append(_film_row(clip, ways, extras))
    sets = paper_sets(methods, scale, folder / "research-only", extras=extras, progress=progress)
    result.rows.extend(sets)
    if not result.rows:
        raise UsageError(f"{folder}: holds no film that can be measured; {_why(result.notes)}")
    return result


def paper_sets(
    methods: Mapping[str, Maker],
    scale: int,
    folder: Path,
    *,
    extras: Extras = Extras(),  # noqa: B008 - frozen
    progress: Callable[[str], None] = lambda _: None,
    wanted: Callable[[str], bool] = lambda _: True,
) -> Iterator[Row]:
    """A row of each test set of the papers that lies in `folder`, then of each clip of Vid4 (x4).

    Stills have PSNR and SSIM of luma alone. `wanted` is asked of each name.
    """
    ways = _with_baselines(methods, scale)
    for name, clips in still_sets(folder, scale):
        if wanted(name):
            progress(name)
            yield _still_row(name, clips, ways)
    for clip in vid4_clips(folder / "vid4") if scale == 4 else ():
        if wanted(clip.name):
            progress(clip.name)
            found = _film_row(clip, ways, extras, every=1)
            yield Row(clip.name, "", found.frames, found.scores)


def _with_baselines(methods: Mapping[str, Maker], scale: int) -> dict[str, Maker]:
    return {name: _baseline(kernel, scale) for name, kernel in BASELINES.items()} | dict(methods)


def _why(notes: Sequence[str]) -> str:
    return "; ".join(notes) or "give a folder with films by --clips FOLDER"


def _baseline(kernel: Callable[..., Any], scale: int) -> Maker:
    return lambda source: Resize(kernel, scale, source.bit_depth)


def _film_row(clip: Clip, ways: Mapping[str, Maker], extras: Extras, every: int = _EVERY) -> Row:
    """All figures; the methods go through the clip side by side, in order."""
    cut = partial(_shaved, pixels=clip.shave)
    with ExitStack() as stack:
        streams = {name: iter(make(clip.format)(clip.low)) for name, make in ways.items()}
        for stream in streams.values():
            stack.enter_context(closing(stream))  # type: ignore[type-var]
        meter = Meter(ways, 8, every=every, extras=extras, color=clip.format.color)
        stack.enter_context(meter)
        for truth in clip.truth:
            meter.add(cut(truth), {name: cut(next(each).planes) for name, each in streams.items()})
        scores = {name: means(measures) for name, measures in meter.results().items()}
    height, width = clip.truth[0][0].shape
    return Row(clip.name, f"{width}x{height}", len(clip.truth), scores)


def _shaved(planes: Planes, pixels: int) -> Planes:
    if not pixels:
        return planes
    half = pixels // 2
    y, uv = planes[0][pixels:-pixels, pixels:-pixels], planes[1][half:-half, half:-half]
    return np.ascontiguousarray(y), np.ascontiguousarray(uv)


def _still_row(name: str, clips: Sequence[Clip], ways: Mapping[str, Maker]) -> Row:
    """PSNR and SSIM of luma, picture by picture."""
    scores: dict[str, list[Measures]] = {way: [] for way in ways}
    for clip in clips:
        truth = clip.truth[0][0]
        inside = tuple(slice(clip.shave, side - clip.shave) for side in truth.shape)
        for way, make in ways.items():
            frame: Frame = next(iter(make(clip.format)(clip.low)))
            ours, theirs = (np.ascontiguousarray(y[inside]) for y in (truth, frame.y))
            scores[way].append({"psnr_y": psnr(ours, theirs), "ssim_y": ssim(ours, theirs)})
    return Row(name, "", len(clips), {way: means(each) for way, each in scores.items()})


def mean_row(name: str, rows: Sequence[Row]) -> Row:
    """Mean of each figure over rows, where all of them have it."""
    scores = {}
    for way in rows[0].scores:
        each = [row.scores[way] for row in rows]
        shared = [key for key in METRICS if all(key in measures for measures in each)]
        scores[way] = {key: float(np.mean([measures[key] for measures in each])) for key in shared}
    return Row(name, "", sum(row.frames for row in rows), scores)

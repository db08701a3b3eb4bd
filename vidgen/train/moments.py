"""What a network that makes frames learns from: two candidates for a picture, and the true one.

Candidates come from the run-time's own motion and warps, once; they are kept as .npy files. The
truth is a frame of a film that was left out, or the picture of a drawn scene at that time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from functools import partial
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes
from vidgen.media import Decoder
from vidgen.motion import Ahead, Between, Candidates, ChangeDetector, FlowEstimator, half_luma
from vidgen.train import sources
from vidgen.train.data import cache_folder
from vidgen.train.layers import scene
from vidgen.train.recipe import Moments

__all__ = ["Sample", "Samples", "prepare", "validation"]

_log = logging.getLogger(__name__)

_ROWS = 540  # what is larger is reduced: its codec's traces shrink, too
_GAPS = ((2, 0.6), (3, 0.25), (4, 0.15))  # frames from the first to the last, and how often
_GAPS_AHEAD = ((1, 0.3), (2, 0.5), (3, 0.2))
_FARTHEST = 2.0  # intervals ahead
_FAST = 50  # frames a second above which gaps are twice as long
_SCENE_SIDE = 448
_RUN = 32  # frames of a film in memory at a time

Picture = Callable[[float], Planes]
"""The picture at a time, in frames from some beginning."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A place in a picture, or many of them with the number first; uint8, h and w on half grid."""

    first: NDArray[Any]
    """(h, w, 6): 2x2 pixels of luma, row by row, then U and V."""
    last: NDArray[Any]
    """(h, w, 6)"""
    guide: NDArray[Any]
    """(h, w, 4), see `vidgen.motion.Candidates`."""
    truth: NDArray[Any]
    """(h, w, 6)"""

    def map(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Sample:
        """`change(array)` of each."""
        return Sample(**{name: change(getattr(self, name)) for name in _NAMES})

    def cut(self, top: int, left: int, side: int) -> Sample:
        """A square of it."""
        return self.map(itemgetter((slice(top, top + side), slice(left, left + side))))


_NAMES = tuple(field.name for field in fields(Sample))


@dataclass(frozen=True, slots=True)
class Samples:
    """All training crops, mapped from the disk."""

    stored: Sample

    def __len__(self) -> int:
        return len(self.stored.truth)

    def batch(self, rng: np.random.Generator, size: int, crop: int) -> Sample:
        """`size` random squares of `crop` pixels of the half grid, some mirrored or turned."""
        room = self.stored.truth.shape[1] - crop + 1
        chosen = []
        for number in rng.integers(0, len(self), size):
            top, left = rng.integers(0, room, 2)
            down, across, over = (bool(each) for each in rng.integers(0, 2, 3))
            one = self.stored.map(itemgetter(number)).cut(int(top), int(left), crop)
            chosen.append(one.map(partial(turned, down, across, over)))
        return Sample(**{name: np.stack([getattr(c, name) for c in chosen]) for name in _NAMES})


def turned(down: bool, across: bool, over: bool, array: NDArray[Any]) -> NDArray[Any]:
    """(h, w, c) upside down, mirrored, its sides swapped; the pixels within blocks go along."""
    array = array[:: -1 if down else 1, :: -1 if across else 1]
    if over:
        array = array.swapaxes(0, 1)
    if array.shape[-1] != 6:
        return array
    block = np.arange(4).reshape(2, 2)[:: -1 if down else 1, :: -1 if across else 1]
    return array[..., [*(block.T if over else block).ravel(), 4, 5]]


def prepare(data: Moments, cache: Path | None = None) -> Samples:
    """The crops of that recipe section: made on the first call (minutes), then kept."""
    described = json.dumps(asdict(data), sort_keys=True)
    key = hashlib.sha256(described.encode()).hexdigest()[:16]
    folder = (cache or cache_folder()) / f"moments-{key}"
    if not folder.is_dir():
        parts = [part for _, part in _crops(data)]
        _log.info("%d places of %d pixels", len(parts), 2 * data.side)
        partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
        partial.mkdir(parents=True)
        for name in _NAMES:
            np.save(partial / f"{name}.npy", np.stack([getattr(part, name) for part in parts]))
        (partial / "data.json").write_text(described)
        partial.rename(folder)
    return Samples(Sample(**{n: np.load(folder / f"{n}.npy", mmap_mode="r") for n in _NAMES}))


def validation(data: Moments) -> Iterator[tuple[str, Sample]]:
    """Whole pictures: of films held out, every other frame made again, and scenes of stills."""
    videos, stills = sources.find(Path(data.folder), data.exclude)
    given, wanted = ((-2, -1, 0), 1.0) if data.ahead else ((0, 1), 0.5)
    for path in videos:
        if path.stem in data.validation:
            run, _ = next(_runs(path))
            for n in range(4, min(len(run) - 2, 12), 2):
                yield path.stem, _sample(_Counted(run, n, 2), given, wanted, data.fine)
    rng = np.random.default_rng(data.seed)
    held = [path for path in stills if path.stem in data.validation]
    for _ in held:
        yield "drawn scenes", _sample(scene(held, _SCENE_SIDE, rng), given, wanted, data.fine)


def _crops(data: Moments) -> Iterator[tuple[str, Sample]]:
    """Squares with a label: of each film, then of drawn scenes."""
    videos, stills = sources.find(Path(data.folder), data.exclude)
    rng = np.random.default_rng(data.seed)
    for path in (path for path in videos if path.stem not in data.validation):
        for run, gap in _runs(path):
            for _ in range(data.picks):
                whole = _sample(*_picked(run, gap, data.ahead, rng), data.fine)
                yield from ((path.stem, part) for part in _cut(whole, data, rng))
        _log.info("%s", path.stem)
    learnt = [path for path in stills if path.stem not in data.validation]
    for number in range(data.scenes):
        drawn = scene(learnt, _SCENE_SIDE, rng)
        given: tuple[float, ...] = (-2, -1, 0) if data.ahead else (0, 1)
        span = (0.1, _FARTHEST) if data.ahead else (0.05, 0.95)
        wanted = float(rng.uniform(*span))
        whole = _sample(drawn, given, wanted, data.fine)
        yield from ((f"scene {number}", part) for part in _cut(whole, data, rng))


def _picked(
    run: list[Planes], gap: int, ahead: bool, rng: np.random.Generator
) -> tuple[Picture, tuple[float, ...], float]:
    """Frames of a run as `_sample` takes them."""
    spans, shares = zip(*(_GAPS_AHEAD if ahead else _GAPS), strict=True)
    span = int(rng.choice(spans, p=shares)) * gap
    if not ahead:
        span = min(span, len(run) - 1)
        start = int(rng.integers(0, len(run) - span))
        return _Counted(run, start, span), (0, 1), int(rng.integers(1, span)) / span
    span = min(span, (len(run) - 1) // 3)
    start = 2 * span + int(rng.integers(0, len(run) - 3 * span))
    room = min(len(run) - 1 - start, round(_FARTHEST * span))
    return _Counted(run, start, span), (-2, -1, 0), int(rng.integers(1, room + 1)) / span


@dataclass(frozen=True, slots=True)
class _Counted:
    """A run as a `Picture`: time 0 is its frame `start`, and `span` frames make an interval."""

    run: list[Planes]
    start: int
    span: int

    def __call__(self, time: float) -> Planes:
        return self.run[self.start + round(time * self.span)]


def _runs(path: Path) -> Iterator[tuple[list[Planes], int]]:
    """Frames of one shot, at most `_RUN`, none twice; and 2 for fast films, else 1."""
    changes = ChangeDetector()
    run: list[Planes] = []
    with Decoder(path) as decoder:
        gap = 2 if (decoder.format.fps or Fraction(25)) >= _FAST else 1
        for frame in decoder:
            planes = _reduced(sources.cropped(frame.planes))
            change = changes(half_luma(planes[0]))
            if change.cut or len(run) == _RUN:
                if len(run) > 3 * gap:
                    yield run, gap
                run = []
            if not change.duplicate:
                run.append(planes)
    if len(run) > 3 * gap:
        yield run, gap


def _reduced(planes: Planes) -> Planes:
    y, uv = planes
    height, width = y.shape
    if height <= _ROWS:
        return planes
    size = round(width * _ROWS / height / 4) * 4, _ROWS
    half = size[0] // 2, size[1] // 2
    return (
        cv2.resize(y, size, interpolation=cv2.INTER_AREA),
        cv2.resize(uv, half, interpolation=cv2.INTER_AREA),
    )


def _sample(picture: Picture, given: tuple[float, ...], wanted: float, fine: bool) -> Sample:
    """What is known from the pictures at the times `given`, for the one that is wanted."""
    *_, first, last = pictures = [picture(time) for time in given]
    estimate = FlowEstimator(fine)
    lumas = [half_luma(y) for y, _ in pictures]
    *earlier, motion = (estimate(*pair) for pair in pairwise(lumas))
    if earlier:
        found = Ahead(first, last, motion, earlier[0]).candidates(wanted)
    else:
        found = Between(first, last, motion).candidates(wanted)
    return sample(found, picture(wanted))


def sample(given: Candidates, truth: Planes) -> Sample:
    """Whole pictures as networks learn from them."""
    first, last = (np.concatenate(each, -1) for each in (given.first, given.last))
    return Sample(first, last, given.guide, blocks_of(truth))


def blocks_of(planes: Planes) -> NDArray[Any]:
    """(h, w, 6): 2x2 pixels of luma, row by row, then U and V."""
    y, uv = planes
    blocks = np.stack([y[down::2, right::2] for down in (0, 1) for right in (0, 1)], -1)
    return np.concatenate([blocks, uv], -1)


def _cut(whole: Sample, data: Moments, rng: np.random.Generator) -> Iterator[Sample]:
    """Some squares: those where plain mixing errs most, and one anywhere."""
    height, width = whole.truth.shape[:2]
    side = data.side
    if min(height, width) < side:
        return
    share = whole.guide[..., :1].astype(np.float32) / 255
    mixed = whole.first + (whole.last.astype(np.float32) - whole.first) * share
    error = np.abs(mixed - whole.truth).mean(-1)
    corners = [
        (int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1)))
        for _ in range(8)
    ]

    def wrong(corner: tuple[int, int]) -> float:
        return float(error[corner[0] : corner[0] + side, corner[1] : corner[1] + side].mean())

    hard = sorted(corners[1:], key=wrong)[-(data.squares - 1) :] if data.squares > 1 else []
    for corner in [corners[0], *hard]:
        yield whole.cut(*corner, side).map(np.copy)

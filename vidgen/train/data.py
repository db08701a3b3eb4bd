"""Pairs of low- and high-resolution crops, made once and kept as .npy files in a cache folder."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes
from vidgen.train import sources
from vidgen.train.degrade import Degradation, degrade, draw
from vidgen.train.recipe import Data

__all__ = ["Pair", "Pairs", "cache_folder", "prepare", "validation"]

_log = logging.getLogger(__name__)

_NAMES = ("y_low", "uv_low", "y_high", "uv_high")
_STILL_SIDE = 768
_VALIDATION = Degradation(kernel="area", codec="libx264", quality=23, preset="medium")

Pair = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
"""y (h, w), uv (h/2, w/2, 2), and the truth y (2h, 2w), uv (h, w, 2); uint8."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """All training crops; arrays are mapped from the disk and carry the crop number first."""

    arrays: Pair

    def __len__(self) -> int:
        return len(self.arrays[0])

    def batch(self, rng: np.random.Generator, size: int, crop: int) -> Pair:
        """`size` random aligned crops of `crop` low-resolution pixels, flipped and transposed."""
        stored = self.arrays[0].shape[1]
        chosen = []
        for number in rng.integers(0, len(self), size):
            top, left = 2 * rng.integers(0, (stored - crop) // 2 + 1, 2)
            flips = rng.integers(0, 2, 3)
            pair = cut(tuple(array[number] for array in self.arrays), top, left, crop)
            chosen.append(tuple(_flipped(plane, *flips) for plane in pair))
        return tuple(np.stack(planes) for planes in zip(*chosen, strict=True))  # type: ignore[return-value]


def cut(pair: Pair, top: int, left: int, side: int) -> Pair:
    """The same square of all four planes; `top`, `left` and `side` even, in low-resolution luma."""
    factors = (2, 1, 4, 2)  # halves of a low-resolution luma pixel that each grid holds
    parts = []
    for plane, factor in zip(pair, factors, strict=True):
        y, x, size = (value * factor // 2 for value in (top, left, side))
        parts.append(plane[y : y + size, x : x + size])
    return tuple(parts)  # type: ignore[return-value]


def _flipped(plane: NDArray[Any], down: int, across: int, turned: int) -> NDArray[Any]:
    plane = plane[:: -1 if down else 1, :: -1 if across else 1]
    return plane.swapaxes(0, 1) if turned else plane


def cache_folder() -> Path:
    """Where prepared data lie: `$XDG_CACHE_HOME/vidgen`, by default `~/.cache/vidgen`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vidgen"


def prepare(data: Data, cache: Path | None = None) -> Pairs:
    """The crops of that recipe section: made on the first call (minutes), then kept."""
    described = json.dumps(asdict(data), sort_keys=True)
    key = hashlib.sha256(described.encode()).hexdigest()[:16]
    folder = (cache or cache_folder()) / f"pairs-{key}"
    if not folder.is_dir():
        _make(data, folder)
    return Pairs(tuple(np.load(folder / f"{name}.npy", mmap_mode="r") for name in _NAMES))


def _make(data: Data, folder: Path) -> None:
    parts = list(_crops(data))
    _log.info("%d crops of %d pixels", len(parts), data.side)
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    for name, planes in zip(_NAMES, zip(*parts, strict=True), strict=True):
        np.save(partial / f"{name}.npy", np.stack(planes))
    (partial / "data.json").write_text(json.dumps(asdict(data), indent=1))
    partial.rename(folder)


def _crops(data: Data) -> Iterator[Pair]:
    for number, (label, run) in enumerate(_runs(data)):
        rng = np.random.default_rng([data.seed, number])
        how = draw(rng)
        low = degrade(run, how)
        _log.info("%s: %dx%d, %s", label, run[0][0].shape[1], run[0][0].shape[0], how)
        for index in rng.choice(len(run), min(data.keep, len(run)), replace=False):
            yield from _cut((*low[index], *run[index]), data.side, rng)


def _cut(pair: Pair, side: int, rng: np.random.Generator) -> Iterator[Pair]:
    """Some random squares of a frame: about a third of its area, the livelier of two candidates."""
    height, width = pair[0].shape
    if min(height, width) < side:
        return
    for _ in range(max(1, round(height * width / side**2 / 3))):
        corners = [(_even(rng, height - side), _even(rng, width - side)) for _ in range(2)]
        yield max((cut(pair, *corner, side) for corner in corners), key=_detail)


def _even(rng: np.random.Generator, top: int) -> int:
    return 2 * int(rng.integers(0, top // 2 + 1))


def _detail(pair: Pair) -> float:
    return float(np.abs(np.diff(pair[2].astype(np.int16), axis=0)).mean())


def _runs(data: Data) -> Iterator[tuple[str, list[Planes]]]:
    """Every run of good frames to learn from, with a label for the log."""
    videos, stills = sources.find(Path(data.folder), data.exclude)
    for path in videos:
        if path.stem not in data.validation:
            for run in sources.video_runs(path, data.length):
                for _ in range(data.passes):
                    yield path.stem, run
                yield f"{path.stem} halved", sources.halved(run)
    rng = np.random.default_rng(data.seed)
    for path in stills:
        if path.stem not in data.validation:
            for _ in range(data.windows):
                yield path.stem, sources.still_run(path, data.length, _STILL_SIDE, rng)
    for number in range(data.drawings):
        yield f"drawing {number}", sources.drawing_run(data.length, 512, rng)


def validation(data: Data) -> Iterator[tuple[str, list[Pair]]]:
    """For each file held out by the recipe, a few frames: area-halved, H.264 CRF 23."""
    videos, stills = sources.find(Path(data.folder), data.exclude)
    rng = np.random.default_rng(data.seed)
    for path in videos + stills:
        if path.stem in data.validation:
            if path in videos:
                run = next(sources.video_runs(path, data.length))
            else:
                run = sources.still_run(path, data.length, _STILL_SIDE, rng)
            low = degrade(run, _VALIDATION)
            yield path.stem, [(*low[i], *run[i]) for i in (len(run) // 3, len(run) - 1)]

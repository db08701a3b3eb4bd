"""Short sequences of low- and high-resolution crops, made once and kept as .npy files."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes
from vidgen.motion import FlowEstimator, half_luma
from vidgen.motion.history import trusted
from vidgen.train import sources
from vidgen.train.degrade import Degradation, degrade, draw, draw_still
from vidgen.train.layers import scene
from vidgen.train.recipe import Data

__all__ = ["Sequence", "Sequences", "cache_folder", "prepare", "validation"]

_log = logging.getLogger(__name__)

_STILL_SIDE = 768
_SHRUNK, _SHRUNK_MORE = (1.0, 2.2), (1.6, 3.0)
"""How often smaller a large still may be before anything else: the more, the less of its JPEG."""
_DRAWN_SIDE = 512
_VALIDATION = Degradation(kernel="area", codec="libx264", quality=23, preset="medium")


@dataclass(frozen=True, slots=True)
class Sequence:
    """Consecutive frames of one place, or many of them with the sequence number first.

    With n frames of h x w low-resolution luma and the scale s; uint8 but for the flow.
    """

    y: NDArray[Any]
    """(n, h, w)"""
    uv: NDArray[Any]
    """(n, h/2, w/2, 2)"""
    y_true: NDArray[Any]
    """(n, s h, s w)"""
    uv_true: NDArray[Any]
    """(n, s h/2, s w/2, 2)"""
    flow: NDArray[Any]
    """(n, h/2, w/2, 2) to the frame before, in pixels of y; of any meaning in the first frame."""
    trust: NDArray[Any]
    """(n, h/2, w/2), 255 where the flow is right; 0 in the first frame."""

    def map(self, change: Any) -> Sequence:
        """`change(array)` of each."""
        return Sequence(**{name: change(getattr(self, name)) for name in _NAMES})

    def cut(self, top: int, left: int, side: int, scale: int) -> Sequence:
        """The same square of all; `top`, `left` and `side` even, in pixels of y."""
        parts = {}
        for name, (times, over) in _GRIDS.items():
            factor = (scale if times else 1) / over
            y, x, size = (int(value * factor) for value in (top, left, side))
            parts[name] = getattr(self, name)[:, y : y + size, x : x + size]
        return Sequence(**parts)


_GRIDS = {  # whether a plane lies on the enlarged grid, and its pixels' side on that grid
    "y": (False, 1), "uv": (False, 2), "y_true": (True, 1), "uv_true": (True, 2),
    "flow": (False, 2), "trust": (False, 2),
}  # fmt: skip
_NAMES = tuple(_GRIDS)


@dataclass(frozen=True, slots=True)
class Sequences:
    """All training crops, mapped from the disk."""

    stored: Sequence
    scale: int

    def __len__(self) -> int:
        return len(self.stored.y)

    def batch(self, rng: np.random.Generator, size: int, crop: int, frames: int = 0) -> Sequence:
        """`size` random crops of `crop` low-resolution pixels, flipped, mirrored or transposed.

        Of as many consecutive `frames`, or of all that are kept when that is 0.
        """
        room = (self.stored.y.shape[2] - crop) // 2 + 1
        spare = self.stored.y.shape[1] - frames if frames else 0
        chosen = []
        for number in rng.integers(0, len(self), size):
            top, left = 2 * rng.integers(0, room, 2)
            first = rng.integers(0, spare + 1) if spare else 0
            kept = slice(first, first + frames if frames else None)
            one = self.stored.map(lambda array, n=number, kept=kept: array[n, kept])
            chosen.append(_flipped(one.cut(top, left, crop, self.scale), *rng.integers(0, 2, 3)))
        return Sequence(**{name: np.stack([getattr(c, name) for c in chosen]) for name in _NAMES})


def _flipped(one: Sequence, down: int, across: int, turned: int) -> Sequence:
    """The sequence upside down, mirrored, its sides swapped; flow vectors go along."""
    signs = np.array([-1 if across else 1, -1 if down else 1], one.flow.dtype)

    def moved(array: NDArray[Any]) -> NDArray[Any]:
        array = array[:, :: -1 if down else 1, :: -1 if across else 1]
        return array.swapaxes(1, 2) if turned else array

    result = one.map(moved)
    flow = result.flow * signs
    return Sequence(
        result.y, result.uv, result.y_true, result.uv_true,
        flow[..., ::-1] if turned else flow, result.trust,
    )  # fmt: skip


def cache_folder() -> Path:
    """Where prepared data lie: `$XDG_CACHE_HOME/vidgen`, by default `~/.cache/vidgen`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "vidgen"


def prepare(data: Data, scale: int, cache: Path | None = None) -> Sequences:
    """The crops of that recipe section: made on the first call (minutes), then kept."""
    described = json.dumps({"scale": scale, **asdict(data)}, sort_keys=True)
    key = hashlib.sha256(described.encode()).hexdigest()[:16]
    folder = (cache or cache_folder()) / f"sequences-{key}"
    if not folder.is_dir():
        _make(data, scale, folder, described)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _NAMES}
    return Sequences(Sequence(**arrays), scale)


def _make(data: Data, scale: int, folder: Path, described: str) -> None:
    parts = list(_crops(data, scale))
    _log.info("%d sequences of %d pixels", len(parts), data.side)
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    for name in _NAMES:
        np.save(partial / f"{name}.npy", np.stack([getattr(part, name) for part in parts]))
    (partial / "data.json").write_text(described)
    partial.rename(folder)


def _crops(data: Data, scale: int) -> Iterator[Sequence]:
    for number, (label, run) in enumerate(_runs(data, scale)):
        rng = np.random.default_rng([data.seed, number])
        how = draw_still(rng) if data.stills else draw(rng, data.defects)
        low = degrade(run, how, scale, seed=number)
        _log.info("%s: %dx%d, %s", label, run[0][0].shape[1], run[0][0].shape[0], how)
        first = int(rng.integers(0, max(len(run) - data.keep, 0) + 1))
        kept = slice(first, first + data.keep)
        yield from _cut(sequence(low[kept], run[kept]), data.side, scale, rng)


def sequence(low: list[Planes], high: list[Planes]) -> Sequence:
    """Whole frames as they are drawn from, with the motion that the engine itself would find."""
    flows, trusts = _motion([y for y, _ in low])
    y, uv = (np.stack(planes) for planes in zip(*low, strict=True))
    y_true, uv_true = (np.stack(planes) for planes in zip(*high, strict=True))
    return Sequence(y, uv, y_true, uv_true, np.stack(flows), np.stack(trusts))


def _motion(luma: list[NDArray[Any]]) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    halves = [half_luma(y) for y in luma]
    flows = [np.zeros((*halves[0].shape, 2), np.float16)]
    trusts = [np.zeros(halves[0].shape, np.uint8)]
    estimate = FlowEstimator()
    for previous, current in pairwise(halves):
        flow, trust = trusted(previous, current, estimate.flow(current, previous))
        flows.append(flow.astype(np.float16))
        trusts.append(trust)
    return flows, trusts


def _cut(whole: Sequence, side: int, scale: int, rng: np.random.Generator) -> Iterator[Sequence]:
    """Some random squares: about a third of the area, the livelier of two candidates."""
    height, width = whole.y.shape[1:]
    if min(height, width) < side:
        return
    for _ in range(max(1, round(height * width / side**2 / 3))):
        corners = [(_even(rng, height - side), _even(rng, width - side)) for _ in range(2)]
        yield max((whole.cut(*corner, side, scale) for corner in corners), key=_detail)


def _even(rng: np.random.Generator, top: int) -> int:
    return 2 * int(rng.integers(0, top // 2 + 1))


def _detail(part: Sequence) -> float:
    return float(np.abs(np.diff(part.y_true[0].astype(np.int16), axis=0)).mean())


def _runs(data: Data, scale: int) -> Iterator[tuple[str, list[Planes]]]:
    """Every run of good frames to learn from, with a label for the log."""
    videos, stills = sources.find(Path(data.folder), data.exclude)
    for path in videos:
        if path.stem not in data.validation:
            for run in sources.video_runs(path, data.length):
                for _ in range(data.passes):
                    yield path.stem, run
                if scale == 2 or data.stills:  # the source's own codec is not to be undone
                    yield f"{path.stem} halved", sources.halved(run)
    rng = np.random.default_rng(data.seed)
    for path in stills:
        if path.stem not in data.validation:
            for _ in range(data.windows):
                yield path.stem, _still(path, data, rng)
    for number in range(data.drawings):
        yield f"drawing {number}", sources.drawing_run(data.length, _DRAWN_SIDE, rng)
    learnt = [path for path in stills if path.stem not in data.validation]
    for number in range(data.scenes):
        at = scene(learnt, _DRAWN_SIDE, rng)
        yield f"scene {number}", [at(time - data.length / 2) for time in range(data.length)]


def validation(data: Data, scale: int) -> Iterator[tuple[str, Sequence]]:
    """For each file held out by the recipe, some frames: area-shrunk, H.264 CRF 23.

    Where the recipe is for `stills`, one for each file of the ways in which it learns.
    """
    videos, stills = sources.find(Path(data.folder), data.exclude)
    rng = np.random.default_rng(data.seed)
    for number, path in enumerate(videos + stills):
        if path.stem in data.validation:
            if path in videos:
                run = next(sources.video_runs(path, data.length))
                run = sources.halved(run) if data.stills else run
            else:
                run = _still(path, data, rng)
            apart = np.random.default_rng([data.seed, number])
            how = draw_still(apart) if data.stills else _VALIDATION
            yield path.stem, sequence(degrade(run, how, scale), run)


def _still(path: Path, data: Data, rng: np.random.Generator) -> list[Planes]:
    shrunk = _SHRUNK_MORE if data.stills else _SHRUNK
    return sources.still_run(path, data.length, _STILL_SIDE, rng, shrunk)

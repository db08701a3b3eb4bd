"""Motion vectors of a codec, and how they become a flow field, for `benchmarks.flow`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.codec.context import Flags2
from numpy.typing import NDArray

from vidgen.motion.warp import pixel_grid, sample

__all__ = ["dense", "vectors_of"]

Field = NDArray[Any]
"""(h, w, 2) float32, (x, y) order, in pixels of luma."""

_CELL = 8  # pixels a side: the smallest block that x264's presets use often


def vectors_of(path: Path) -> list[NDArray[Any]]:
    """FFmpeg's AVMotionVector of each frame, as a structured array; empty where there are none."""
    with av.open(str(path)) as film:
        film.streams.video[0].codec_context.flags2 |= Flags2.export_mvs
        data = [frame.side_data.get("MOTION_VECTORS") for frame in film.decode(video=0)]
        return [np.zeros(0) if each is None else each.to_ndarray().copy() for each in data]


def dense(vectors: NDArray[Any], current: NDArray[Any], previous: NDArray[Any]) -> Field:
    """Flow from `current` to `previous`, both luma (H, W), by the vectors of `current`."""
    cells, known = _cells(vectors, *current.shape)
    cells = _filled(cells, known)
    middle = _vector_median(cells)
    errors = [_error(_spread(each, current.shape), current, previous) for each in (cells, middle)]
    better = (errors[1] <= errors[0])[..., None]
    return _spread(np.where(better, middle, cells), current.shape)


def _cells(vectors: NDArray[Any], height: int, width: int) -> tuple[Field, NDArray[np.bool_]]:
    """The vector of each cell of 8x8 pixels, and where there is one to the past."""
    cells = np.zeros((-(-height // _CELL), -(-width // _CELL), 2), np.float32)
    known = np.zeros(cells.shape[:2], bool)
    past = vectors[vectors["source"] < 0] if len(vectors) else vectors
    for wide, high in {(int(v["w"]), int(v["h"])) for v in past}:
        of = past[(past["w"] == wide) & (past["h"] == high)]
        steps = np.stack([of["motion_x"], of["motion_y"]], -1) / of["motion_scale"][:, None]
        for down in range(0, high, _CELL):
            for right in range(0, wide, _CELL):
                rows = (of["dst_y"] - high // 2 + down) // _CELL
                columns = (of["dst_x"] - wide // 2 + right) // _CELL
                inside = (rows >= 0) & (rows < len(cells))
                inside &= (columns >= 0) & (columns < cells.shape[1])
                cells[rows[inside], columns[inside]] = steps[inside]
                known[rows[inside], columns[inside]] = True
    return cells, known


def _filled(cells: Field, known: NDArray[np.bool_]) -> Field:
    """Cells that were coded without a vector take the mean of those around, from near to far."""
    weight, size = known.astype(np.float32), 3
    while not weight.all() and size < 2 * max(weight.shape):
        around = cv2.boxFilter(weight, -1, (size, size), borderType=cv2.BORDER_CONSTANT)
        sums = cv2.boxFilter(cells, -1, (size, size), borderType=cv2.BORDER_CONSTANT)
        new = (weight == 0) & (around > 0)
        cells = np.where(new[..., None], sums / np.maximum(around, 1e-6)[..., None], cells)
        weight[new], size = 1, 2 * size + 1
    return np.asarray(cells, np.float32)


def _vector_median(cells: Field) -> Field:
    """Of the 3x3 vectors around, the one that is nearest to all of them."""
    height, width = cells.shape[:2]
    wide = np.pad(cells, ((1, 1), (1, 1), (0, 0)), "edge")
    near = np.stack([wide[d : d + height, r : r + width] for d in range(3) for r in range(3)])
    far = np.stack([np.abs(near - each).sum((0, -1)) for each in near])
    return np.take_along_axis(near, far.argmin(0)[None, ..., None], 0)[0]


def _spread(cells: Field, shape: tuple[int, ...]) -> Field:
    """Every pixel between the vectors of the four blocks around it, as overlapped blocks do."""
    size = cells.shape[1] * _CELL, cells.shape[0] * _CELL
    return cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR)[: shape[0], : shape[1]]


def _error(flow: Field, current: NDArray[Any], previous: NDArray[Any]) -> NDArray[Any]:
    """Mean difference of each cell."""
    apart = cv2.absdiff(current, sample(previous, pixel_grid(*current.shape) + flow))
    down, right = (-side % _CELL for side in apart.shape)
    apart = cv2.copyMakeBorder(apart, 0, down, 0, right, cv2.BORDER_REPLICATE)
    size = apart.shape[1] // _CELL, apart.shape[0] // _CELL
    return cv2.resize(apart.astype(np.float32), size, interpolation=cv2.INTER_AREA)

"""Pictures for people: planes as RGB at the very edge, crops beside each other, PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.errors import OutputError
from vidgen.frame import Color, Planes

__all__ = ["beside", "crop", "most_different", "to_bgr", "write_png"]

_LUMA_WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""Weights of red and blue in luma (ITU-T H.273, table 4) by FFmpeg's number of the matrix."""

_TILE = 16  # side in luma samples of the squares in which two pictures are compared
_SD_HEIGHT = 576  # untagged video up to here is taken as BT.601, above as BT.709, as players do


def to_bgr(planes: Planes, color: Color, bit_depth: int = 8) -> NDArray[np.uint8]:
    """`planes` as (H, W, 3) uint8 in OpenCV's channel order, for display only.

    Matrix and range follow the tags, unspecified ones as players guess them. Chroma is up-sampled
    centre-aligned; transfer and primaries are left alone.
    """
    y, uv = (plane.astype(np.float32) / 2 ** (bit_depth - 8) for plane in planes)
    height, width = y.shape
    uv = cv2.resize(uv, (width, height), interpolation=cv2.INTER_LINEAR) - 128
    if color.range != 2:
        y, uv = (y - 16) * (255 / 219), uv * (255 / 224)
    red_weight, blue_weight = _LUMA_WEIGHTS.get(
        color.matrix, _LUMA_WEIGHTS[6 if height <= _SD_HEIGHT else 1]
    )
    red = y + 2 * (1 - red_weight) * uv[..., 1]
    blue = y + 2 * (1 - blue_weight) * uv[..., 0]
    green = (y - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    return np.clip(np.dstack((blue, green, red)) + 0.5, 0, 255).astype(np.uint8)


def crop(picture: NDArray[Any], center: tuple[int, int], size: tuple[int, int]) -> NDArray[Any]:
    """Part of `picture` (H, W, 3): `size` (width, height) about `center` (x, y), kept inside."""
    height, width = picture.shape[:2]
    wide, high = min(size[0], width), min(size[1], height)
    left = min(max(center[0] - wide // 2, 0), width - wide)
    top = min(max(center[1] - high // 2, 0), height - high)
    return picture[top : top + high, left : left + wide]


def most_different(one: NDArray[Any], other: NDArray[Any]) -> tuple[int, int]:
    """Centre (x, y) of the square where two luma planes (H, W) of one dtype differ most."""
    difference = cv2.absdiff(one, other).astype(np.float32)
    height, width = difference.shape
    tiles = (max(width // _TILE, 1), max(height // _TILE, 1))
    means = cv2.resize(difference * difference, tiles, interpolation=cv2.INTER_AREA)
    row, column = np.unravel_index(int(means.argmax()), means.shape)
    return int(column) * _TILE + _TILE // 2, int(row) * _TILE + _TILE // 2


def beside(rows: list[list[tuple[str, NDArray[np.uint8]]]]) -> NDArray[np.uint8]:
    """Labelled pictures (all of one size within a row, all rows alike) as one sheet."""
    sheet = [cv2.hconcat([_labelled(label, picture) for label, picture in row]) for row in rows]
    return np.asarray(cv2.vconcat(sheet), np.uint8)


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) uint8 BGR. Raises OutputError."""
    data = cv2.imencode(".png", picture)[1]
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def _labelled(label: str, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`picture` with a thin dark frame and its label on a bar above."""
    bar = np.full((28, picture.shape[1], 3), 32, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(bar, label, (8, 20), font, 0.5, (235, 235, 235), 1, cv2.LINE_AA)
    stacked = cv2.vconcat([bar, np.ascontiguousarray(picture)])
    framed = cv2.copyMakeBorder(stacked, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(32, 32, 32))
    return np.asarray(framed, np.uint8)

"""Where made frames are worst, as pictures to look at, for `benchmarks.generate --pictures`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from benchmarks.generate_methods import Luma
from vidgen.frame import Frame

__all__ = ["write_worst"]

_SIDE = 224  # pixels of a part
_SHOWN = ("rife", "motion", "network", "balanced")
_LABEL = 18  # rows


def write_worst(
    folder: Path, name: str, frames: list[Frame], made: Mapping[str, Mapping[int, Luma]]
) -> None:
    """The part that `network` gets most wrong: before, true, after, and what methods make."""
    numbers = [n for n in made["network"] if n + 1 < len(frames)]
    errors = {n: np.abs(made["network"][n].astype(np.float32) - frames[n].y) for n in numbers}
    means = {n: cv2.boxFilter(error, -1, (_SIDE, _SIDE)) for n, error in errors.items()}
    worst = max(means, key=lambda n: means[n].max())
    row, column = np.unravel_index(int(means[worst].argmax()), means[worst].shape)
    height, width = frames[worst].y.shape
    top = int(np.clip(row - _SIDE // 2, 0, max(height - _SIDE, 0)))
    left = int(np.clip(column - _SIDE // 2, 0, max(width - _SIDE, 0)))
    parts = {"before": frames[worst - 1].y, "true": frames[worst].y, "after": frames[worst + 1].y}
    parts |= {each: made[each][worst] for each in _SHOWN if each in made}
    tiles = [
        _labelled(luma[top : top + _SIDE, left : left + _SIDE], label)
        for label, luma in parts.items()
    ]
    folder.mkdir(exist_ok=True)
    path = folder / f"made-{Path(name).stem}.jpg"
    cv2.imwrite(str(path), np.hstack(tiles), [cv2.IMWRITE_JPEG_QUALITY, 80])


def _labelled(luma: Luma, label: str) -> Luma:
    tile = cv2.copyMakeBorder(luma, _LABEL, 0, 0, 4, cv2.BORDER_CONSTANT, value=255)
    cv2.putText(tile, label, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0, 1)
    return np.asarray(tile)

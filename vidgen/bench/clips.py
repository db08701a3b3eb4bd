"""What models are measured on: films made small and coded anew, and the test sets of the papers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.errors import InputError
from vidgen.frame import Color, Frame, Planes, VideoFormat
from vidgen.media import Decoder, MediaInfo, probe
from vidgen.media.recode import recode
from vidgen.stages import EstimateMotion
from vidgen.stages.fit import resample

__all__ = ["CRF", "Clip", "film_clip", "film_clips", "matlab_planes", "still_sets", "vid4_clips"]

CRF = 23
"""Of the H.264 (x264, preset medium) that films go through when small: a usual download."""

_SUFFIXES = {".mp4", ".mkv", ".mov", ".webm", ".ogv", ".avi", ".ts", ".m4v", ".mpg", ".y4m"}
_SETS = {"set5": "Set5", "set14": "Set14", "bsd100": "BSD100", "urban100": "Urban100"}
_VID4_FPS = Fraction(25)


@dataclass(frozen=True)
class Clip:
    """Neighbouring frames, small as a model is given them and large as they should come out."""

    name: str
    low: list[Frame]
    """With motion and cuts, as of `EstimateMotion`."""
    truth: list[Planes]
    """At the size that is wanted; for stills a little less than that of `low` times the scale."""
    format: VideoFormat
    """Of `low`."""
    shave: int = 0
    """Luma pixels along each border that are not measured."""


def film_clips(folder: Path, scale: int, frames: int) -> Iterator[Clip | str]:
    """Each film of `folder`, a third into it, its frames reduced by area and coded with `CRF`.

    For a film that is not taken, a line that says why. Raises InputError for an unreadable one.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in _SUFFIXES:
            continue
        info = probe(path)
        if why := _unfit(info):
            yield f"{path.name} is left out: {why}"
        else:
            yield film_clip(info, scale, frames)


def _unfit(info: MediaInfo) -> str:
    if info.interlaced:
        return "it is interlaced"
    return "it has more than 8 bits" if info.video.bit_depth > 8 else ""


def film_clip(info: MediaInfo, scale: int, frames: int, share: Fraction = Fraction(1, 3)) -> Clip:
    """Neighbouring frames from that `share` of the film on, as `film_clips` makes them small."""
    with Decoder(info.path, start=(info.duration or Fraction(0)) * share) as decoder:
        truth = [_cropped(frame.planes, 4 * scale) for frame in islice(decoder, frames)]
    height, width = truth[0][0].shape
    small = [resample(planes, width // scale, height // scale, 8) for planes in truth]
    low = recode(small, "libx264", CRF)
    source = VideoFormat(width // scale, height // scale, info.video.fps, color=info.video.color)
    return Clip(info.path.name, _frames(low, info.video.fps or _VID4_FPS), truth, source)


def _cropped(planes: Planes, unit: int) -> Planes:
    """The top left part whose sides are divisible by `unit`."""
    y, uv = planes
    height, width = (side // unit * unit for side in y.shape)
    return (
        np.ascontiguousarray(y[:height, :width]),
        np.ascontiguousarray(uv[: height // 2, : width // 2]),
    )


def _frames(pictures: list[Planes], fps: Fraction) -> list[Frame]:
    """With motion, each lasting 1 / fps."""
    plain = (Frame(*planes, number, 1, 1 / fps) for number, planes in enumerate(pictures))
    return list(EstimateMotion()(plain))


def still_sets(folder: Path, scale: int) -> Iterator[tuple[str, list[Clip]]]:
    """Each test set of that scale that lies in `folder`, as clips of one frame.

    `<set>-x<scale>/*_HR.png` with the small `*_LR.png` that came with them: other ways to make them
    small give other figures. `scale` pixels of each border are not measured, as in the papers.
    """
    for prefix, name in _SETS.items():
        pairs = sorted((folder / f"{prefix}-x{scale}").glob("*_HR.png"))
        if pairs:
            yield f"{name} x{scale}", [_still(path, scale) for path in pairs]


def _still(path: Path, scale: int) -> Clip:
    small = matlab_planes(_read(path.with_name(path.name.replace("_HR", "_LR"))))
    height, width = small[0].shape
    source = VideoFormat(width, height, color=Color(range=1, matrix=6))
    return Clip(path.stem, _frames([small], _VID4_FPS), [matlab_planes(_read(path))], source, scale)


def vid4_clips(folder: Path) -> Iterator[Clip]:
    """The clips of Vid4 in `folder`, a quarter of their size by Gaussian and decimation ("BD")."""
    for path in sorted(folder.glob("*/hr")):
        pictures = [_read(each) for each in sorted(path.iterdir())]
        small = [_blurred_quarter(picture) for picture in pictures]
        low, truth = ([matlab_planes(each) for each in group] for group in (small, pictures))
        height, width = low[0][0].shape
        source = VideoFormat(width, height, color=Color(range=1, matrix=6))
        yield Clip(f"Vid4 {path.parent.name}", _frames(low, _VID4_FPS), truth, source, 4)


def _blurred_quarter(picture: NDArray[Any]) -> NDArray[np.float32]:
    """A Gaussian of sigma 1.5, sampled at the middle of every 4x4 pixels.

    The papers sample at the first of the four, which moves the picture by 1.5 pixels; their
    networks learn to move it back, and a centre-aligned one would be measured by that alone. The
    mean of the two middle samples has a variance of 1/4: with 2 before it, 1.5^2 in all.
    """
    blurred = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 2**0.5)
    middle = [blurred[row::4, column::4] for row in (1, 2) for column in (1, 2)]
    return np.asarray(np.mean(middle, 0), np.float32)


def matlab_planes(bgr: NDArray[Any]) -> Planes:
    """(H, W, 3) as BT.601 limited range, luma as by MATLAB's rgb2ycbcr, chroma by area.

    Odd sides get their last row or column twice.
    """
    height, width = bgr.shape[:2]
    padded = np.pad(bgr, ((0, height % 2), (0, width % 2), (0, 0)), "edge").astype(np.float32)
    weights = np.array(
        [[24.966, 128.553, 65.481], [112.0, -74.203, -37.797], [-18.214, -93.786, 112.0]]
    )
    planes = padded @ (weights.T / 255).astype(np.float32)
    planes += np.array((16, 128, 128), np.float32)
    size = padded.shape[1] // 2, padded.shape[0] // 2
    uv = cv2.resize(planes[..., 1:], size, interpolation=cv2.INTER_AREA)
    y, uv = (np.clip(np.rint(each), 0, 255).astype(np.uint8) for each in (planes[..., 0], uv))
    return np.ascontiguousarray(y), uv


def _read(path: Path) -> NDArray[Any]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(f"{path}: cannot be read as a picture")
    return picture

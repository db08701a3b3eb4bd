"""Single pictures and numbered sequences, through the same stages as films.

A picture file holds its colours at full resolution. So the network draws luma alone, at 10 bits,
and the colour differences, of which 4:2:0 would throw three quarters away, are enlarged as they
are. Transparency is enlarged with them.

Where no network is asked for, a single picture gets `quality`: frames of a film are many. `still`
has learnt from photographs and is nearer to them on average; soft edges, as of drawings that were
blurred before they were shrunk, it makes harder than they were.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.errors import InputError, OutputError, UsageError
from vidgen.frame import Frame, VideoFormat
from vidgen.job import Progress, Report, Settings
from vidgen.pipeline import build_stages, output_format
from vidgen.stage import chain
from vidgen.target import is_picture, partial_path, publish, require_writable

__all__ = ["run"]

_NUMBER = re.compile(r"%0?(\d*)d")
_PEAKS = {"uint8": 255, "uint16": 65535}
_DEEP = (".png", ".tif", ".tiff")  # hold 16 bits
_CLEAR = (".png", ".webp", ".tif", ".tiff")  # hold transparency
_BLACK, _WHITE, _MIDDLE, _COLOR = 64, 940, 512, 896  # BT.709, limited range, 10 bits
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
_FILMS_ONLY = ("fps", "start", "end", "preset", "crf")


class _Parts(NamedTuple):
    """A picture taken apart, sides even; the last row or column of an odd one is there twice."""

    size: tuple[int, int]
    """Height and width before that."""
    peak: int
    """255 or 65535."""
    y: NDArray[np.uint16]
    """(H, W) 10 bits."""
    color: NDArray[np.float32] | None
    """(H, W, 2) Cb and Cr in [-0.5, 0.5]; None for a grey picture."""
    alpha: NDArray[np.float32] | None
    """(H, W) in [0, 1]; None where there is none."""


def run(settings: Settings, progress: Callable[[Progress], None] = lambda _: None) -> Report:
    """Enlarge one picture, or all of a sequence (`%05d` in both names). Raises VidgenError.

    Pictures of a sequence must be of one size; each one sees what was drawn for the one before it.
    """
    began = time.perf_counter()
    _require_words(settings)
    names = list(_pairs(settings.source, settings.target))
    for source, target in names:
        require_writable(target, source, settings.overwrite)
    first = _read(names[0][0])
    video = VideoFormat(first.y.shape[1], first.y.shape[0], bit_depth=10)
    alone = not _NUMBER.search(settings.source.name)
    settings = replace(settings, tier=settings.tier or ("quality" if alone else None))
    steps, engine = build_stages(settings, video)
    report = Report(video, output_format(steps, video), engine)
    kept: list[_Parts] = []
    frames = chain(_frames((source for source, _ in names), kept), *steps.values())
    for (_, target), frame in zip(names, frames, strict=True):
        parts = kept.pop(0)
        _write(target, frame.y, parts)
        report.frames_out += 1
        done = Fraction(report.frames_out), Fraction(len(names))
        progress(Progress(report.frames_out, *done, time.perf_counter() - began))
        if parts.alpha is not None and target.suffix.lower() not in _CLEAR:
            report.notes = [f"{target.suffix} holds no transparency: it is left out"]
    report.frames_in = len(names)
    report.seconds = time.perf_counter() - began
    return report


def _require_words(settings: Settings) -> None:
    if not is_picture(settings.target):
        raise UsageError(f"{settings.target}: a picture in gives one out; end it in .png or .jpg")
    for name in _FILMS_ONLY:
        if getattr(settings, name) is not None:
            raise UsageError(f"--{name}: a picture has none; leave it out")


def _pairs(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """What is read and what is written for it, by number where the names hold one."""
    if not (pattern := _NUMBER.search(source.name)):
        if not source.is_file():
            raise InputError(f"{source}: no such file")
        yield source, target
        return
    if not _NUMBER.search(target.name):
        raise UsageError(f"{target}: give the number a place too, such as {source.name}")
    digits = rf"(\d{{{pattern[1]}}})" if pattern[1] else r"(\d+)"
    before, after = re.escape(source.name[: pattern.start()]), source.name[pattern.end() :]
    matches = [
        (int(match[1]), path)
        for path in (source.parent.iterdir() if source.parent.is_dir() else ())
        if (match := re.fullmatch(f"{before}{digits}{re.escape(after)}", path.name))
    ]
    if not matches:
        raise InputError(f"{source}: no picture has such a name")
    for number, path in sorted(matches):
        yield path, target.with_name(target.name % number)


def _frames(paths: Iterable[Path], kept: list[_Parts]) -> Iterator[Frame]:
    """Luma as frames; the rest of each picture is put into `kept`."""
    size = None
    for pts, path in enumerate(paths):
        parts = _read(path)
        size = size or parts.size
        if parts.size != size:
            sizes = " and ".join(f"{width}x{height}" for height, width in (size, parts.size))
            raise InputError(f"{path}: the pictures of a sequence must be of one size, not {sizes}")
        kept.append(parts)
        height, width = parts.y.shape
        grey = np.full((height // 2, width // 2, 2), _MIDDLE, np.uint16)
        yield Frame(parts.y, grey, pts, 1, Fraction(1))


def _read(path: Path) -> _Parts:
    """Raises InputError where the file is no picture."""
    # a JPEG may lie on its side and has no alpha; only reading it as colour turns it upright
    jpeg = path.suffix.lower() in (".jpg", ".jpeg")
    flags = cv2.IMREAD_COLOR if jpeg else cv2.IMREAD_UNCHANGED
    data = np.fromfile(path, np.uint8)
    picture = cv2.imdecode(data, flags) if data.size else None
    if picture is None or picture.dtype.name not in _PEAKS:
        raise InputError(f"{path}: cannot be read as a picture of 8 or 16 bits")
    height, width = picture.shape[:2]
    picture = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    peak = _PEAKS[picture.dtype.name]
    values = np.atleast_3d(picture).astype(np.float32) / np.float32(peak)
    alpha = values[..., 3] if values.shape[2] == 4 else None
    if values.shape[2] < 3:
        return _Parts((height, width), peak, _coded(values[..., 0]), None, alpha)
    blue, green, red = (values[..., channel] for channel in range(3))
    luma = _RED * red + _GREEN * green + _BLUE * blue
    color = np.stack([(blue - luma) / (2 - 2 * _BLUE), (red - luma) / (2 - 2 * _RED)], -1)
    return _Parts((height, width), peak, _coded(luma), color.astype(np.float32), alpha)


def _coded(luma: NDArray[Any]) -> NDArray[np.uint16]:
    return np.asarray(np.rint(_BLACK + (_WHITE - _BLACK) * luma), np.uint16)


def _write(target: Path, y: NDArray[np.uint16], parts: _Parts) -> None:
    """Put the picture together at the size of `y` and give it its name when it is whole."""
    luma: NDArray[Any] = (y.astype(np.float32) - _BLACK) / (_WHITE - _BLACK)
    channels = [luma] if parts.color is None else _bgr(luma, _enlarged(parts.color, y))
    if parts.alpha is not None and target.suffix.lower() in _CLEAR:
        channels = [*(channels * 3)[:3], _enlarged(parts.alpha, y)]
    height, width = (
        round(side * grown / even)
        for side, grown, even in zip(parts.size, y.shape, parts.y.shape, strict=True)
    )
    peak = parts.peak if target.suffix.lower() in _DEEP else 255
    picture = np.rint(np.clip(cv2.merge(channels)[:height, :width], 0, 1) * peak)
    done, data = cv2.imencode(target.suffix, picture.astype("uint8" if peak == 255 else "uint16"))
    if not done:
        raise OutputError(f"{target}: cannot be written; give a name that ends in .png")
    partial = partial_path(target)
    partial.write_bytes(data.tobytes())
    publish(partial, target)


def _bgr(luma: NDArray[Any], color: NDArray[Any]) -> list[NDArray[Any]]:
    blue = luma + (2 - 2 * _BLUE) * color[..., 0]
    red = luma + (2 - 2 * _RED) * color[..., 1]
    return [blue, (luma - _BLUE * blue - _RED * red) / _GREEN, red]


def _enlarged(field: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    size = like.shape[1], like.shape[0]
    return cv2.resize(field, size, interpolation=cv2.INTER_CUBIC)

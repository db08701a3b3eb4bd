"""One picture taken apart for the network, and put together again at its new size.

A picture file holds its colours at full resolution. So the network draws luma alone, at 10 bits,
and the colour differences, of which 4:2:0 would throw three quarters away, are enlarged as they
are. Transparency is enlarged with them.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.errors import InputError, OutputError
from vidgen.frame import Frame
from vidgen.target import partial_path, publish

__all__ = ["Parts", "left_out", "luma_frame", "read_picture", "write_picture"]

_PEAKS = {"uint8": 255, "uint16": 65535}
_DEEP = (".png", ".tif", ".tiff")  # hold 16 bits
_CLEAR = (".png", ".webp", ".tif", ".tiff")  # hold transparency
_BLACK, _WHITE, _MIDDLE, _COLOR = 64, 940, 512, 896  # BT.709, limited range, 10 bits
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722


class Parts(NamedTuple):
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


def read_picture(path: Path) -> Parts:
    """Raises InputError where the file is not there, or no picture."""
    # a JPEG may lie on its side and has no alpha; only reading it as colour turns it upright
    jpeg = path.suffix.lower() in (".jpg", ".jpeg")
    flags = cv2.IMREAD_COLOR if jpeg else cv2.IMREAD_UNCHANGED
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    picture = _decoded(data, flags) if data.size else None
    if picture is None or picture.dtype.name not in _PEAKS:
        raise InputError(f"{path}: cannot be read as a picture of 8 or 16 bits")
    height, width = picture.shape[:2]
    picture = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    peak = _PEAKS[picture.dtype.name]
    values = np.atleast_3d(picture).astype(np.float32) / np.float32(peak)
    alpha = values[..., 3] if values.shape[2] == 4 else None
    if values.shape[2] < 3:
        return Parts((height, width), peak, _coded(values[..., 0]), None, alpha)
    blue, green, red = (values[..., channel] for channel in range(3))
    luma = _RED * red + _GREEN * green + _BLUE * blue
    color = np.stack([(blue - luma) / (2 - 2 * _BLUE), (red - luma) / (2 - 2 * _RED)], -1)
    return Parts((height, width), peak, _coded(luma), color.astype(np.float32), alpha)


def _decoded(data: NDArray[np.uint8], flags: int) -> NDArray[Any] | None:
    """Without OpenCV's own lines on what is damaged: the error tells it."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        return cv2.imdecode(data, flags)
    finally:
        cv2.utils.logging.setLogLevel(level)


def luma_frame(parts: Parts, number: int) -> Frame:
    """Its luma as a grey frame, the `number`th of a film."""
    height, width = parts.y.shape
    grey = np.full((height // 2, width // 2, 2), _MIDDLE, np.uint16)
    return Frame(parts.y, grey, number, 1, Fraction(1))


def _coded(luma: NDArray[Any]) -> NDArray[np.uint16]:
    return np.asarray(np.rint(_BLACK + (_WHITE - _BLACK) * luma), np.uint16)


def write_picture(
    target: Path,
    y: NDArray[np.uint16],
    parts: Parts,
    enter: Callable[[Path, bytes], None] = lambda partial, data: None,
) -> None:
    """Put the picture together at the size of `y` and give it its name when it is whole.

    Before that, `enter` is told of the file that will get it, and of its content. Raises
    OutputError.
    """
    data, partial = _encoded(target, _put_together(target.suffix, y, parts)), partial_path(target)
    try:
        partial.write_bytes(data)
        enter(partial, data)
        publish(partial, target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)


def _encoded(target: Path, picture: NDArray[Any]) -> bytes:
    done, data = cv2.imencode(target.suffix, picture)
    if not done:
        raise OutputError(f"{target}: cannot be written; give a name that ends in .png")
    return data.tobytes()


def _put_together(suffix: str, y: NDArray[np.uint16], parts: Parts) -> NDArray[Any]:
    """(h, w) or (h, w, 3 or 4) uint8 or uint16, as files whose names end so can hold it."""
    luma: NDArray[Any] = (y.astype(np.float32) - _BLACK) / (_WHITE - _BLACK)
    channels = [luma] if parts.color is None else _bgr(luma, _enlarged(parts.color, y))
    if parts.alpha is not None and suffix.lower() in _CLEAR:
        channels = [*(channels * 3)[:3], _enlarged(parts.alpha, y)]
    height, width = (
        round(side * grown / even)
        for side, grown, even in zip(parts.size, y.shape, parts.y.shape, strict=True)
    )
    peak = parts.peak if suffix.lower() in _DEEP else 255
    picture = np.rint(np.clip(cv2.merge(channels)[:height, :width], 0, 1) * peak)
    return picture.astype("uint8" if peak == 255 else "uint16")


def left_out(target: Path, parts: Parts) -> str:
    """What of the picture a file of that name cannot hold, in words; empty where it holds all."""
    if parts.alpha is None or target.suffix.lower() in _CLEAR:
        return ""
    return f"{target.suffix} holds no transparency: it is left out"


def _bgr(luma: NDArray[Any], color: NDArray[Any]) -> list[NDArray[Any]]:
    blue = luma + (2 - 2 * _BLUE) * color[..., 0]
    red = luma + (2 - 2 * _RED) * color[..., 1]
    return [blue, (luma - _BLUE * blue - _RED * red) / _GREEN, red]


def _enlarged(field: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    size = like.shape[1], like.shape[0]
    return cv2.resize(field, size, interpolation=cv2.INTER_CUBIC)

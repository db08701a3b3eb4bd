"""What flows through the machine: a picture with its time, and the motion that leads to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Color", "Field", "Frame", "Motion", "Planes", "VideoFormat", "dtype_of"]

Planes = tuple[NDArray[Any], NDArray[Any]]
"""`y (H, W)`, `uv (H/2, W/2, 2)`, C-contiguous; uint8, or uint16 with the value in the low bits.

Where a picture stays on a GPU (`vidgen.surface`) they are arrays of CuPy there.
"""


def dtype_of(bit_depth: int) -> np.dtype[Any]:
    """The dtype of planes of that depth: uint8 for 8 bits, uint16 above."""
    return np.dtype(np.uint8 if bit_depth == 8 else np.uint16)


@dataclass(frozen=True, slots=True)
class Color:
    """Colour tags as decoded, FFmpeg's numbers (ITU-T H.273); nothing is converted by them."""

    range: int = 0
    """AVColorRange: 0 unspecified, 1 limited (MPEG), 2 full (JPEG)."""
    matrix: int = 2
    """AVColorSpace: 1 BT.709, 2 unspecified, 5 BT.601 (625), 6 BT.601 (525), 9 BT.2020 ncl."""
    primaries: int = 2
    """AVColorPrimaries."""
    transfer: int = 2
    """AVColorTransferCharacteristic: 1 BT.709, 16 PQ, 18 HLG."""
    chroma_location: int = 0
    """AVChromaLocation: 0 unspecified, 1 left, 2 centre, 3 top left."""


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What a stage promises of every frame that it yields."""

    width: int
    """Luma columns, even."""
    height: int
    """Luma rows, even."""
    fps: Fraction | None = None
    """Average frames per second; None where the source states none."""
    bit_depth: int = 8
    """8 or 10; see `Planes`."""
    sample_aspect_ratio: Fraction = Fraction(1)
    """Width of a pixel over its height."""
    rotation: int = 0
    """Counter-clockwise degrees (0, 90, 180, 270) at which a player shows the picture."""
    color: Color = Color()
    peak: int = 0
    """cd/m2: the brightest light of an HDR film, as it states; 0 where it does not."""

    def resized(self, width: int, height: int) -> VideoFormat:
        """The same video at another picture size with the same display aspect ratio."""
        sar = self.sample_aspect_ratio * Fraction(self.width * height, self.height * width)
        return replace(self, width=width, height=height, sample_aspect_ratio=sar)


Field = NDArray[Any]
"""(H/2, W/2, 2) float32, (x, y) order, full-resolution pixels."""
Confidence = NDArray[Any]
"""(H/2, W/2) float32 in [0, 1]: 1 where both flows agree, 0 at occlusions."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Where the content of a frame lay in a frame before it.

    With flow f at full-resolution pixel (x, y), frame(x, y) shows what previous(x + f_x, y + f_y)
    showed. Flow is stored at half resolution, in full-resolution pixels.
    """

    flow: Field
    """To the previous frame."""
    back: Callable[[], Field]
    """Finds `reverse` when it is first asked for: who only looks back need not pay for it."""
    check: Callable[[], tuple[Confidence, Confidence]]
    """Finds `confidence` and `reverse_confidence` when one of them is first asked for."""

    @cached_property
    def reverse(self) -> Field:
        """The flow from the previous frame to this one."""
        return self.back()

    @property
    def confidence(self) -> Confidence:
        """How far `flow` can be trusted, at each of its places."""
        return self._confidences[0]

    @property
    def reverse_confidence(self) -> Confidence:
        """The same for `reverse`."""
        return self._confidences[1]

    @cached_property
    def _confidences(self) -> tuple[Confidence, Confidence]:
        return self.check()


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture as 4:2:0 planes, and when it is shown.

    Arrays are read-only by convention and may be shared between frames.
    """

    y: NDArray[Any]
    """(H, W) uint8 or uint16, H and W even."""
    uv: NDArray[Any]
    """(H/2, W/2, 2), dtype of `y`; U then V."""
    pts: int
    """Presentation time in units of `time_base`."""
    duration: int
    """In units of `time_base`, > 0."""
    time_base: Fraction
    """Seconds a unit."""
    cut: bool = False
    """True when this frame starts a new shot: nothing before it may be blended into it."""
    duplicate: bool = False
    """True when the picture repeats the one before it (animation on twos, pulldown)."""
    interlaced: bool = False
    """True when the source flags the frame as two fields of two instants; the flag may lie."""
    generated: bool = False
    """True when the picture was made between or after real ones; it never writes history."""
    held: str = ""
    """Why this real picture is shown at an instant for which one could have been made: `cut`, the
    next one starts a shot; `repeat`, the next one is the same; `gap`, the next one is far; `doubt`,
    its neighbours do not agree. Empty elsewhere."""
    scene: bytes = b""
    """HDR10+ data of the picture, SMPTE ST 2094-40 in a message of ITU-T T.35; empty: none."""
    motion: Callable[[], Motion] | None = None
    """Motion to the last real frame (not `generated`) that came before this one in the stream,
    estimated when first called for and kept. To be called from the thread of the stages.

    Generated frames have it too, to the real frame shown last, and so have real frames after some
    that were left out by a lower rate. None: before the motion stage, where no real frame of the
    shot came before, where that one lies over a quarter of a second and other real frames back, and
    where a picture is shown again."""

    @property
    def time(self) -> Fraction:
        """Start of presentation in seconds, exact."""
        return self.pts * self.time_base

    @property
    def end(self) -> Fraction:
        """End of presentation in seconds, exact."""
        return (self.pts + self.duration) * self.time_base

    @property
    def planes(self) -> Planes:
        """The picture alone, as engines take it."""
        return self.y, self.uv

    def with_planes(self, planes: Planes) -> Frame:
        """The same instant with another picture; motion is dropped when the size changes."""
        motion = self.motion if planes[0].shape == self.y.shape else None
        return replace(self, y=planes[0], uv=planes[1], motion=motion)

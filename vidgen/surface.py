"""Pictures that stay on a GPU between decoder, network and encoder: what these ask of each other.

FFmpeg (`vidgen.media`) and CuPy (`vidgen.engines`) know nothing of one another; this is between.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from vidgen.frame import Planes

__all__ = ["GpuPictures", "Surface"]


class Surface(NamedTuple):
    """A picture as a decoder leaves it in a GPU's memory; `kernels/planes.cu` draws the layout."""

    pointer: int
    """Of the first row of luma."""
    pitch: int
    """Bytes from row to row, of luma and of chroma."""
    chroma_row: int
    """How many rows after that of luma the first one of chroma lies."""
    height: int
    width: int
    itemsize: int
    """1: NV12, 8 bits a sample. 2: P010, 10 bits in the high ones of 16."""
    keeper: object
    """As long as it lives, so does the memory."""


class GpuPictures(Protocol):
    """What takes pictures from decoders and gives them to encoders on one GPU.

    Planes there are arrays of CuPy, else as `vidgen.frame.Planes` has them. Of one thread, as they
    are. Raises BackendError where the GPU has no room, or fails.
    """

    device: int
    """Number of the GPU."""

    def current(self) -> AbstractContextManager[Any]:
        """Its CUDA context is the current one of this thread, for FFmpeg to share."""
        ...

    def planes(self, surface: Surface) -> Planes:
        """The picture, copied on the GPU: when it is back, the surface may be written over."""
        ...

    def surface(self, planes: Planes) -> tuple[Any, Any]:
        """`y (H, W)` and `uv (H/2, W)`, views of one new NV12 or P010 surface, for DLPack.

        NVENC looks for chroma in the row after the last one of luma, whatever it is told.
        """
        ...

    def half_luma(self, y: NDArray[Any]) -> NDArray[Any]:
        """As `vidgen.motion.half_luma`: (H/2, W/2) uint8 on the host, of luma on the GPU."""
        ...

    def shifted(
        self, uv: NDArray[Any], across: NDArray[Any], down: NDArray[Any], top: int
    ) -> NDArray[Any]:
        """`vidgen.reference.shift.shifted_reference`, there; the weights come from the host."""
        ...

"""How a chain of convolutions is cut into launches and tiles: features stay in shared memory.

A launch does some layers of the chain on tiles; each layer needs a halo of one pixel, which
neighbouring tiles compute again. Few large tiles waste least, and shared memory bounds them; where
a deep chain would be mostly halo, it is split, and its features go through global memory once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

__all__ = ["Launch", "Layout", "plan"]

_PIXEL = 16  # bytes of eight channels in half precision
_PITCHES = (32, 64, 96, 128)  # columns; a warp takes 32 pixels at once
_MOST_ROWS = 48

_BYTE_COST = 0.6
"""A byte of each of 16 pixels through global memory, in products of 16 x 16 x 8: an H100 moves 14
bytes a cycle and multiprocessor, and takes 1.6 to 2 cycles a product; other cards are alike."""
_ALONE = 1.2
"""Cost of a block that has a multiprocessor to itself: none computes while it loads. A guess."""


@dataclass(frozen=True)
class Layout:
    """A chain, as far as its tiles depend on it; channels."""

    layers: int
    width: int
    seen: int
    made: int
    skip: bool
    recall: bool

    def chunks(self, layer: int) -> tuple[int, int]:
        """Chunks of eight channels in and out."""
        ends = self.seen if layer == 0 else self.width, self.width
        if layer == self.layers - 1:
            ends = self.width, self.made
        return _chunks(ends[0]), _chunks(ends[1])

    def products(self, layer: int) -> int:
        """Products of 16 pixels by 8 outputs that a layer takes for each 16 pixels."""
        inputs, outputs = self.chunks(layer)
        count = _steps(inputs) * outputs
        if (layer == self.layers - 1 and self.recall) or (layer == self.layers - 2 and self.skip):
            count += _steps(_chunks(self.seen)) * outputs
        return count


@dataclass(frozen=True)
class Launch:
    """Layers `first` to `last - 1` on tiles of `rows`, `pitch` columns with the halo."""

    first: int
    last: int
    rows: int
    pitch: int
    shared_bytes: int

    @property
    def columns(self) -> int:
        """That a tile makes."""
        return self.pitch - 2 * (self.last - self.first)

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Blocks along x and y for a picture of that size."""
        return -(-width // self.columns), -(-height // self.rows)


@cache
def plan(layout: Layout, shared_bytes: int) -> tuple[Launch, ...] | None:
    """The cheapest launches for blocks of at most so much shared memory; None where none fits."""
    best: dict[int, tuple[float, tuple[Launch, ...]]] = {layout.layers: (0.0, ())}
    for first in reversed(range(layout.layers)):
        ways = [
            (cost + best[launch.last][0], (launch, *best[launch.last][1]))
            for cost, launch in _launches(layout, first, shared_bytes)
            if launch.last in best
        ]
        if ways:
            best[first] = min(ways, key=lambda way: way[0])
    return best[0][1] if 0 in best else None


def _launches(layout: Layout, first: int, most_bytes: int) -> Iterator[tuple[float, Launch]]:
    """All that begin with that layer, with their cost a pixel of the picture."""
    for last in range(first + 1, layout.layers + 1):
        lacks_seen = 0 < first == layout.layers - 1 or last == layout.layers - 1
        if layout.skip and lacks_seen:  # what was seen is needed there once more
            continue
        for pitch in _PITCHES:
            for rows in range(2, _MOST_ROWS + 1, 2):
                size = _shared(layout, first, last, rows, pitch)
                launch = Launch(first, last, rows, pitch, size)
                if size <= most_bytes and launch.columns > 0:
                    yield _cost(layout, launch, most_bytes), launch


def _cost(layout: Layout, launch: Launch, most_bytes: int) -> float:
    """In products for each 16 pixels of the picture."""
    own = launch.rows * launch.columns
    products = 0.0
    for layer in range(launch.first, launch.last):
        rows = launch.rows + 2 * (launch.last - layer - 1)
        products += layout.products(layer) * rows * launch.pitch / own
    if layout.width > 16 or 2 * launch.shared_bytes > most_bytes:  # by registers, or by memory
        products *= _ALONE
    read = (launch.rows + 2 * (launch.last - launch.first)) * launch.pitch / own
    features = 2 * layout.width * ((read if launch.first else 0) + (launch.last < layout.layers))
    return products + _BYTE_COST * features


def _shared(layout: Layout, first: int, last: int, rows: int, pitch: int) -> int:
    """Bytes, as kernels/chain.h lays them out."""
    halo = last - first

    def plane(stage: int) -> int:
        return (rows + 2 * (halo - stage)) * pitch

    even = plane(0) if first else plane(2) if halo > 2 else 0
    odd = plane(1) if halo > 1 else 0
    sees = first == 0 or last == layout.layers
    pixels = _chunks(layout.width) * (even + odd) + (sees and _chunks(layout.seen) * plane(0))
    return _PIXEL * (pixels + 2)


def _chunks(channels: int) -> int:
    return -(-channels // 8)


def _steps(chunks: int) -> int:
    return (9 * chunks + 1) // 2

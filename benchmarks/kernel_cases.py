"""Launches of every kernel of `kernels/`, each with what its NumPy reference says of the result.

`tests/kernels/` runs them at `SIZES`, as C++ on the CPU and, where there is one, on a GPU; NumPy is
all they need. As a program, the least time of each kernel by the bytes of its arguments:

    python -m benchmarks.kernel_cases [--size 1920x1080]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.kernels import over_pixels
from vidgen.reference.blocks import densify_reference
from vidgen.reference.history import align_reference
from vidgen.reference.sampling import warp_blocks_reference, warp_reference
from vidgen.reference.splat import claims_reference, splat_reference
from vidgen.reference.surfaces import packed_reference, unpacked_reference

__all__ = ["BANDWIDTH", "CASES", "SIZES", "Case"]

SIZES = [(1, 1), (1, 37), (37, 1), (2, 2), (8, 32), (9, 33), (31, 65), (50, 70)]
"""(height, width): less than a block of threads, just that, and one row and column more."""

BANDWIDTH = {"H200": 4.8e12, "H100 SXM": 3.35e12}
"""Bytes a second to and from memory, by NVIDIA's data sheets."""

_CHANNELS = {1: "one channel", 2: "two channels"}

Geometry = tuple[tuple[int, ...], tuple[int, ...]]
"""(grid, block)."""


@dataclass(frozen=True)
class Case:
    """One launch of a kernel and what it must have written at its end."""

    kernel: str
    variant: str
    """What else decides how many bytes there are; may be empty."""
    tries: str
    geometry: Geometry
    arguments: tuple[NDArray[Any] | int, ...]
    """In the kernel's order; what it writes holds nothing yet, or the zeros that it starts from."""
    expected: Callable[[], dict[int, NDArray[Any]]]
    """Number of each argument that is written -> its content, made anew at each call."""

    @property
    def moved_bytes(self) -> int:
        """Every array once: no kernel can move less."""
        return sum(each.nbytes for each in self.arguments if isinstance(each, np.ndarray))


def _noise(rng: np.random.Generator, *shape: int, bits: int) -> NDArray[Any]:
    return rng.integers(0, 1 << bits, shape, np.uint8 if bits == 8 else np.uint16)


def _named(kernel: str, bits: int) -> str:
    return f"{kernel}_u{8 if bits == 8 else 16}"


def _flows(rng: np.random.Generator, height: int, width: int) -> Iterator[tuple[str, Any]]:
    """Flow fields of one size, each with what it tries."""
    shape = (height, width, 2)
    yield "sub-pixel", rng.uniform(-3, 3, shape).astype(np.float32)
    borders = rng.uniform(-1, 1, shape) * (2 * width, 2 * height)
    yield "along the borders", borders.astype(np.float32)
    yield "eighths, with ties", rng.integers(-20, 21, shape).astype(np.float32) / np.float32(8)
    yield "whole pixels", rng.integers(-5, 6, shape).astype(np.float32)
    far = np.array([-1e9, -1e4, 1e4, 1e9, -np.inf, np.inf, np.nan], np.float32)
    yield "far outside", rng.choice(far, shape)
    barely = np.array([-1e-7, 1e-7, -1e-40, 1e-40], np.float32)
    yield "barely off the pixel", rng.choice(barely, shape)


def _warps(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    yield from _flow_warps(rng, height, width)
    yield from _block_warps(rng, height, width)


def _flow_warps(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for bits, channels in ((8, 1), (8, 2), (10, 1), (10, 2)):
        plane = _noise(rng, height, width, channels, bits=bits)
        for tries, flow in _flows(rng, height, width):
            yield Case(
                _named("warp", bits),
                _CHANNELS[channels],
                tries,
                over_pixels(height, width),
                (plane, flow, np.empty_like(plane), height, width, channels),
                lambda plane=plane, flow=flow: {2: warp_reference(plane, flow)},
            )


def _block_warps(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for bits, channels in ((8, 1), (8, 2), (10, 1), (10, 2)):
        plane = _noise(rng, height, width, channels, bits=bits)
        block, unit = 16 // channels, 4 * channels  # chroma is half as large
        rows, columns = max(height // block, 1), max(width // block, 1)  # a border has none
        for most in (4 * unit, 2**15 - 1):
            vectors = rng.integers(-most, most, (rows, columns, 2), np.int16)
            numbers = height, width, channels, rows, columns, block, unit
            yield Case(
                _named("warp_blocks", bits),
                _CHANNELS[channels],
                f"up to {most}/{unit} pixels",
                over_pixels(height, width),
                (plane, vectors, np.empty_like(plane), *numbers),
                lambda given=(plane, vectors, block, unit): {2: warp_blocks_reference(*given)},
            )


def _histories(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for bits, scale in ((8, 2), (8, 4), (10, 2), (10, 4)):
        previous = _noise(rng, scale * height, scale * width, bits=bits)
        y = _slopes(rng, height, width, bits)
        for tries, flow in _flows(rng, -(-height // 2), -(-width // 2)):
            numbers = height, width, *flow.shape[:2], scale, (1 << bits) - 1
            out = np.empty((scale**2, height, width), y.dtype)
            yield Case(
                _named("history", bits),
                f"x{scale}",
                tries,
                over_pixels(height, width),
                (previous, y, flow, out, *numbers),
                lambda given=(previous, y, flow, scale): {3: align_reference(*given)},
            )


def _slopes(rng: np.random.Generator, height: int, width: int, bits: int) -> NDArray[Any]:
    """Squares with some noise on them, so that what is around a pixel differs from the rest."""
    peak = (1 << bits) - 1
    base = rng.integers(0, peak + 1, (-(-height // 6), -(-width // 6)))
    wide = np.kron(base, np.ones((6, 6), int))[:height, :width]
    noisy = wide + rng.integers(-peak // 20, peak // 20 + 1, wide.shape)
    return np.clip(noisy, 0, peak).astype(np.uint8 if bits == 8 else np.uint16)


def _densities(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for block, unit, least in ((8, 4, 255), (8, 4, 0), (4, 4, 0), (16, 8, 0)):
        shape = -(-height // block), -(-width // block)
        vectors = rng.integers(-(2**15), 2**15 - 1, (*shape, 2), np.int16)
        trust = rng.integers(least, 256, shape, np.uint8)
        flow = np.empty((height, width, 2), np.float32)
        yield Case(
            "densify",
            f"blocks of {block}",
            f"trust from {least} on",
            over_pixels(height, width),
            (vectors, trust, flow, height, width, *shape, block, unit),
            lambda given=(vectors, trust, (height, width), block, unit): {
                2: densify_reference(*given)
            },
        )


def _splats(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    size, over = (height, width), over_pixels(height, width)
    values = rng.random((*size, 4), np.float32)
    for tries, steps in _flows(rng, height, width):
        whole = rng.integers(-3, 4, 2).astype(np.float32)
        claims = np.zeros(size, np.uint64)
        yield Case(
            "splat_claim",
            "",
            tries,
            over,
            (steps, whole, claims, *size),
            lambda steps=steps, whole=whole: {2: claims_reference(steps, whole)},
        )
        claims = claims_reference(steps, whole)
        yield Case(
            "splat_take",
            "four channels",
            tries,
            over,
            (claims, values, np.empty_like(values), np.empty(size, np.uint8), *size, 4),
            lambda claims=claims: dict(enumerate(_taken(values, claims), 2)),
        )


def _taken(values: NDArray[Any], claims: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    carried, seen = splat_reference(values, claims)
    return carried, seen * np.uint8(255)


def _surfaces(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    rows, columns = -(-height // 2), -(-width // 2)
    for bits, name in ((8, "nv12"), (10, "p010")):
        y, uv = _noise(rng, height, width, bits=bits), _noise(rng, rows, columns, 2, bits=bits)
        row = 2 * columns * y.itemsize
        grid = -(-row // 512), -(-(height + rows) // 8)
        for tries, pitch, chroma_row in (
            ("rows on 16 bytes", -(-row // 16) * 16, height),
            ("rows beside them", row + y.itemsize, height + 3),
        ):
            packed = packed_reference((y, uv), pitch, chroma_row)
            dirty = packed | rng.integers(0, 64, packed.shape, np.uint8) if bits > 8 else packed
            numbers = height, width, pitch, chroma_row
            yield Case(
                f"{name}_to_planes",
                "",
                tries,
                (grid, (32, 8)),
                (dirty, np.empty_like(y), np.empty_like(uv), *numbers),
                lambda given=(dirty, height, width, chroma_row, y.dtype): dict(
                    enumerate(unpacked_reference(*given), 1)
                ),
            )
            yield Case(
                f"planes_to_{name}",
                "",
                tries,
                (grid, (32, 8)),
                (np.zeros_like(packed), y, uv, *numbers),
                lambda packed=packed: {0: packed},
            )


CASES: dict[str, Callable[[np.random.Generator, int, int], Iterator[Case]]] = {
    "densify": _densities,
    "history": _histories,
    "planes": _surfaces,
    "splat": _splats,
    "warp": _warps,
}
"""`kernels/<name>.cu` -> its launches for a picture of that height and width."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1920x1080", help="WIDTHxHEIGHT, default %(default)s")
    width, height = map(int, parser.parse_args().size.split("x"))
    cards = " | ".join(f"{card}, at the least" for card in BANDWIDTH)
    print(f"| kernel | {width}x{height}, MB | {cards} |\n| --- | --- |{' --- |' * len(BANDWIDTH)}")
    told = set()
    for build in CASES.values():
        for case in build(np.random.default_rng(0), height, width):
            name = f"`{case.kernel}`{', ' if case.variant else ''}{case.variant}"
            if name not in told:
                told.add(name)
                times = (f"{1e6 * case.moved_bytes / each:.1f} µs" for each in BANDWIDTH.values())
                print(f"| {name} | {case.moved_bytes / 1e6:.1f} | {' | '.join(times)} |")


if __name__ == "__main__":
    main()

"""Cases of the kernels whose work is whole pictures: warps, the past, surfaces, changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.kernel_cases.case import Case, flows, log2, named, noise, slopes
from vidgen.kernels import over_pixels
from vidgen.reference.changes import BINS, difference_reference, histogram_reference
from vidgen.reference.history import (
    align_reference,
    halve_reference,
    settled_reference,
    trusted_reference,
    widened_reference,
)
from vidgen.reference.sampling import warp_blocks_reference, warp_reference
from vidgen.reference.shift import shifted_reference
from vidgen.reference.surfaces import packed_reference, unpacked_reference

__all__ = ["changes", "halves", "histories", "settled", "shifts", "surfaces", "trusts", "warps"]

_CHANNELS = {1: "one channel", 2: "two channels"}


def warps(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    yield from _flow_warps(rng, height, width)
    yield from _block_warps(rng, height, width)


def _flow_warps(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for bits, channels in ((8, 1), (8, 2), (10, 1), (10, 2)):
        plane = noise(rng, height, width, channels, bits=bits)
        for tries, flow in flows(rng, height, width):
            yield Case(
                named("warp", bits),
                _CHANNELS[channels],
                tries,
                over_pixels(height, width),
                (plane, flow, np.empty_like(plane), height, width, channels),
                lambda plane=plane, flow=flow: {2: warp_reference(plane, flow)},
            )


def _block_warps(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for bits, channels in ((8, 1), (8, 2), (10, 1), (10, 2)):
        plane = noise(rng, height, width, channels, bits=bits)
        block, unit = 16 // channels, 4 * channels  # chroma is half as large
        rows, columns = max(height // block, 1), max(width // block, 1)  # a border has none
        for most in (4 * unit, 2**15 - 1):
            vectors = rng.integers(-most, most, (rows, columns, 2), np.int16)
            numbers = height, width, channels, rows, columns, log2(block), log2(unit)
            yield Case(
                named("warp_blocks", bits),
                _CHANNELS[channels],
                f"up to {most}/{unit} pixels",
                over_pixels(height, width),
                (plane, vectors, np.empty_like(plane), *numbers),
                lambda given=(plane, vectors, block, unit): {2: warp_blocks_reference(*given)},
            )


_DTYPES = {"u8": np.uint8, "u16": np.uint16, "f16": np.float16}


def halves(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    size = -(-height // 2), -(-width // 2)
    for bits, kind in ((8, "u8"), (10, "u16"), (10, "f16")):
        y = noise(rng, height, width, bits=bits)
        yield Case(
            f"halve_{kind}",
            "",
            "",
            over_pixels(*size),
            (y.astype(_DTYPES[kind]), np.empty(size, np.uint8), height, width),
            lambda y=y: {1: halve_reference(y)},
        )


def histories(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for bits, kind, scale in ((8, "u8", 2), (8, "u8", 4), (10, "u16", 2), (10, "u16", 4),
                              (10, "f16", 2)):  # fmt: skip
        previous = noise(rng, scale * height, scale * width, bits=bits)
        y = slopes(rng, height, width, bits)
        for tries, flow in flows(rng, -(-height // 2), -(-width // 2)):
            trust = noise(rng, *flow.shape[:2], bits=8)
            dtype = np.dtype(_DTYPES[kind])
            numbers = height, width, *flow.shape[:2], scale, (1 << bits) - 1
            out = np.empty((scale**2, height, width), dtype), np.empty((height, width), np.uint8)
            yield Case(
                f"history_{kind}",
                f"x{scale}",
                tries,
                over_pixels(height, width),
                (previous.astype(dtype), y.astype(dtype), flow, trust, *out, *numbers),
                lambda given=(previous, y, flow, scale), trust=trust, dtype=dtype: {
                    4: align_reference(*given).astype(dtype),
                    5: widened_reference(trust, given[1].shape),
                },
            )


def settled(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for bits, kind, scale in ((8, "u8", 2), (8, "u8", 4), (10, "u16", 2), (10, "f16", 2)):
        before, *drawn = (
            noise(rng, times * height, times * width, bits=bits) for times in (1, scale, scale)
        )
        for tries, share in (("nothing changes", 0), ("one in 50 pixels changes", 0.02)):
            now = before ^ (rng.random(before.shape) < share).astype(before.dtype)
            dtype = np.dtype(_DTYPES[kind])
            yield Case(
                f"settle_{kind}",
                f"x{scale}",
                tries,
                over_pixels(height, width),
                (*(each.astype(dtype) for each in (before, now, *drawn)), height, width, scale),
                lambda given=(before, now, *drawn), dtype=dtype: {
                    3: settled_reference(*given).astype(dtype)
                },
            )


def trusts(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    previous = slopes(rng, height, width, bits=8)
    noise = rng.integers(-9, 10, previous.shape)
    current = np.clip(previous + noise, 0, 255).astype(np.uint8)
    for factor in (1, 2, 4):
        small = -(-height // factor), -(-width // factor)
        for tries, flow in flows(rng, *small):
            rested = np.empty((height, width, 2), np.float32)
            yield Case(
                "trust",
                f"flow enlarged by {factor}" if factor > 1 else "",
                tries,
                over_pixels(height, width),
                (previous, current, flow, rested, np.empty_like(current), height, width, *small,
                 factor),
                lambda given=(previous, current, flow, factor): dict(
                    enumerate(trusted_reference(*given), 3)
                ),
            )  # fmt: skip


def surfaces(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    rows, columns = -(-height // 2), -(-width // 2)
    for bits, name in ((8, "nv12"), (10, "p010")):
        y, uv = noise(rng, height, width, bits=bits), noise(rng, rows, columns, 2, bits=bits)
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


def shifts(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for bits in (8, 10):
        uv = noise(rng, height, width, 2, bits=bits)
        for tries, reaches in (("along rows", (5, 0)), ("both ways", (5, 5)), ("far", (6, 7))):
            taps = tuple(rng.normal(0, 0.3, 2 * reach + 1).astype(np.float32) for reach in reaches)
            top = (1 << bits) - 1
            yield Case(
                named("shift", bits),
                "",
                tries,
                over_pixels(height, width),
                (uv, np.empty_like(uv), *taps, height, width, *reaches, top),
                lambda given=(uv, *taps, top): {1: shifted_reference(*given)},
            )


def changes(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for bits in (8, 10):
        previous, current = (noise(rng, height * width + 1, bits=bits) for _ in range(2))
        for tries, first, blocks in (
            ("one block", 0, 1),
            ("not on 16 bytes", 1, 3),
            ("many blocks", 0, 264),
        ):
            pair = previous[first:], current[first:]
            histograms, difference = np.zeros((2, BINS), np.uint32), np.zeros(2, np.uint64)
            yield Case(
                named("changes", bits),
                "",
                tries,
                ((blocks,), (256,)),
                (*pair, histograms, difference, pair[0].size, bits - 5),
                lambda pair=pair, bits=bits: {
                    2: np.stack([histogram_reference(each, bits) for each in pair]).astype("u4"),
                    3: np.array(difference_reference(*pair), np.uint64),
                },
            )

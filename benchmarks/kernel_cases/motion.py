"""Cases of the kernels whose work is motion: block matching, dense flow from blocks, splats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.kernel_cases.case import Case, flows, log2, named, slopes
from vidgen.kernels import over_pixels
from vidgen.reference.blocks import densify_reference
from vidgen.reference.match import UNIT, match_reference
from vidgen.reference.splat import claims_reference, splat_reference

__all__ = ["densities", "matches", "splats"]


def densities(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
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
            (vectors, trust, flow, height, width, *shape, log2(block), log2(unit)),
            lambda given=(vectors, trust, (height, width), block, unit): {
                2: densify_reference(*given)
            },
        )


def matches(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    for bits, block, around, reach, most, coarser in (
        (8, 8, 4, 4, 80, 1),
        (8, 8, 4, 7, 0, 0),
        (8, 16, 0, 4, 80, 0),
        (8, 8, 0, 7, 2**15, 1),
        (10, 16, 0, 7, 80, 0),
        (10, 8, 4, 1, 0, 0),
        (10, 4, 2, 3, 2**15, 1),
    ):
        previous = slopes(rng, height, width, bits)
        current = np.roll(previous, (1, -2), (0, 1))
        shape = -(-height // block), -(-width // block)
        start = tuple((side + coarser) >> coarser for side in shape)
        given = rng.integers(-most, most, (*start, 2), endpoint=True).clip(-(2**15), 2**15 - 1)
        given = given.astype(np.int16)
        found, costs = np.empty((*shape, 2), np.int16), np.empty(shape, np.int32)
        numbers = height, width, block, around, reach, coarser
        yield Case(
            named("match", bits),
            f"blocks of {block} and {around} around, {reach} away",
            f"from {'half the size, ' * coarser}up to {most}/{UNIT} away",
            (shape[::-1], (32 * min(4, -(-((2 * reach + 1) ** 2) // 32)),)),
            (current, previous, given, found, costs, *numbers),
            lambda given=(current, previous, given, block, around, reach, bool(coarser)): dict(
                enumerate(match_reference(*given), 3)
            ),
        )


def splats(rng: np.random.Generator, height: int, width: int) -> Iterator[Case]:
    size, over = (height, width), over_pixels(height, width)
    values = rng.random((*size, 4), np.float32)
    for tries, steps in flows(rng, height, width):
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

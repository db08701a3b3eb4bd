"""A chain of 3x3 convolutions as the kernels take it, with all its weights packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidgen.engines.graphs import Weights
from vidgen.engines.packed import packed_bias, packed_kernel
from vidgen.engines.tiles import Layout

__all__ = ["WIDEST", "Chain", "Parts", "build_chain"]

WIDEST = 64  # channels; the weights of wider layers do not fit into registers

_SKIPPED = 2  # deeper bodies of an upscaler add their first features to their last


@dataclass(frozen=True)
class Chain:
    """One chain, ready for its kernel."""

    kernel: str
    """Name of the file in `kernels/`, and of the function in it."""
    inputs: tuple[str, ...]
    """Planes that the kernel is given, by their names in the engine; an empty one is none."""
    outputs: tuple[str, ...]
    grid: int
    """Pixels of the first input, along each side, for one of the chain."""
    layout: Layout
    constants: Mapping[str, int]
    """That the kernel is compiled with, beside those of the layout and of a launch."""
    weights: NDArray[np.uint8]
    macs: int
    """Multiply-accumulates that the network asks for, a pixel of the chain."""


class Parts:
    """The weights of one chain, by the names of their layers after `prefix`."""

    def __init__(self, weights: Weights, prefix: str = "") -> None:
        own = {
            name.removeprefix(prefix): value
            for name, value in weights.items()
            if name.startswith(prefix)
        }
        self.kernels = {
            name.removesuffix(".weight"): value
            for name, value in own.items()
            if name.endswith(".weight")
        }
        self.biases = {
            name.removesuffix(".bias"): value
            for name, value in own.items()
            if name.endswith(".bias")
        }
        bodies = sum(name.startswith("body.") for name in self.kernels)
        self.layers = ["head", *(f"body.{number}" for number in range(bodies)), "tail"]
        self.past = "past" in self.kernels
        self.skip = bodies > _SKIPPED

    def whole(self) -> bool:
        """Whether that is a chain at all, and one that the kernels can hold."""
        known = {*self.layers, *(("past", "recall") if self.past else ())}
        square = all(each.ndim == 4 and each.shape[2:] == (3, 3) for each in self.kernels.values())
        return known == {*self.kernels} and square and len(self.kernels["head"]) <= WIDEST


def build_chain(
    parts: Parts,
    *,
    kernel: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    grid: int,
    skip: bool,
    constants: Mapping[str, int],
    head: NDArray[np.float32],
    tail: NDArray[np.float32],
) -> Chain:
    """A chain with that first kernel, times HEAD_SCALE, and that last one, in place of its own."""
    layout = Layout(
        layers=len(parts.layers),
        width=-(-len(head) // 8) * 8,
        seen=head.shape[1],
        made=len(tail),
        skip=skip,
        recall=parts.past,
    )
    kernels = {**parts.kernels, "head": head, "tail": tail}
    macs = sum(each.size for each in parts.kernels.values())
    weights = _packed(parts, kernels)
    return Chain(kernel, inputs, outputs, grid, layout, constants, weights, int(macs))


def _packed(parts: Parts, kernels: Weights) -> NDArray[np.uint8]:
    """All weights in the order of kernels/chain.h."""
    pieces = []
    for name in parts.layers:
        kernel = kernels[name]
        pieces += [packed_kernel(kernel), packed_bias(parts.biases.get(name), len(kernel))]
    if parts.past:
        recall = kernels["recall"]
        codes = kernels["head"].shape[1] - recall.shape[1]
        blind = np.zeros((len(recall), codes, 3, 3), np.float32)
        pieces.append(packed_kernel(np.concatenate([blind, recall], axis=1)))
    return np.concatenate(pieces)

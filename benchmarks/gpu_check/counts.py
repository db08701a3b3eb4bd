"""What a network costs at the least, and what `--backend cuda` makes of it: counted."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from vidgen.engines.networks import read_chains
from vidgen.engines.shapes import inputs_of, outputs_of
from vidgen.engines.tiles import plan
from vidgen.zoo import Model

__all__ = ["CARDS", "Counts", "counted"]

CARDS = {
    "H200": (989e12, 4.8e12, 227),
    "H100 SXM": (989e12, 3.35e12, 227),
    "A100 80GB": (312e12, 2.04e12, 163),
    "RTX 4090": (165e12, 1.01e12, 99),
}
"""Operations a second in half precision with float32 sums (dense), bytes a second, and kilobytes of
shared memory a block: NVIDIA's data sheets, and the CUDA C++ Programming Guide."""

_PRODUCT = 2 * 16 * 16 * 8  # operations of one product of the tensor core


@dataclass(frozen=True)
class Counts:
    """Of one picture."""

    bytes: int
    """Planes in and out, and the weights, each once."""
    operations: int
    """Of the network: two a multiply-accumulate."""
    more_bytes: int
    """That go through global memory between launches."""
    products: int
    """Operations that the tensor cores do, with halos and channels filled up."""

    def least_seconds(self, rate: float, bandwidth: float) -> float:
        """The roofline of a card of so many operations and bytes a second: nothing is faster."""
        return max(self.operations / rate, self.bytes / bandwidth)

    def own_seconds(self, rate: float, bandwidth: float) -> float:
        """The same for what the kernels do: what they would take if the card ran at its rates."""
        return max(self.products / rate, (self.bytes + self.more_bytes) / bandwidth)


def counted(model: Model, width: int, height: int, bit_depth: int, shared_bytes: int) -> Counts:
    """For pictures of that size that go in, with so much shared memory a block."""
    sizes = model, width, height, bit_depth
    planes = [*inputs_of(*sizes).values(), *outputs_of(*sizes).values()]
    total = sum(prod(shape) * dtype.itemsize for shape, dtype in planes)
    operations = more = products = 0
    for chain in read_chains(model, bit_depth):
        high, wide = (side // chain.grid for side in inputs_of(*sizes)[chain.inputs[0]][0][:2])
        operations += 2 * chain.macs * high * wide
        total += chain.weights.nbytes
        for launch in plan(chain.layout, shared_bytes) or ():
            columns, rows = launch.grid(high, wide)
            products += columns * rows * _products(chain.layout, launch) * _PRODUCT
            if launch.first:
                more += 2 * 2 * chain.layout.width * high * wide  # written once, read once
    return Counts(total, operations, more, products)


def _products(layout: Any, launch: Any) -> int:
    """Of one block of a launch."""
    pixels = (
        (layer, (launch.rows + 2 * (launch.last - layer - 1)) * launch.pitch)
        for layer in range(launch.first, launch.last)
    )
    return sum(layout.products(layer) * count // 16 for layer, count in pixels)

"""Between two flavours of a network: the weights are mixed before the engine is built.

A network trained against a critic starts from the one trained for the smallest error, so every mix
of their weights is a network too (X. Wang et al., "ESRGAN", 2018, section 3.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["STEPS", "mixed", "on_grid"]

STEPS = 256
"""Largest whole number of grid steps in a first kernel: all of 0..256 are exact in bfloat16."""

_FIRST = ".head.weight"  # how the names of first kernels end


def mixed(
    faithful: Mapping[str, NDArray[Any]],
    gan: Mapping[str, NDArray[Any]],
    strength: float,
    bit_depth: int,
) -> dict[str, NDArray[np.float32]]:
    """`faithful` plus `strength` in [0, 1] times the step to `gan`; names as in the graph.

    First kernels are put back on their grid, so that flat colours stay exact. For more than 8 bits
    they hold each weight twice, whole and a quarter (see `vidgen.train.graph`).
    """
    result = {}
    for name, weights in faithful.items():
        mix = (weights + strength * (gan[name] - weights)).astype(np.float32)
        if name.endswith(_FIRST):
            planes = mix.shape[1] // (1 if bit_depth == 8 else 2)
            whole = on_grid(mix[:, :planes], planes)
            mix = whole if bit_depth == 8 else np.concatenate([whole, whole / 4], 1)
        result[name] = mix
    return result


def on_grid(kernel: NDArray[np.float32], planes: int) -> NDArray[np.float32]:
    """The first kernel (outputs, inputs, 3, 3) on a coarse binary grid, summing to zero exactly.

    Every weight becomes k * 2^e with a whole |k| <= 256 and one e for each output, and the k of the
    taps on one plane sum to zero. Codes and weights are then exact in bfloat16 and float16, their
    products and sums are in float32, and the response to a flat plane is zero.
    """
    outputs = []
    for row in kernel.reshape(len(kernel), planes, -1):
        exponent = np.ceil(np.log2(max(float(np.abs(row).max()), 1e-30) / (STEPS - 8)))
        step = 2.0**exponent
        outputs.append(np.stack([_balanced(taps / step) for taps in row]) * step)
    return np.stack(outputs).reshape(kernel.shape).astype(np.float32)


def _balanced(taps: NDArray[np.floating]) -> NDArray[np.float64]:
    """Whole numbers near `taps` that sum to zero: what rounding moved most is moved back."""
    whole = np.rint(taps.astype(np.float64))
    while total := int(whole.sum()):
        sign = np.sign(total)
        worst = np.argsort(sign * (taps - whole))[: abs(total)]
        whole[worst] -= sign
    return whole

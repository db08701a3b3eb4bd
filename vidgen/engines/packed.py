"""Weights in the order in which the lanes of a warp take them; see kernels/tensor.h and chain.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEAD_SCALE", "packed_bias", "packed_kernel"]

HEAD_SCALE = 256
"""First kernels are kept so many times too large: out of the range where half is coarse."""

_EIGHT = 8  # channels of a chunk, and outputs of a product


def packed_kernel(kernel: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A 3x3 kernel (outputs, inputs, 3, 3) as bytes of half numbers.

    Channels are filled up with zeros to chunks of eight. A step of the product takes two (tap,
    chunk); for each step, each eight outputs and each lane `4 g + t`: inputs 2t and 2t + 1 of the
    first, then of the second, to output g.
    """
    outputs, inputs = (-(-count // _EIGHT) for count in kernel.shape[:2])
    whole = np.zeros((outputs * _EIGHT, inputs * _EIGHT, 3, 3), np.float16)
    whole[: kernel.shape[0], : kernel.shape[1]] = kernel
    halves = whole.reshape(outputs, _EIGHT, inputs, _EIGHT, 9).transpose(4, 2, 3, 0, 1)
    halves = halves.reshape(9 * inputs, _EIGHT, outputs, _EIGHT)
    halves = np.concatenate([halves, np.zeros((inputs % 2, *halves.shape[1:]), np.float16)])
    # (step, half, t, pair, eight outputs, g) to (step, eight outputs, g, t, half, pair)
    lanes = halves.reshape(-1, 2, 4, 2, outputs, _EIGHT).transpose(0, 4, 5, 2, 1, 3)
    return np.ascontiguousarray(lanes).reshape(-1).view(np.uint8)


def packed_bias(bias: NDArray[np.float32] | None, outputs: int) -> NDArray[np.uint8]:
    """As bytes of float32, filled up with zeros to eights."""
    whole = np.zeros(-(-outputs // _EIGHT) * _EIGHT, np.float32)
    if bias is not None:
        whole[:outputs] = bias
    return whole.view(np.uint8)

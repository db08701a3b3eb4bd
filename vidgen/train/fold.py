"""From the network as trained to the one that is shipped: plain kernels, exact on flat colours."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vidgen.nets.chain import Chain, Conv, Upscaler

__all__ = ["STEPS", "folded", "is_exact", "on_grid"]

STEPS = 256
"""Largest whole number of grid steps in a first kernel: all of 0..256 are exact in bfloat16."""


def folded(net: Upscaler) -> Upscaler:
    """A copy without linear expansions, its first kernels put on the grid of `on_grid`."""
    result = copy.deepcopy(net).cpu().eval().requires_grad_(False)
    for chain in (result.luma, result.chroma):
        head = torch.from_numpy(on_grid(chain.head_kernel().detach().numpy(), chain.planes))
        for layer in chain.convolutions():
            _set(layer, head if layer is chain.head else layer.kernel().detach())
    return result


def _set(layer: Conv, kernel: torch.Tensor) -> None:
    layer.weight = nn.Parameter(kernel.clone(), requires_grad=False)
    layer.wide = layer.mix = None


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


def is_exact(chain: Chain) -> bool:
    """Whether the chain gives zero for every flat picture; see the note in `vidgen.nets.chain`."""
    taps = chain.head.weight.detach().double().reshape(len(chain.head.weight), chain.planes, -1)
    no_rise = all(
        layer.bias is None or bool((layer.bias <= 0).all()) for layer in chain.convolutions()
    )
    return no_rise and chain.tail.bias is None and not bool(taps.sum(2).any())

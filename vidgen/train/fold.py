"""From the network as trained to the one that is shipped: plain kernels, exact on flat colours."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

from vidgen.engines.flavours import on_grid
from vidgen.nets.chain import Chain, Conv, Upscaler
from vidgen.nets.fusion import Fusion

__all__ = ["folded", "is_exact"]


T = TypeVar("T", bound=Upscaler | Fusion)


def folded(net: T) -> T:
    """A copy without linear expansions; upscalers' first kernels put on the grid of `on_grid`."""
    result = copy.deepcopy(net)
    result.cpu().eval().requires_grad_(False)
    for chain in _chains(result):
        head = chain.head_kernel().detach()
        if isinstance(chain, Chain):
            head = torch.from_numpy(on_grid(head.numpy(), chain.planes))
        for layer in chain.convolutions():
            _set(layer, head if layer is chain.head else layer.kernel().detach())
    return result


def _chains(net: Upscaler | Fusion) -> list[Chain | Fusion]:
    return [net] if isinstance(net, Fusion) else [net.luma, net.chroma]


def _set(layer: Conv, kernel: torch.Tensor) -> None:
    layer.weight = nn.Parameter(kernel.clone(), requires_grad=False)
    layer.wide = layer.mix = None


def is_exact(chain: Chain) -> bool:
    """Whether the chain gives zero for every flat picture; see the note in `vidgen.nets.chain`."""
    taps = chain.head.weight.detach().double().reshape(len(chain.head.weight), chain.planes, -1)
    no_rise = all(
        layer.bias is None or bool((layer.bias <= 0).all()) for layer in chain.convolutions()
    )
    return no_rise and chain.tail.bias is None and not bool(taps.sum(2).any())

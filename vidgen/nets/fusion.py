"""One picture of two candidates: where each is right, and what both lack.

The candidates are real pictures that were warped to the wanted instant, outside. The network runs
on blocks of 2x2 luma pixels, of which each has one pair of chroma: six planes in and out. It moves
the share of the last candidate, and adds a residual where the guide allows it: nothing where both
candidates are the same, sampled at whole pixels, so that what stands still stays exact. Chroma is
mixed as the guide says: what networks of this size learnt for it lost 0.14 dB.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidgen.nets.chain import Conv

__all__ = ["GUIDES", "PLANES", "Fusion"]

PLANES = 6
"""2x2 luma pixels, row by row, then U and V."""
GUIDES = 4
"""See `vidgen.motion.Candidates`."""

_LUMA = 4


class Fusion(nn.Module):
    """A chain of 3x3 convolutions and ReLU; see the module."""

    def __init__(self, width: int, depth: int, expand: int = 0) -> None:
        super().__init__()
        self.head = Conv(2 * PLANES + GUIDES, width, bias=True, expand=expand)
        self.body = nn.ModuleList(
            Conv(width, width, bias=True, expand=expand) for _ in range(depth)
        )
        self.tail = Conv(width, 2 * _LUMA, bias=False, expand=expand)
        with torch.no_grad():  # start as the plain mix and a little
            self.tail.weight.mul_(0.1)

    def head_kernel(self) -> Tensor:
        """The first kernel; over luma and over each chroma plane of a picture it sums to zero."""
        kernel = self.head.kernel()
        first = kernel[:, :PLANES]
        luma, chroma = first[:, :4], first[:, 4:]
        luma = luma - luma.mean((1, 2, 3), keepdim=True)
        chroma = chroma - chroma.mean((2, 3), keepdim=True)
        return torch.cat([luma, chroma, kernel[:, PLANES:]], 1)

    def forward(self, first: Tensor, last: Tensor, guide: Tensor) -> Tensor:
        """Candidates (B, 6, h, w) in `UNIT`s and guide (B, 4, h, w) in [0, 1]; (B, 6, h, w)."""
        step = last - first
        seen = F.pad(torch.cat([first, step, guide], 1), (1, 1, 1, 1), mode="replicate")
        features = F.relu(F.conv2d(seen, self.head_kernel(), self.head.bias))
        for layer in self.body:
            assert isinstance(layer, Conv)
            features = F.relu(F.conv2d(features, layer.kernel(), layer.bias, padding=1))
        out = F.conv2d(features, self.tail.kernel(), padding=1).float()
        plain = first + guide[:, :1] * step
        share = (out[:, :_LUMA] + guide[:, :1]).clamp(0, 1)
        luma = first[:, :_LUMA] + share * step[:, :_LUMA] + out[:, _LUMA:] * guide[:, 3:]
        return torch.cat([luma, plain[:, _LUMA:]], 1)

    @torch.no_grad()
    def project(self) -> None:
        """Nothing to put back: parameters may be anything."""

    def convolutions(self) -> list[Conv]:
        """All of them, first to last."""
        layers = [self.head, *self.body, self.tail]
        return [layer for layer in layers if isinstance(layer, Conv)]

    def parameters_deployed(self) -> int:
        """Weights and biases of the folded network."""
        biases = sum(c.bias.numel() for c in self.convolutions() if c.bias is not None)
        return biases + sum(c.weight.numel() for c in self.convolutions())

    def macs(self) -> int:
        """Multiply-accumulates a pixel of luma."""
        return round(sum(c.weight.numel() for c in self.convolutions()) / 4)

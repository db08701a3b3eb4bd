"""Plain chains of 3x3 convolutions that enlarge the planes of a 4:2:0 picture, with a memory.

A chain sees one kind of plane and gives, for every pixel, what has to be added to its copies in the
enlarged plane. The luma chain also sees what the engine drew for the frame before: that picture,
moved along the motion, minus the present one, times how far the motion is to be trusted. Nothing
but convolutions and ReLU runs between them; `vidgen.train.graph` writes the rest around it.

Note, why a flat colour comes out exactly as it went in, in any precision:

- the kernels of the first convolution sum to zero over the taps of each plane, so it sees only
  differences; its padding repeats the edge;
- biases are never positive, so ReLU gives zero for zero, and zero padding continues that zero;
- the last convolution has no bias. So the residual of a flat picture is zero, not merely small;
- the past is given as a difference, and convolutions of it have no bias: without a past, or with a
  flat one of the same colour, they add nothing. A first frame, a cut and a still need no other net.

A bias below zero is a dead zone: that is how a chain tells the faint noise of a codec from an edge.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["UNIT", "Chain", "Conv", "Upscaler", "difference", "enlarged"]

UNIT = 256.0
"""Codes of 8 bits a unit inside the chains; a power of two, so that scaling is exact everywhere."""


class Conv(nn.Module):
    """A 3x3 convolution that may be trained as a wider one followed by a 1x1 (as in SESR).

    The two are multiplied out into one 3x3 kernel at every step, so the width costs next to nothing
    in training and nothing after export.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool, expand: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        nn.init.kaiming_normal_(self.weight)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.wide = nn.Parameter(torch.empty(expand, inputs, 3, 3)) if expand else None
        self.mix = nn.Parameter(torch.zeros(outputs, expand)) if expand else None
        if self.wide is not None:
            nn.init.kaiming_normal_(self.wide)

    def kernel(self) -> Tensor:
        """The folded kernel, (outputs, inputs, 3, 3)."""
        if self.wide is None or self.mix is None:
            return self.weight
        return self.weight + torch.einsum("om,mikl->oikl", self.mix, self.wide)


class Chain(nn.Module):
    """Residuals of `planes` kinds of plane: (B, planes, H, W) in, (B, s * s * planes, H, W) out.

    With the scale s, channel `s * s * p + s * a + b` of the output belongs to row `s i + a`, column
    `s j + b` of plane p. With `grid` g, the convolutions run on blocks of g x g pixels.
    """

    def __init__(
        self,
        planes: int,
        grid: int,
        width: int,
        depth: int,
        expand: int = 0,
        *,
        scale: int = 2,
        history: bool = False,
    ) -> None:
        super().__init__()
        self.planes, self.grid, self.scale = planes, grid, scale
        packed = planes * grid**2
        self.head = Conv(packed, width, bias=True, expand=expand)
        self.body = nn.ModuleList(
            Conv(width, width, bias=True, expand=expand) for _ in range(depth)
        )
        enlarged = packed * scale**2
        self.tail = Conv(width, enlarged, bias=False, expand=expand)
        # what the past adds to the first features, and straight to the residual
        self.past = Conv(enlarged, width, bias=False) if history else None
        self.recall = Conv(enlarged, enlarged, bias=False) if history else None
        with torch.no_grad():  # start as the nearest neighbour and a little, without a past
            self.tail.weight.mul_(0.1)
            for layer in (self.past, self.recall):
                if layer is not None:
                    layer.weight.zero_()

    def head_kernel(self) -> Tensor:
        """The first kernel, its mean over the taps of each plane taken out."""
        kernel = self.head.kernel()
        taps = kernel.reshape(len(kernel), self.planes, -1)
        return (taps - taps.mean(2, keepdim=True)).reshape(kernel.shape)

    def forward(self, planes: Tensor, past: Tensor | None = None) -> Tensor:
        """`planes` in `UNIT`s, sides divisible by `grid`; the residual in the same units.

        `past` (B, s * s * planes, H, W) is the difference to the frame before, ordered like the
        result; None is the same as zeros.
        """
        packed = F.pixel_unshuffle(planes, self.grid) if self.grid > 1 else planes
        packed = F.pad(packed, (1, 1, 1, 1), mode="replicate")
        first = F.conv2d(packed, self.head_kernel(), self.head.bias)
        if past is not None and self.past is not None:
            past = F.pixel_unshuffle(past, self.grid) if self.grid > 1 else past
            first = first + F.conv2d(past, self.past.kernel(), padding=1)
        first = F.relu(first)
        features = first
        for layer in self.body:
            assert isinstance(layer, Conv)
            features = F.relu(F.conv2d(features, layer.kernel(), layer.bias, padding=1))
        if self.skips:
            features = features + first
        residual = F.conv2d(features, self.tail.kernel(), padding=1)
        if past is not None and self.recall is not None:
            residual = residual + F.conv2d(past, self.recall.kernel(), padding=1)
        return F.pixel_shuffle(residual, self.grid) if self.grid > 1 else residual

    @property
    def skips(self) -> bool:
        """Whether the first features are added to the last: deep chains need it to train."""
        return len(self.body) > 2

    def convolutions(self) -> Iterator[Conv]:
        """All of them, first to last; then those of the past."""
        for layer in (self.head, *self.body, self.tail, self.past, self.recall):
            if layer is not None:
                assert isinstance(layer, Conv)
                yield layer

    def macs(self) -> float:
        """Multiply-accumulates a pixel of the plane."""
        return sum(layer.weight.numel() for layer in self.convolutions()) / self.grid**2


class Upscaler(nn.Module):
    """Both chains: a picture as 4:2:0 planes, at `scale` times the size. Chroma has no memory."""

    def __init__(
        self,
        grid: int,
        width: int,
        depth: int,
        expand: int = 0,
        *,
        scale: int = 2,
        history: bool = False,
    ) -> None:
        super().__init__()
        self.scale, self.history = scale, history
        self.luma = Chain(1, grid, width, depth, expand, scale=scale, history=history)
        self.chroma = Chain(2, 1, 8, 1, expand and 16, scale=scale)

    def forward(self, y: Tensor, uv: Tensor, past: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """`y` (B, 1, H, W) and `uv` (B, 2, H/2, W/2) in `UNIT`s; both enlarged, neither clamped.

        `past` (B, s * s, H, W): see `difference`; None where there is none.
        """
        luma = enlarged(y, self.luma(y, past), self.scale)
        return luma, enlarged(uv, self.chroma(uv), self.scale)

    @torch.no_grad()
    def project(self) -> None:
        """Put the parameters back where they may be: no bias above zero. After every step."""
        for chain in (self.luma, self.chroma):
            for layer in chain.convolutions():
                if layer.bias is not None:
                    layer.bias.clamp_(max=0)

    def parameters_deployed(self) -> int:
        """Weights and biases of the folded network."""
        layers = [layer for chain in (self.luma, self.chroma) for layer in chain.convolutions()]
        biases = sum(layer.bias.numel() for layer in layers if layer.bias is not None)
        return biases + sum(layer.weight.numel() for layer in layers)

    def macs(self) -> int:
        """Multiply-accumulates a pixel of the low-resolution luma."""
        return round(self.luma.macs() + self.chroma.macs() / 4)


def enlarged(planes: Tensor, residual: Tensor, scale: int) -> Tensor:
    """Every pixel s * s times, plus its residual: (B, s * s * P, H, W) and the size."""
    return F.pixel_shuffle(planes.repeat_interleave(scale**2, 1) + residual, scale)


def difference(y: Tensor, before: Tensor, confidence: Tensor, scale: int) -> Tensor:
    """What a chain is told of the past: (B, s * s, H, W), zero where it is not to be trusted.

    `y` (B, 1, H, W); `before` (B, 1, sH, sW) the output for the frame before, moved to this one;
    `confidence` (B, 1, H, W) in [0, 1].
    """
    return (F.pixel_unshuffle(before, scale) - y) * confidence

"""The discriminator: tells, pixel by pixel, what was drawn from what is real. For training only.

A U-Net with spectral normalisation (as in Real-ESRGAN, X. Wang et al., 2021) that sees time, as
TecoGAN's (M. Chu et al., 2020): the frame, the one before it moved onto it, and the input enlarged.
Texture that boils or drags is told from texture that stays.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

__all__ = ["Critic"]

_SLOPE = 0.2


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=False)
    return spectral_norm(layer)


class Critic(nn.Module):
    """(B, 3, H, W) luma in [-1, 1], sides divisible by 8; logits (B, 1, H, W) and the features."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, 1, 1)
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.down = nn.ModuleList(_conv(a, b, 4, 2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(_conv(a, b) for a, b in pairwise(widths[::-1]))
        self.last = nn.Sequential(_conv(width, width), nn.LeakyReLU(_SLOPE))
        self.logit = nn.Conv2d(width, 1, 3, 1, 1)

    def forward(self, frames: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Positive logits say real; features of all levels, coarse ones last on the way down."""
        features = F.leaky_relu(self.first(frames), _SLOPE)
        passed = [features]
        for layer in self.down:
            features = F.leaky_relu(layer(features), _SLOPE)
            passed.append(features)
        seen = list(passed)
        passed.pop()
        for layer in self.up:
            wide = F.interpolate(features, scale_factor=2, mode="bilinear")
            features = F.leaky_relu(layer(wide), _SLOPE) + passed.pop()
            seen.append(features)
        return self.logit(self.last(features)), seen

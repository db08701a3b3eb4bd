"""What the trainer minimises. Pictures are (..., P, H, W) in units of the full range."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

__all__ = ["charbonnier", "laplacian", "spectral"]


def charbonnier(given: Tensor, truth: Tensor, epsilon: float) -> Tensor:
    """Mean of sqrt(d^2 + epsilon^2): squared error below `epsilon`, absolute error above."""
    return torch.sqrt((given - truth).square() + epsilon**2).mean()


def laplacian(given: Tensor, truth: Tensor, levels: int = 3) -> Tensor:
    """Mean absolute error of the bands of a Laplacian pyramid, summed over its levels."""
    difference = given - truth  # the pyramid is linear
    total = difference.new_zeros(())
    for _ in range(levels):
        coarse = avg_pool2d(difference, 2)
        total = total + (difference - interpolate(coarse, scale_factor=2)).abs().mean()
        difference = coarse
    return total


def spectral(given: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference of the moduli of the orthonormal Fourier transforms.

    Blind to small shifts, so it asks for texture of the right strength without asking where.
    """
    first = torch.fft.rfft2(given, norm="ortho").abs()
    return torch.mean((first - torch.fft.rfft2(truth, norm="ortho").abs()).abs())

"""What the trainer minimises. Pictures are (..., P, H, W) in units of the full range."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

__all__ = ["census", "charbonnier", "laplacian", "spectral"]


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


def census(given: Tensor, truth: Tensor) -> Tensor:
    """How differently pixels stand to their 8 neighbours: a soft census transform.

    As in UnFlow (S. Meister et al., 2018), over 3x3 pixels. It asks for the right edges where the
    brightness is a little wrong. Pictures have one plane.
    """
    apart = []
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):  # the other four are the same pairs
        first, second = (_stood(each, down, right) for each in (given, truth))
        squared = (first - second).square()
        apart.append((squared / (squared + 0.1)).mean())
    return torch.stack(apart).mean()


def _stood(picture: Tensor, down: int, right: int) -> Tensor:
    """In (-1, 1): each pixel to the one so far down and right."""
    rows, columns = picture.shape[-2:]
    left, wide = max(-right, 0), columns - abs(right)
    near = picture[..., : rows - down, left : left + wide]
    far = picture[..., down:, left + right : left + right + wide]
    difference = (far - near) * 255
    return difference / torch.sqrt(difference.square() + 0.81 * 64)

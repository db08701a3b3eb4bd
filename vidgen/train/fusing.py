"""Teaching a network to make one picture of two candidates.

A critic, where the recipe has one, sees the luma that was made or the true one between both
candidates: real pictures, of which at least one is sharp and right almost anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pixel_shuffle

from vidgen.nets.chain import UNIT
from vidgen.nets.fusion import Fusion
from vidgen.train.adversary import judged
from vidgen.train.checkpoint import Network, State
from vidgen.train.losses import census, charbonnier, laplacian, spectral
from vidgen.train.moments import Sample, Samples
from vidgen.train.recipe import FusionNet, Recipe
from vidgen.train.train import Gains, autocast
from vidgen.train.unroll import FULL
from vidgen.train.upscaling import psnr

__all__ = ["Fusing"]

_LUMA = 4  # channels of a block


class Fusing:
    """The lesson of the recipes that make frames."""

    baseline = "plain mixing"
    what = "every other frame made again"

    def __init__(
        self, recipe: Recipe, samples: Samples, held_out: Iterable[tuple[str, Sample]] = ()
    ) -> None:
        self._recipe, self._samples, self._held_out = recipe, samples, list(held_out)

    def build(self, seed: int = 0) -> Fusion:
        """See `Lesson`, as all here."""
        torch.manual_seed(seed)
        net = self._recipe.net
        assert isinstance(net, FusionNet)
        return Fusion(net.width, net.depth, net.expand)

    def loss(self, state: State, device: torch.device) -> Tensor:
        """Pixels, bands and, where the recipe asks for it, the order of neighbours and a critic."""
        plan = self._recipe.train
        batch = self._samples.batch(state.rng, plan.batch, plan.crop)
        first, last, guide, truth = tensors(batch, device)
        with autocast(device):
            made = state.net(first, last, guide)
        made, truth = made.float() / FULL, truth / FULL
        y, y_true = (pixel_shuffle(each[:, :_LUMA], 2) for each in (made, truth))
        loss = charbonnier(y, y_true, plan.epsilon)
        chroma = charbonnier(made[:, _LUMA:], truth[:, _LUMA:], plan.epsilon)
        loss = loss + plan.chroma * chroma
        if plan.laplacian:
            loss = loss + plan.laplacian * laplacian(y, y_true)
        if plan.census:
            loss = loss + plan.census * census(y, y_true)
        if plan.spectral:
            loss = loss + plan.spectral * spectral(y, y_true)
        if self._recipe.gan is not None:
            real, fake = (_seen(first, each, last) for each in (y_true, y))
            loss = loss + judged(state, real, fake, self._recipe.gan)
        return loss

    @torch.no_grad()
    def evaluate(self, net: Network) -> Gains:
        """Mean gain in PSNR of Y and of UV over the mix that the guide alone asks for."""
        rows: dict[str, list[tuple[float, float]]] = {}
        for name, sample in self._held_out:
            given = tensors(sample.map(lambda array: array[None]))
            first, last, guide, _ = given
            plain = _codes(first + (last - first) * guide[:, :1])
            made = _codes(net(first, last, guide))
            rows.setdefault(name, []).append((
                _gain(made, plain, sample, slice(0, _LUMA)),
                _gain(made, plain, sample, slice(_LUMA, None)),
            ))  # fmt: skip
        return {
            name: (float(np.mean([y for y, _ in each])), float(np.mean([uv for _, uv in each])))
            for name, each in rows.items()
        }


def _seen(first: Tensor, luma: Tensor, last: Tensor) -> Tensor:
    """(B, 3, 2 h, 2 w) in [-1, 1]: `luma`, in [0, 1], between both candidates (B, 6, h, w)."""
    before, after = (pixel_shuffle(each[:, :_LUMA], 2) / FULL for each in (first, last))
    return torch.cat([before, luma, after], 1) * 2 - 1


def tensors(batch: Sample, device: torch.device | None = None) -> tuple[Tensor, ...]:
    """First, last, guide and truth (B, c, h, w), channels last in memory; planes in `UNIT`s."""

    def moved(array: np.ndarray, unit: float) -> Tensor:
        return (
            torch.from_numpy(np.ascontiguousarray(array)).to(device).float().movedim(-1, 1) / unit
        )

    units = (UNIT, UNIT, 255.0, UNIT)
    arrays = batch.first, batch.last, batch.guide, batch.truth
    return tuple(moved(array, unit) for array, unit in zip(arrays, units, strict=True))


def _codes(blocks: Tensor) -> np.ndarray:
    codes: np.ndarray = (blocks * UNIT).clamp(0, 255).round()[0].movedim(0, -1).numpy()
    return codes


def _gain(made: np.ndarray, plain: np.ndarray, sample: Sample, channels: slice) -> float:
    truth = sample.truth[..., channels]
    return psnr(made[..., channels], truth) - psnr(plain[..., channels], truth)

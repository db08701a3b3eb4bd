"""Teaching an upscaler: short sequences, unrolled, against pixels and perhaps a critic."""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np
import torch
from torch import Tensor

from vidgen.nets.chain import UNIT, Upscaler
from vidgen.train.adversary import against
from vidgen.train.checkpoint import Network, State
from vidgen.train.data import Sequence, Sequences
from vidgen.train.losses import charbonnier, laplacian, spectral
from vidgen.train.perceptual import Perceptual
from vidgen.train.recipe import Data, Net, Recipe
from vidgen.train.train import Gains, autocast
from vidgen.train.unroll import FULL, Clip, Drawn, tensors, unroll, unroll_back, warp

__all__ = ["Upscaling", "build", "psnr"]


def build(net: Net, seed: int = 0) -> Upscaler:
    """The network of a recipe, with its first weights."""
    torch.manual_seed(seed)
    return Upscaler(
        net.grid, net.width, net.depth, net.expand, scale=net.scale, history=net.history
    )


class Upscaling:
    """The lesson of the recipes that make upscalers."""

    baseline = "Lanczos"

    def __init__(
        self, recipe: Recipe, sequences: Sequences, held_out: Iterable[tuple[str, Sequence]] = ()
    ) -> None:
        self._recipe, self._sequences, self._held_out = recipe, sequences, list(held_out)
        plan, data = recipe.train, recipe.data
        stills = isinstance(data, Data) and data.stills
        self.what = "shrunk in several ways" if stills else "shrunk by area, H.264 CRF 23"
        self._seer = Perceptual(plan.perceptual_net) if plan.perceptual else None

    def build(self, seed: int = 0) -> Upscaler:
        """See `Lesson`, as all here."""
        assert isinstance(self._recipe.net, Net)
        return build(self._recipe.net, seed)

    def loss(self, state: State, device: torch.device) -> Tensor:
        """The pixels', the way back's and the critic's, as the recipe asks for."""
        recipe, net, plan = self._recipe, state.net, self._recipe.train
        assert isinstance(net, Upscaler)
        batch = self._sequences.batch(state.rng, plan.batch, plan.crop, plan.frames)
        clip = tensors(batch, device)
        with autocast(device):
            drawn = unroll(net, clip)
            again = unroll_back(net, clip, drawn.y[:, -1]) if plan.pingpong else None
        loss = pixel_loss(drawn, clip, recipe, net.scale)
        if again is not None:
            loss = loss + plan.pingpong * pingpong(drawn.y, again)
        if self._seer is not None:
            with autocast(device):
                seen = self._seer(drawn.y[:, -1], clip.y_true[:, -1])
            loss = loss + plan.perceptual * seen
        if state.critic is not None:
            loss = loss + against(state, drawn, clip, recipe)
        return loss

    @torch.no_grad()
    def evaluate(self, net: Network) -> Gains:
        """Mean gain in PSNR of Y and of UV over Lanczos on the planes, in dB, for each file.

        Of the second half of each sequence, when the network has a past to look at.
        """
        assert isinstance(net, Upscaler)
        gains = {}
        for name, sequence in self._held_out:
            clip = tensors(sequence.map(lambda array: array[None]))
            drawn = unroll(net, clip)
            rows = []
            for n in range(len(sequence.y) // 2, len(sequence.y)):
                given = (sequence.y[n], sequence.uv[n]), (sequence.y_true[n], sequence.uv_true[n])
                ours = _codes(drawn.y[0, n]), _codes(drawn.uv[0, n])
                rows.append([
                    psnr(plane, truth) - psnr(_lanczos(low, net.scale), truth)
                    for plane, low, truth in zip(ours, *given, strict=True)
                ])  # fmt: skip
            luma, chroma = np.mean(rows, 0)
            gains[name] = (float(luma), float(chroma))
        return gains


def pixel_loss(drawn: Drawn, clip: Clip, recipe: Recipe, scale: int) -> Tensor:
    """The weighted sum of what the recipe asks for; see `vidgen.train.losses`."""
    plan = recipe.train
    y, y_true = drawn.y.float() / FULL, clip.y_true / FULL
    loss = charbonnier(y, y_true, plan.epsilon)
    loss = loss + plan.chroma * charbonnier(
        drawn.uv.float() / FULL, clip.uv_true / FULL, plan.epsilon
    )
    if plan.laplacian:
        loss = loss + plan.laplacian * laplacian(y.flatten(0, 1), y_true.flatten(0, 1))
    if plan.spectral:
        loss = loss + plan.spectral * spectral(y, y_true)
    if plan.temporal and clip.y.shape[1] > 1:
        loss = loss + plan.temporal * _temporal(drawn, clip, scale)
    return loss


def pingpong(forth: Tensor, back: Tensor) -> Tensor:
    """How far the frames drawn on the way back are from those on the way forth, in full ranges.

    `forth` (B, n, 1, H, W) and `back`, without the last frame, in units. The first is left out: it
    has no past on the way forth, and to be like that would be to unlearn what the memory is for.
    """
    return (forth[:, 1:-1] - back[:, 1:]).float().abs().mean() / FULL


def _temporal(drawn: Drawn, clip: Clip, scale: int) -> Tensor:
    """How differently the result and the truth change along the motion, where that is trusted."""
    frames = clip.y.shape[1]
    truths = clip.y_true[:, :-1].flatten(0, 1), clip.flow[:, 1:].flatten(0, 1)
    truth = clip.y_true[:, 1:].flatten(0, 1) - warp(*truths, scale)
    given = (drawn.y[:, 1:] - drawn.moved[:, 1:]).float().flatten(0, 1)
    trust = torch.nn.functional.interpolate(clip.trust[:, 1:].flatten(0, 1), scale_factor=scale)
    share = frames - 1  # of all frames: comparable to the other terms
    return ((given - truth) * trust).abs().mean() / FULL * share / frames


def _codes(planes: Tensor) -> np.ndarray:
    """(P, H, W) in units as rounded 8-bit codes, (H, W) or (H, W, P)."""
    codes = (planes * UNIT).clamp(0, 255).round().permute(1, 2, 0).numpy()
    return codes[..., 0] if codes.shape[-1] == 1 else codes


def _lanczos(plane: np.ndarray, scale: int) -> np.ndarray:
    size = plane.shape[1] * scale, plane.shape[0] * scale
    return cv2.resize(plane, size, interpolation=cv2.INTER_LANCZOS4)


def psnr(given: np.ndarray, truth: np.ndarray) -> float:
    """Peak signal to noise ratio of 8-bit planes in dB; 100 where they are equal."""
    error = float(np.mean((given.astype(np.float64) - truth) ** 2))
    return 10 * math.log10(255**2 / error) if error else 100.0

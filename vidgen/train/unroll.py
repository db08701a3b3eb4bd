"""A network run through short sequences, frame after frame, as the engine runs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate, max_pool2d, pad

from vidgen.motion.history import MARGIN_CODES, MARGIN_SHARE
from vidgen.nets.chain import UNIT, Upscaler, difference, enlarged
from vidgen.train.data import Sequence

__all__ = ["FULL", "Clip", "Drawn", "inverted", "tensors", "unroll", "unroll_back", "warp"]

FULL = 255.0 / UNIT
"""The full range of 8 bits, in units."""

_ROUNDS, _APART = 5, 0.5  # of the inversion of flow; pixels by which the ways may miss each other


@dataclass(frozen=True, slots=True)
class Clip:
    """A batch of sequences as tensors (B, n, P, H, W), planes in units."""

    y: Tensor
    uv: Tensor
    y_true: Tensor
    uv_true: Tensor
    flow: Tensor
    """(B, n, 2, h, w) (x, y) on the grid of y, in its pixels."""
    trust: Tensor
    """(B, n, 1, h, w) in [0, 1]; 0 where the flow leads out of the picture, and in first frames."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a network made of a `Clip`; planes in units, not clamped."""

    y: Tensor
    """(B, n, 1, s h, s w)"""
    uv: Tensor
    """(B, n, 2, s h/2, s w/2)"""
    moved: Tensor
    """(B, n, 1, s h, s w) the luma drawn for the frame before, moved to each frame; its own in the
    first."""


def tensors(batch: Sequence, device: torch.device | None = None) -> Clip:
    """`batch`, arrays with the sequence number first, on `device`."""

    def moved(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device).float()

    y, y_true = (moved(plane)[:, :, None] / UNIT for plane in (batch.y, batch.y_true))
    uv, uv_true, flow = (moved(a).movedim(-1, 2) for a in (batch.uv, batch.uv_true, batch.flow))
    flow = _onto_luma(flow)
    trust = _onto_luma(moved(batch.trust)[:, :, None] / 255)
    trust[:, 0] = 0
    return Clip(y, uv / UNIT, y_true, uv_true / UNIT, flow, trust * _inside(flow))


def _onto_luma(field: Tensor) -> Tensor:
    """A field (B, n, P, h, w) at half resolution at twice the size, bilinear."""
    wide = interpolate(field.flatten(0, 1), scale_factor=2, mode="bilinear")
    return wide.reshape(*field.shape[:2], *wide.shape[1:])


def _positions(flow: Tensor) -> Tensor:
    """Where each pixel of (..., 2, h, w) came from."""
    height, width = flow.shape[-2:]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype)
    return flow + torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1])


def _inside(flow: Tensor) -> Tensor:
    """(B, n, 1, h, w), 1 where the flow stays in the crop: beyond it nothing is known."""
    size = flow.new_tensor([flow.shape[-1], flow.shape[-2]])[:, None, None]
    places = _positions(flow)
    return ((places >= 0) & (places <= size - 1)).all(2, keepdim=True).float()


def warp(picture: Tensor, flow: Tensor, scale: int) -> Tensor:
    """`picture` (B, 1, s h, s w) along `flow` (B, 2, h, w), which is the same within a block."""
    places = scale * _positions(flow).movedim(1, -1)
    places = places.repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    within = torch.arange(scale, device=flow.device, dtype=flow.dtype)
    rows, columns = within.repeat(flow.shape[2]), within.repeat(flow.shape[3])
    places = places + torch.stack(torch.meshgrid(rows, columns, indexing="ij")[::-1], -1)
    size = places.new_tensor([picture.shape[3], picture.shape[2]])
    grid = (2 * places + 1) / size - 1
    return grid_sample(picture, grid, padding_mode="border", align_corners=False)


def clamped(before: Tensor, y: Tensor, scale: int) -> Tensor:
    """`before` (B, 1, s h, s w) in the neighbourhood of `y`, as `vidgen.motion.history`."""
    around = pad(y, (1, 1, 1, 1), mode="replicate")
    high, low = max_pool2d(around, 3, 1), -max_pool2d(-around, 3, 1)
    margin = MARGIN_SHARE * (high - low) + MARGIN_CODES / UNIT
    least = interpolate(low - margin, scale_factor=scale)
    most = interpolate(high + margin, scale_factor=scale)
    return torch.maximum(torch.minimum(before, most), least)


def unroll(net: Upscaler, clip: Clip) -> Drawn:
    """Every sequence of `clip` from its first frame on; gradients flow through the past."""
    lumas, pasts = [enlarged(clip.y[:, 0], net.luma(clip.y[:, 0]), net.scale)], []
    for n in range(1, clip.y.shape[1]):
        luma, moved = _step(net, clip.y[:, n], lumas[-1], clip.flow[:, n], clip.trust[:, n])
        lumas.append(luma)
        pasts.append(moved)
    pasts.insert(0, lumas[0])
    uv = clip.uv.flatten(0, 1)
    chroma = enlarged(uv, net.chroma(uv), net.scale)
    chroma = chroma.reshape(*clip.uv.shape[:2], *chroma.shape[1:])
    return Drawn(torch.stack(lumas, 1), chroma, torch.stack(pasts, 1))


def unroll_back(net: Upscaler, clip: Clip, last: Tensor) -> Tensor:
    """The luma of all frames but the last, drawn again from the last to the first.

    `last` (B, 1, s h, s w) is what was drawn for the last frame; (B, n - 1, 1, s h, s w), in the
    order of `clip`.
    """
    lumas = [last]
    for n in range(clip.y.shape[1] - 1, 0, -1):
        flow, trust = inverted(clip.flow[:, n], clip.trust[:, n])
        lumas.append(_step(net, clip.y[:, n - 1], lumas[-1], flow, trust)[0])
    return torch.stack(lumas[:0:-1], 1)


def _step(
    net: Upscaler, y: Tensor, before: Tensor, flow: Tensor, trust: Tensor
) -> tuple[Tensor, Tensor]:
    """The luma of one frame, and what was drawn `before` it, moved to it."""
    moved, past = warp(before.clamp(0, FULL), flow, net.scale), None
    if net.history:
        past = difference(y, clamped(moved, y, net.scale), trust, net.scale)
    return enlarged(y, net.luma(y, past), net.scale), moved


def inverted(flow: Tensor, trust: Tensor) -> tuple[Tensor, Tensor]:
    """The flow the other way and the trust in it, for (B, 2, h, w) and (B, 1, h, w).

    By fixed-point iteration (M. Chen et al., "A simple fixed-point approach to invert a deformation
    field", 2008). There is no trust where it finds no way back: such places are hidden in the other
    frame, or lie outside.
    """
    back = -flow
    for _ in range(_ROUNDS):
        back = -warp(flow, back, 1)
    apart = (warp(flow, back, 1) + back).square().sum(1, keepdim=True)
    found = (apart < _APART**2).float() * _inside(back[:, None])[:, 0]
    return back, warp(trust, back, 1) * found

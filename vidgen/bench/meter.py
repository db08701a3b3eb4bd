"""All figures of one or several films beside their common reference, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from vidgen.bench.metrics import psnr, similarities
from vidgen.bench.temporal import Flicker, Step, tof, warp_error
from vidgen.bench.vmaf import Vmaf
from vidgen.frame import Planes
from vidgen.motion import ChangeDetector, half_luma

__all__ = ["METRICS", "Measures", "Meter", "Metric", "means"]

Measures = dict[str, float]
"""Figures of one frame by their key in `METRICS`; what was not measured there is left out."""


@dataclass(frozen=True, slots=True)
class Metric:
    """How a figure is written."""

    label: str
    unit: str
    digits: int
    higher_is_better: bool


METRICS = {
    "psnr_y": Metric("PSNR-Y", "dB", 2, True),
    "ssim_y": Metric("SSIM-Y", "", 4, True),
    "ms_ssim_y": Metric("MS-SSIM-Y", "", 4, True),
    "psnr_uv": Metric("PSNR-UV", "dB", 2, True),
    "vmaf": Metric("VMAF", "", 2, True),
    "vmaf_neg": Metric("VMAF-NEG", "", 2, True),
    "tof": Metric("tOF", "px", 3, False),
    "warp_error": Metric("warp error", "codes²", 2, False),
    "flicker": Metric("flicker", "codes", 3, False),
}
"""Every figure by its key, in the order of tables; keys are those of the JSON."""


class Meter:
    """Measures outputs by name against one reference; a context manager, frames in order.

    PSNR, SSIM, MS-SSIM, static flicker and VMAF are taken everywhere; tOF and warp error, which
    cost a second of a processor each at 1080p, at every `every`-th frame that begins no shot.
    """

    def __init__(
        self, names: Iterable[str], bit_depth: int, *, every: int = 1, ffmpeg: Path | None = None
    ) -> None:
        """`ffmpeg` is a program with libvmaf; without it VMAF is left out."""
        self._bit_depth, self._every = bit_depth, every
        self._changes = ChangeDetector()
        self._sides = {name: _Side(bit_depth, ffmpeg) for name in names}
        self._before: Planes | None = None
        self._count = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for side in self._sides.values():
                if side.vmaf is not None:
                    stack.enter_context(side.vmaf)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, reference: Planes, outputs: Mapping[str, Planes]) -> dict[str, Measures]:
        """Measure the next frame; all planes are of one size and of the meter's depth.

        A reference that is the very object of the call before gives no temporal figures: between
        two pictures that show the same instant there is no motion to compare.
        """
        fresh = self._before is None or reference[0] is not self._before[0]
        cut = fresh and self._changes(half_luma(reference[0])).cut
        step = None
        if fresh and not cut and self._before is not None and not self._count % self._every:
            step = Step(self._before[0], reference[0], self._bit_depth)
        found = {}
        for name, side in self._sides.items():
            found[name] = side.still(reference, outputs[name])
            if fresh:
                found[name] |= side.moving(reference, outputs[name], cut, step)
            side.measures.append(found[name])
        self._before = reference
        self._count += fresh
        return found

    def results(self) -> dict[str, list[Measures]]:
        """Figures of all frames by name, VMAF now among them. Raises BackendError."""
        for side in self._sides.values():
            if side.vmaf is not None:
                for measures, scores in zip(side.measures, side.vmaf.scores(), strict=True):
                    measures |= scores
        return {name: side.measures for name, side in self._sides.items()}


class _Side:
    """What is kept for one output."""

    def __init__(self, bit_depth: int, ffmpeg: Path | None) -> None:
        self._bit_depth = bit_depth
        self._flicker = Flicker()
        self._before: Planes | None = None
        self.vmaf = Vmaf(ffmpeg, bit_depth) if ffmpeg else None
        self.measures: list[Measures] = []

    def still(self, reference: Planes, output: Planes) -> Measures:
        """Figures of the picture by itself."""
        depth = self._bit_depth
        whole, scales = similarities(reference[0], output[0], depth)
        ours, theirs = (
            np.ascontiguousarray(uv.reshape(len(uv), -1)) for uv in (reference[1], output[1])
        )
        found = {
            "psnr_y": psnr(reference[0], output[0], depth),
            "ssim_y": whole,
            "psnr_uv": psnr(ours, theirs, depth),
        }
        if scales is not None:
            found["ms_ssim_y"] = scales
        if self.vmaf is not None:
            self.vmaf.add(reference[0], output[0])
        return found

    def moving(self, reference: Planes, output: Planes, cut: bool, step: Step | None) -> Measures:
        """Figures of this frame with those before it; flows are compared where `step` is given."""
        before, self._before = self._before, output
        found: dict[str, float | None] = {
            "flicker": self._flicker(reference[0], output[0], cut=cut, bit_depth=self._bit_depth)
        }
        if step is not None and before is not None:
            found["tof"] = tof(step, before[0], output[0])
            found["warp_error"] = warp_error(step, before[0], output[0])
        return {key: value for key, value in found.items() if value is not None}


def means(measures: Sequence[Measures]) -> Measures:
    """Mean of each figure over the frames that have it, in the order of `METRICS`."""
    columns = {key: [each[key] for each in measures if key in each] for key in METRICS}
    return {key: float(np.mean(values)) for key, values in columns.items() if values}

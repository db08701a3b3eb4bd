"""All figures of one or several films beside their common reference, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from vidgen.bench.lpips import Features, Lpips
from vidgen.bench.metrics import psnr, similarities
from vidgen.bench.picture import to_bgr
from vidgen.bench.temporal import Flicker, Step, tof, warp_error
from vidgen.bench.vmaf import Vmaf
from vidgen.frame import Color, Planes
from vidgen.motion import ChangeDetector, half_luma

__all__ = ["METRICS", "Extras", "Measures", "Meter", "Metric", "means"]

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
    "lpips": Metric("LPIPS", "", 4, False),
    "tof": Metric("tOF", "px", 3, False),
    "warp_error": Metric("warp error", "codes²", 2, False),
    "flicker": Metric("flicker", "codes", 3, False),
}
"""Every figure by its key, in the order of tables; keys are those of the JSON."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What is measured only where something is installed."""

    ffmpeg: Path | None = None
    """A program with libvmaf; see `vmaf.find_ffmpeg`."""
    lpips: Path | None = None
    """The weights of LPIPS; see `lpips.find_lpips`."""


class Meter:
    """Measures outputs by name against one reference; a context manager, frames in order.

    PSNR, SSIM, MS-SSIM, static flicker and VMAF are taken everywhere; LPIPS, tOF and warp error,
    which cost a second or two of a processor each at 1080p, at every `every`-th frame; the latter
    two where it begins no shot.
    """

    def __init__(
        self,
        names: Iterable[str],
        bit_depth: int,
        *,
        every: int = 1,
        extras: Extras = Extras(),
        color: Color = Color(),  # noqa: B008 - frozen
    ) -> None:
        """`color` are the tags of the reference, which LPIPS needs."""
        self._bit_depth, self._every, self._color = bit_depth, every, color
        self._changes = ChangeDetector()
        self._lpips = Lpips(extras.lpips) if extras.lpips else None
        self._sides = {name: _Side(bit_depth, extras.ffmpeg) for name in names}
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
        step, looked = None, fresh and not self._count % self._every
        if looked and not cut and self._before is not None:
            step = Step(self._before[0], reference[0], self._bit_depth)
        seen = self._looked_at(reference) if looked else None
        found = {}
        for name, side in self._sides.items():
            found[name] = side.still(reference, outputs[name])
            if fresh:
                found[name] |= side.moving(reference, outputs[name], cut, step)
            if seen is not None and self._lpips is not None:
                theirs = self._looked_at(outputs[name])
                assert theirs is not None  # of one size
                found[name]["lpips"] = self._lpips.distance(seen, theirs)
            side.measures.append(found[name])
        self._before = reference
        self._count += fresh
        return found

    def _looked_at(self, planes: Planes) -> Features | None:
        """What LPIPS compares; None without it, or for a tiny picture."""
        if self._lpips is None:
            return None
        return self._lpips.features(to_bgr(planes, self._color, self._bit_depth))

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

"""Upscale: each frame through a network of the zoo, with what was drawn for the frame before.

The memory is the engine's own last output, moved along the motion; it begins anew at every cut.
Frames that were made between real ones read it and never write it, so their faults cannot spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.engines import Backend, Engine
from vidgen.frame import Frame, Planes, VideoFormat
from vidgen.motion import half_luma
from vidgen.motion.history import align, trusted
from vidgen.zoo import Model

__all__ = ["Upscale"]


@dataclass(frozen=True)
class Upscale:
    """Enlarge every frame by `model.scale ** passes`.

    Engines are compiled at the first frame and freed with the generator. A frame that shares its
    planes with the one before it (a held picture) reuses that result.
    """

    backend: Backend
    model: Model
    source: VideoFormat
    passes: int = 1
    history: bool = True
    """False draws every frame without a past, to see what the past is worth."""
    others: tuple[Model, ...] = ()
    """Networks of the same scale that can take the place of `model`, with its memory."""
    level: Callable[[], int] | None = None
    """Asked at every frame: 0 is `model`, then `others`; beyond them the frame stays small."""

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` at the network's size; the display aspect ratio stays."""
        factor = self.model.scale**self.passes
        return source.resized(source.width * factor, source.height * factor)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame enlarged, at its own time."""
        models = self.model, *self.others
        with ExitStack() as stack:
            steps = [
                _Step([stack.enter_context(each) for each in engines], models, factor)
                for factor, engines in self._engines(models)
            ]
            before: Planes | None = None
            after: Planes | None = None
            for frame in frames:
                if before is None or after is None or frame.y is not before[0]:
                    before = frame.planes
                    after = self._drawn(frame, steps)
                yield frame.with_planes(after)

    def _drawn(self, frame: Frame, steps: Sequence[_Step]) -> Planes:
        """The frame's planes after all steps."""
        level = self.level() if self.level else 0
        planes, flow = frame.planes, self._flow(frame)
        for step in steps:
            if level > len(self.others):
                step.forget()
            else:
                planes = step(planes, flow, level, remember=not frame.generated)
        return planes

    def _flow(self, frame: Frame) -> NDArray[np.float32] | None:
        """To the last real frame, where there is one to look back to."""
        if not (self.history and self.model.history) or frame.cut or frame.motion is None:
            return None
        return frame.motion().flow

    def _engines(self, models: Sequence[Model]) -> Iterator[tuple[int, list[Engine]]]:
        """How far the picture has grown before each pass, and its engines, one a model."""
        for index in range(self.passes):
            factor = self.model.scale**index
            yield factor, [self._engine(model, factor) for model in models]

    def _engine(self, model: Model, factor: int) -> Engine:
        unit = model.multiple_of
        width, height = self.source.width * factor, self.source.height * factor
        return self.backend.compile(
            model, width + -width % unit, height + -height % unit, self.source.bit_depth
        )


class _Step:
    """Engines for one size and their memory: the last real picture given, and what was drawn."""

    def __init__(self, engines: Sequence[Engine], models: Sequence[Model], factor: int) -> None:
        self._engines, self._models, self._factor = engines, models, factor
        self._last: tuple[NDArray[np.uint8], NDArray[Any]] | None = None

    def __call__(
        self, planes: Planes, flow: NDArray[np.float32] | None, level: int, *, remember: bool
    ) -> Planes:
        """`planes` enlarged by the engine of that level.

        `flow` is that of the film's own pixels, `factor` times smaller.
        """
        model = self._models[level]
        inputs: tuple[NDArray[Any], ...] = planes
        half = half_luma(planes[0])
        if model.history:
            inputs = *planes, *self._recalled(planes[0], half, flow, model.scale)
        result = _run_padded(self._engines[level], inputs, model)
        if remember:
            self._last = half, result[0]
        return result

    def forget(self) -> None:
        """A frame was not drawn: the next one has nothing to look back to."""
        self._last = None

    def _recalled(
        self,
        y: NDArray[Any],
        half: NDArray[np.uint8],
        flow: NDArray[np.float32] | None,
        scale: int,
    ) -> Planes:
        """The engine's inputs `history` and `confidence`."""
        if flow is None or self._last is None:
            return np.zeros((scale**2, *y.shape), y.dtype), np.zeros(y.shape, np.uint8)
        if self._factor > 1:
            flow = _resized(flow, half) * np.float32(self._factor)
        flow, trust = trusted(self._last[0], half, flow)
        return align(self._last[1], y, flow, scale), _resized(trust, y)


def _resized(field: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    size = like.shape[1], like.shape[0]
    return cv2.resize(field, size, interpolation=cv2.INTER_LINEAR)


def _run_padded(engine: Engine, planes: tuple[NDArray[Any], ...], model: Model) -> Planes:
    """The engine's result for `planes`, edges replicated to the size that the network takes."""
    height, width = planes[0].shape
    down, right = -height % model.multiple_of, -width % model.multiple_of
    if not down and not right:
        return engine(*planes)
    luma, chroma = ((0, down), (0, right)), ((0, down // 2), (0, right // 2), (0, 0))
    pads = luma, chroma, ((0, 0), *luma), luma
    y, uv = engine(*(np.pad(each, pad, "edge") for each, pad in zip(planes, pads, strict=False)))
    height, width = height * model.scale, width * model.scale
    return (
        np.ascontiguousarray(y[:height, :width]),
        np.ascontiguousarray(uv[: height // 2, : width // 2]),
    )

"""Upscale: each frame through a network of the zoo, once or several times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from vidgen.engines import Backend, Engine
from vidgen.frame import Frame, Planes, VideoFormat
from vidgen.zoo import Model

__all__ = ["Upscale"]


@dataclass(frozen=True)
class Upscale:
    """Enlarge every frame by `model.scale ** passes`, picture by picture.

    Engines are compiled at the first frame and freed with the generator. A frame that shares its
    planes with the one before it (a held picture) reuses that result.
    """

    backend: Backend
    model: Model
    source: VideoFormat
    passes: int = 1

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` at the network's size; the display aspect ratio stays."""
        factor = self.model.scale**self.passes
        return source.resized(source.width * factor, source.height * factor)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame enlarged, at its own time."""
        with ExitStack() as stack:
            engines = [stack.enter_context(engine) for engine in self._engines()]
            before: Planes | None = None
            after: Planes | None = None
            for frame in frames:
                if before is None or after is None or frame.y is not before[0]:
                    before, after = frame.planes, frame.planes
                    for engine in engines:
                        after = _run_padded(engine, after, self.model)
                yield frame.with_planes(after)

    def _engines(self) -> Iterator[Engine]:
        unit = self.model.multiple_of
        for index in range(self.passes):
            factor = self.model.scale**index
            width, height = self.source.width * factor, self.source.height * factor
            yield self.backend.compile(
                self.model, width + -width % unit, height + -height % unit, self.source.bit_depth
            )


def _run_padded(engine: Engine, planes: Planes, model: Model) -> Planes:
    """The engine's result for `planes`, edges replicated to the size that the network takes."""
    y, uv = planes
    height, width = y.shape
    down, right = -height % model.multiple_of, -width % model.multiple_of
    if not down and not right:
        return engine(y, uv)
    y = np.pad(y, ((0, down), (0, right)), "edge")
    uv = np.pad(uv, ((0, down // 2), (0, right // 2), (0, 0)), "edge")
    y, uv = engine(y, uv)
    height, width = height * model.scale, width * model.scale
    return (
        np.ascontiguousarray(y[:height, :width]),
        np.ascontiguousarray(uv[: height // 2, : width // 2]),
    )

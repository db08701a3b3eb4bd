"""Upscale: each frame through a network of the zoo, with what was drawn for the frame before.

The memory is the engine's own last output, moved along the motion; it begins anew at every cut.
Frames that were made between real ones read it and never write it, so their faults cannot spread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import lcm

import numpy as np

from vidgen.engines import Backend, Engine, Memory
from vidgen.frame import Field, Frame, Planes, VideoFormat
from vidgen.motion.history import HostMemory
from vidgen.zoo import Model

__all__ = ["Upscale"]

_Step = tuple[list[Engine], Memory]


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
    finds_motion: bool = False
    """On a GPU the motion that the past is moved along is found there, and frames are not asked for
    theirs: for films of which nobody else needs it."""
    stays: bool = False
    """On a GPU, whether the result stays there, for an encoder; where no size has to be padded."""
    level: Callable[[], int] | None = None
    """Asked at every frame: 0 is `model`, then `others`; beyond them the frame stays small."""

    def output(self, source: VideoFormat) -> VideoFormat:
        """`source` at the network's size; the display aspect ratio stays."""
        factor = self.model.scale**self.passes
        return source.resized(source.width * factor, source.height * factor)

    @property
    def pads(self) -> bool:
        """Whether pictures are padded to what the networks take, which is done on the host."""
        return bool(self.source.width % self._unit or self.source.height % self._unit)

    @property
    def _unit(self) -> int:
        return lcm(*(model.multiple_of for model in (self.model, *self.others)))

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield each frame enlarged, at its own time; it may lie on the GPU of the backend."""
        with ExitStack() as stack:
            steps = list(self._steps(stack))
            before: Planes | None = None
            after: Planes | None = None
            for frame in frames:
                if before is None or after is None or frame.y is not before[0]:
                    before = frame.planes
                    after = self._drawn(frame, steps)
                yield frame.with_planes(after)

    def _steps(self, stack: ExitStack) -> Iterator[_Step]:
        """For each pass the engines, one a model, and their memory."""
        models, unit = (self.model, *self.others), self._unit
        for index in range(self.passes):
            factor = self.model.scale**index
            width, height = self.source.width * factor, self.source.height * factor
            size = width + -width % unit, height + -height % unit, self.source.bit_depth
            engines = [stack.enter_context(self.backend.compile(each, *size)) for each in models]
            stays = not self.pads and (self.stays or index + 1 < self.passes)
            memory = self.backend.memory(factor, finds_motion=self.finds_motion, stays=stays)
            yield engines, memory or HostMemory(factor)

    def _drawn(self, frame: Frame, steps: Sequence[_Step]) -> Planes:
        """The frame's planes after all steps."""
        level = self.level() if self.level else 0
        planes, flow = frame.planes, self._flow(frame)
        for engines, memory in steps:
            if level > len(self.others):
                memory.forget()
                continue
            engine, (height, width) = engines[level], planes[0].shape
            given = _padded(planes, *engine.inputs["y"][0])
            made = memory.draw(engine, given, flow, keep=not frame.generated)
            planes = _cropped(made, height * self.model.scale, width * self.model.scale)
        return planes

    def _flow(self, frame: Frame) -> Callable[[], Field] | None:
        """Finds that to the last real frame, where there is one to look back to."""
        motion = frame.motion
        if not (self.history and self.model.history) or frame.cut or motion is None:
            return None
        return lambda: motion().flow


def _padded(planes: Planes, height: int, width: int) -> Planes:
    """`planes` with their edges replicated to that size."""
    down, right = height - planes[0].shape[0], width - planes[0].shape[1]
    if not down and not right:
        return planes
    y, uv = planes
    return (
        np.pad(y, ((0, down), (0, right)), "edge"),
        np.pad(uv, ((0, down // 2), (0, right // 2), (0, 0)), "edge"),
    )


def _cropped(planes: Planes, height: int, width: int) -> Planes:
    """Their upper left part of that size."""
    y, uv = planes
    if y.shape == (height, width):
        return planes
    return (
        np.ascontiguousarray(y[:height, :width]),
        np.ascontiguousarray(uv[: height // 2, : width // 2]),
    )

"""How pictures are made that were not there: by motion alone, or by a network of the zoo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from vidgen.engines import Backend
from vidgen.frame import Planes, VideoFormat
from vidgen.motion import Ahead, Between
from vidgen.zoo import Model

__all__ = ["INTERPOLATOR", "Synthesis", "Synthesizer", "by_motion", "by_network"]

Synthesizer = Callable[[Between | Ahead, float], Planes]
"""(real pictures, an instant that they know) -> its planes, which belong to the caller."""

INTERPOLATOR = "mid-realtime"
"""For `balanced`, whose flow is finer; `realtime` is by motion alone."""

Synthesis = Callable[[], AbstractContextManager[Synthesizer]]
"""Opens a synthesizer, with what it needs for as long as it is open."""


@contextmanager
def by_motion() -> Iterator[Synthesizer]:
    """Warps alone."""
    yield lambda pictures, instant: pictures.picture(instant)


def by_network(backend: Backend, model: Model, source: VideoFormat) -> Synthesis:
    """`model`, of the task `generate`, makes one picture of two candidates.

    Opening raises BackendError or ModelError.
    """
    return partial(_by_engine, backend, model, source)


@contextmanager
def _by_engine(backend: Backend, model: Model, source: VideoFormat) -> Iterator[Synthesizer]:
    with backend.compile(model, source.width, source.height, source.bit_depth) as engine:
        yield lambda pictures, instant: engine(*pictures.candidates(instant).arrays)

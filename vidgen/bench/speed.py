"""Throughput of this engine on this machine: a network alone, and the whole program.

What is timed is what users wait for: an engine with planes of the host in and out, and films
decoded and encoded. The film is a drawn scene, so every machine works on the same pictures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.bench.film import write_scene
from vidgen.bench.scenes import Scene
from vidgen.engines import Backend, Engine
from vidgen.engines.device import DeviceEngine
from vidgen.engines.shapes import inputs_of
from vidgen.frame import Planes
from vidgen.job import Settings
from vidgen.media import Decoder
from vidgen.pipeline import build_stages, through
from vidgen.segments import run
from vidgen.stage import prefetch
from vidgen.stopwatch import Stopwatches
from vidgen.zoo import Model

__all__ = ["Row", "Work", "engine_row", "film_rows", "spread"]

_LEAST_RUNS = 10
_WARM_UP_RUNS = 3
_DEVICE_RUNS = 5
_DEVICE_PICTURES = 20  # of a run on a GPU: what starts and ends it is a small part of it
FPS = Fraction(24)
Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table; milliseconds are wall time a picture that comes out."""

    kind: str
    """`engine`, `null` (decoded and computed, thrown away) or `file` (encoded, too)."""
    what: str
    """The network, or the job in the words of the command line."""
    size: str
    """Of the pictures that go in."""
    fps: float
    """Pictures that come out a second: of the median, for an engine."""
    ms: dict[str, float]
    """`median`, `p10`, `p90`, and on a GPU `device`, its own time; for a film, each step's own."""
    waits: dict[str, float] = field(default_factory=dict)
    """For a film: milliseconds that each thread waited at its queues, for a picture or for room."""
    bottleneck: str = ""
    """For a film: the thread that waited least, so that the others waited for it."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the same row of another machine has, too."""
        return self.kind, self.what, self.size

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True)
class Work:
    """How long to measure."""

    engine_seconds: float = 2.0
    film_frames: int = 96


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Median and the tenth and ninetieth percentile, in milliseconds."""
    ordered = sorted(seconds)
    tenth = len(ordered) // 10
    figures = {"median": median(ordered), "p10": ordered[tenth], "p90": ordered[-1 - tenth]}
    return {name: round(1000 * value, 3) for name, value in figures.items()}


def engine_row(
    backend: Backend,
    model: Model,
    size: Size,
    work: Work,
    now: Callable[[], float] = time.perf_counter,
) -> Row:
    """The engine alone on noise of 8 bits: a call, its copies and its wait included.

    On a GPU that includes what is recalled of the past, which is made there; and there is also the
    network's own time for a picture, without all that.
    """
    width, height = (side - side % model.multiple_of for side in size)
    generator = np.random.default_rng(1)
    planes = [
        generator.integers(0, 256, shape).astype(dtype)
        for shape, dtype in inputs_of(model, width, height, 8).values()
    ]
    runs: list[float] = []
    with backend.compile(model, width, height, 8) as engine:
        draw = _drawing(backend, engine, model, planes)
        for _ in range(_WARM_UP_RUNS):
            draw()
        began = now()
        while len(runs) < _LEAST_RUNS or now() - began < work.engine_seconds:
            start = now()
            draw()
            runs.append(now() - start)
        on_device = _device_spread(engine) if isinstance(engine, DeviceEngine) else {}
    figures = spread(runs) | on_device
    fps = round(1000 / max(figures["median"], 1e-3), 2)
    return Row(kind="engine", what=model.name, size=_word(size), fps=fps, ms=figures)


def _drawing(
    backend: Backend, engine: Engine, model: Model, planes: list[NDArray[Any]]
) -> Callable[[], Planes]:
    """A call of the engine; on a GPU with the past and its motion, which are found there."""
    memory = backend.memory(1, finds_motion=True) if model.history else None
    if memory is None:
        return partial(engine, *planes)
    y, uv = planes[:2]
    return partial(memory.draw, engine, (y, uv), lambda: np.zeros(uv.shape, np.float32), keep=True)


def _device_spread(engine: DeviceEngine) -> dict[str, float]:
    runs = [engine.device_seconds(_DEVICE_PICTURES) for _ in range(_DEVICE_RUNS)]
    return {"device": spread(runs)["median"]}


def film_rows(folder: Path, size: Size, words: dict[str, Any], work: Work) -> Iterator[Row]:
    """A drawn film of that size through the whole program, to nothing and to a file.

    `words` are those of `Settings`, such as `{"scale": 2, "fps": "x2"}`.
    """
    film = folder / f"{_word(size)}.mkv"
    if not film.exists():
        seconds = Fraction(work.film_frames) / FPS
        write_scene(film, Scene(*size), fps=FPS, seconds=seconds, preset="veryfast")
    target = folder / "out.mkv"
    settings = Settings(source=film, target=target, preset="veryfast", overwrite=True, **words)
    yield _to_null(settings, size, words)
    report = run(settings)
    yield _row("file", words, size, report.frames_out, report.seconds, report.step_seconds)


def _to_null(settings: Settings, size: Size, words: dict[str, Any]) -> Row:
    with Decoder(settings.source) as decoder:
        steps, _ = build_stages(settings, decoder.format)
        watches, began = Stopwatches(), time.perf_counter()
        with ExitStack() as stack:
            reading = prefetch(watches("decode", "decode", decoder), name="decode")
            decoded = stack.enter_context(closing(reading))
            count = sum(1 for _ in through(steps, decoded, watches, stack))
        seconds = time.perf_counter() - began
    spent = watches.seconds()
    del spent["compute full"]  # nothing is behind it
    return _row("null", words, size, count, seconds, spent)


def _row(
    kind: str,
    words: dict[str, Any],
    size: Size,
    count: int,
    seconds: float,
    spent: dict[str, float],
) -> Row:
    """`spent` are seconds as in `Report.step_seconds`."""
    each = {name: round(1000 * value / max(count, 1), 3) for name, value in spent.items()}
    waits: dict[str, float] = {}
    for name in [name for name in each if name.endswith((" wait", " full"))]:
        thread = name.split()[0]
        waits[thread] = round(waits.get(thread, 0.0) + each.pop(name), 3)
    return Row(
        kind=kind,
        what=" ".join(f"--{name} {value}" for name, value in words.items()),
        size=_word(size),
        fps=round(count / seconds, 2),
        ms=each,
        waits=waits,
        bottleneck=min(waits, key=lambda name: waits[name]),
    )


def _word(size: Size) -> str:
    return f"{size[0]}x{size[1]}"

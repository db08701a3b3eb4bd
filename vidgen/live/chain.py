"""From frames on the output's clock to pictures of its instants: the stages of a stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, reduce
from statistics import median
from time import thread_time

import cv2

from vidgen.engines import choose_backend
from vidgen.errors import UsageError
from vidgen.frame import Frame, VideoFormat
from vidgen.live.clock import Clock
from vidgen.live.settings import TIERS, LiveSettings
from vidgen.sizes import network_passes, target_format
from vidgen.stage import Stage
from vidgen.stages import EstimateMotion, Fit, Generate, Predict, Upscale
from vidgen.stages.synthesis import INTERPOLATOR, Synthesis, Synthesizer, by_motion, by_network
from vidgen.timing import parse_rate
from vidgen.zoo import load

__all__ = ["Chain"]

_RATE_WHEN_UNKNOWN = Fraction(25)
_LOOK_AHEAD = 4
"""Frames of the source: `Generate` may wait for three, and there must be time for the work."""
_DRAWS = ("quality", "balanced")
"""The tiers in which a network makes the pictures between two real ones."""
_WORKS, _LAST = 1000, 15
_STAGES: dict[str, Callable[..., Generate | Predict]] = {
    "interpolate": Generate,
    "predict": Predict,
    "off": partial(Predict, makes=False),
}


class Chain:
    """The stages for a stream of `source`. Raises UsageError for a word, BackendError.

    `level` says which of `tiers` is to draw a frame; `shown`, until when on the output's clock
    pictures have been shown; `clock`, how long the work takes.
    """

    target: VideoFormat
    """What comes out, at a constant rate."""
    tiers: tuple[str, ...]
    """Those that can be chosen between, dearest first."""
    engine: str
    """One line for a person."""
    generate: str
    """How frames between real ones come about."""
    looks_ahead: bool
    """Whether that waits for the real one after them."""
    busy_seconds: float
    """Seconds that the stages worked so far."""
    work_seconds: deque[float]
    """Of these, what each of the last frames of the source took, with all that was made of it. To
    be cleared when the tier changes."""
    processor_seconds: deque[float]
    """The same in seconds of a core, of the thread that draws. To be cleared, too."""

    def __init__(
        self,
        settings: LiveSettings,
        source: VideoFormat,
        level: Callable[[], int],
        shown: Callable[[], Fraction],
        clock: Clock,
    ) -> None:
        self._clock, self._level = clock, level
        self.busy_seconds, self._away_seconds = 0.0, 0.0
        self.work_seconds: deque[float] = deque(maxlen=_WORKS)
        self.processor_seconds: deque[float] = deque(maxlen=_WORKS)
        rate = source.fps or _RATE_WHEN_UNKNOWN
        fps = parse_rate(settings.fps, rate) if settings.fps else rate
        target = target_format(source, settings.scale, settings.size)
        self.generate = _method(settings, rate)
        self.looks_ahead = self.generate == "interpolate"
        passes = network_passes(source, target, 2)
        makes = self.generate == "interpolate" and fps > rate
        self.tiers = _tiers(settings.tier, grows=bool(passes), makes=makes)
        models = [load(f"x2-{tier}") for tier in self.tiers if tier != "off" and passes]
        synthesis, self.engine = by_motion, ""
        draws = makes and any(tier in _DRAWS for tier in self.tiers)
        if models or draws:
            backend = choose_backend(settings.backend, settings.device)
            self.engine = backend.describe()
        if draws:
            network = by_network(backend, load(INTERPOLATOR), source)
            synthesis = partial(_chosen, network, lambda: self.tiers[level()] in _DRAWS)
        generate = _STAGES[self.generate](fps, synthesis, source_fps=rate, origin=Fraction(0))
        self.target = generate.output(target)
        wanted = _StillWanted(shown, settings.latency / 2)
        self._stages: list[Stage] = [EstimateMotion(), generate, wanted]
        if models:
            self._stages.append(
                Upscale(
                    backend,
                    models[0],
                    source,
                    passes,
                    finds_motion=self.generate == "off" or fps <= rate,
                    others=tuple(models[1:]),
                    level=level,
                )
            )
        self._stages.append(_FitAny(self.target, source))

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield a picture for every instant of the output's grid, as frames come in."""
        stages: Iterator[Frame] = self._timed(frames)
        for picture in reduce(lambda each, stage: stage(each), self._stages, stages):
            left = self._clock.now()
            yield picture
            self._away_seconds += float(self._clock.now() - left)

    @property
    def usual_seconds(self) -> float | None:
        """What most of the last frames took; None where there are none."""
        last = list(self.work_seconds)[-_LAST:]
        return median(last) if last else None

    def _timed(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """`frames`, and how long it takes until the next one is asked for."""
        for frame in frames:
            given, away, core = self._clock.now(), self._away_seconds, thread_time()
            level = self._level()
            yield frame
            work = float(self._clock.now() - given) - (self._away_seconds - away)
            self.busy_seconds += work
            if frame.time >= 0 and self._level() == level:  # else it says nothing of either tier
                self.work_seconds.append(work)
                self.processor_seconds.append(thread_time() - core)


def _method(settings: LiveSettings, rate: Fraction) -> str:
    """The word for `settings.generate`: what looks ahead, where there is time for that."""
    word = settings.generate
    if word == "auto":
        return "interpolate" if settings.latency * rate >= _LOOK_AHEAD else "predict"
    if word not in _STAGES:
        raise UsageError(f"--generate {word}: give auto, {', '.join(_STAGES)}")
    return word


def _tiers(word: str, *, grows: bool, makes: bool) -> tuple[str, ...]:
    """Those of the word that differ in what is asked: larger pictures, and pictures between."""
    if word != "auto" and word not in TIERS:
        raise UsageError(f"--tier {word}: unknown; give auto or one of {', '.join(TIERS)}")
    if not (grows or makes):
        return ("off",)
    if word != "auto":
        return (word,)
    return TIERS if grows else (_DRAWS[-1], "off")


@contextmanager
def _chosen(network: Synthesis, wanted: Callable[[], bool]) -> Iterator[Synthesizer]:
    """Pictures by `network` while it is wanted, else by motion alone."""
    with network() as drawn, by_motion() as warped:
        yield lambda pictures, instant: (drawn if wanted() else warped)(pictures, instant)


@dataclass(frozen=True)
class _StillWanted:
    """Lets go of repeated pictures whose time has passed, and of made ones for which it is short:
    where the work is behind, the source's own ones come first.

    Those all stay, for the memory of what comes after them.
    """

    shown: Callable[[], Fraction]
    short: Fraction
    """Seconds."""

    def output(self, source: VideoFormat) -> VideoFormat:
        return source

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            spare = self.short if frame.generated else 0
            if not (frame.generated or frame.duplicate) or frame.time >= self.shown() + spare:
                yield frame


@dataclass(frozen=True)
class _FitAny:
    """`Fit` for frames that a network has enlarged, and for those that it has not."""

    target: VideoFormat
    source: VideoFormat

    def output(self, source: VideoFormat) -> VideoFormat:
        return Fit(self.target).output(source)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        fits: dict[int, _Held] = {}
        for frame in frames:
            width = frame.y.shape[1]
            if width not in fits:
                grown = max(1, width // self.source.width)
                fits[width] = _Held(Fit(self.target, grown, enlarge=cv2.INTER_CUBIC))
            yield fits[width](frame)


class _Held:
    """One `Fit`, a frame at a time; it remembers a held picture."""

    def __init__(self, fit: Fit) -> None:
        self._next: Frame | None = None
        self._fitted = fit(iter(self._given, None))

    def _given(self) -> Frame | None:
        return self._next

    def __call__(self, frame: Frame) -> Frame:
        self._next = frame
        return next(self._fitted)

"""Whether this machine keeps up: pictures arrive on a clock, and each has to be ready in time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from vidgen.frame import Frame
from vidgen.stage import Stage
from vidgen.stages import Generate

__all__ = ["Proof", "prove"]

_SHARES = (50, 95, 99)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What came of it; times are in milliseconds."""

    fps: str
    """Rate at which pictures arrived."""
    frames: int
    misses: int
    """Pictures that were not ready one period after the arrival that they were made from."""
    stages: dict[str, dict[str, float]]
    """p50, p95, p99 and max of the time that each stage took for a picture that came out, and of
    their sum; what a stage does for several pictures counts for the first of them."""
    lag: dict[str, float]
    """The same of the time from an arrival until its pictures were ready."""

    @property
    def held(self) -> bool:
        """Whether every picture was ready in time."""
        return not self.misses

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def prove(
    stages: Mapping[str, Stage],
    pictures: Sequence[Frame],
    fps: Fraction,
    seconds: Fraction,
    *,
    warm_up: Fraction = Fraction(2),
    now: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> Proof:
    """Send `pictures`, over and over, through `stages` for `seconds`, `fps` of them a second.

    Arrivals do not wait: where computing falls behind, its lag grows. What is ready within
    `warm_up` does not count. Nothing adapts: no governor runs.
    """
    count = int((seconds + warm_up) * fps)
    first = int(warm_up * fps)
    arrivals: list[float] = []
    frames: Iterator[Frame] = _arriving(pictures, count, fps, arrivals, now, sleep)
    laps: dict[str, _Laps] = {"arrival": _Laps(frames, now)}
    for name, stage in stages.items():
        laps[name] = _Laps(stage(iter(list(laps.values())[-1])), now)
    lags, sums = [], []
    misses = 0
    for frame in list(laps.values())[-1]:
        source = min(int(frame.time * fps) + _ahead(stages), count - 1)
        lag = now() - arrivals[min(source, len(arrivals) - 1)]
        own = [each.own for each in laps.values()]
        if source >= first:
            lags.append(lag)
            sums.append([after - before for before, after in itertools.pairwise(own)])
            misses += lag > 1 / fps
        for each in laps.values():
            each.own = 0.0
    columns = dict(zip(stages, zip(*sums, strict=True), strict=False)) if sums else {}
    figures = {name: _percentiles(values) for name, values in columns.items()}
    figures["sum"] = _percentiles([sum(row) for row in sums])
    return Proof(
        fps=str(fps), frames=len(lags), misses=misses, stages=figures, lag=_percentiles(lags)
    )


def _ahead(stages: Mapping[str, Stage]) -> int:
    """Pictures that have to arrive before one can be made: `Generate` looks one ahead."""
    return int(isinstance(stages.get("generate"), Generate))


class _Laps:
    """An iterator that adds up the seconds spent in it, and in what it pulls from, into `own`."""

    def __init__(self, frames: Iterable[Frame], now: Callable[[], float]) -> None:
        self._frames, self._now, self.own = iter(frames), now, 0.0

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        began = self._now()
        try:
            return next(self._frames)
        finally:
            self.own += self._now() - began


def _arriving(
    pictures: Sequence[Frame],
    count: int,
    fps: Fraction,
    arrivals: list[float],
    now: Callable[[], float],
    sleep: Callable[[float], None],
) -> Iterator[Frame]:
    """`count` frames; number n comes at n / fps and not before."""
    began = now()
    for n in range(count):
        due = began + n / fps
        if (left := due - now()) > 0:
            sleep(float(left))
        arrivals.append(float(due))
        picture = pictures[n % len(pictures)]
        yield replace(picture, pts=n, duration=1, time_base=1 / fps)


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    ordered = sorted(seconds)
    figures = {f"p{share}": ordered[len(ordered) * share // 100] for share in _SHARES}
    return {name: round(1000 * each, 2) for name, each in {**figures, "max": ordered[-1]}.items()}

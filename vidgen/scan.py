"""What a first pass found of how a film was recorded: film, fields, or film hidden in fields.

A video frame is two fields, the even rows (top) and the odd ones (bottom), which may show two
instants. A `Scan` says it for a whole film, so that any part of it can be restored on its own.
It is plain data: it travels to other processes and is kept beside unfinished work as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from fractions import Fraction

__all__ = ["PROGRESSIVE", "Run", "Scan"]


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring frames of one kind, in one unbroken rhythm."""

    pts: int
    """Of the first frame, in units of the scan's time base; the run lasts until the next one's."""
    frames: int
    """How many frames of the source it holds."""
    kind: str
    """`progressive`: frames are pictures. `interlaced`: each field is an instant of its own.
    `film`: pictures lie in the fields in the rhythm of `cycle`. `paced`: frames are pictures, their
    times alternate between two and three fields and are made even (soft telecine)."""
    top_first: bool = True
    """Which field of a frame is the earlier one."""
    cycle: tuple[int, ...] = ()
    """Of `film`: how many fields each picture lasts, round and round: (3, 2) for 3:2 pulldown."""
    phase: int = 0
    """Of `film`: how many fields of the cycle lie before the run's first one."""

    @property
    def made(self) -> Fraction:
        """About how many pictures the run has, where fields of interlaced frames are pictures."""
        if self.kind == "interlaced":
            return Fraction(2 * self.frames)
        if self.kind == "film":
            return Fraction(2 * self.frames * len(self.cycle), sum(self.cycle))
        return Fraction(self.frames)


@dataclass(frozen=True, slots=True)
class Scan:
    """A film as runs, in order. No runs: all of it is progressive."""

    runs: tuple[Run, ...] = ()
    time_base: Fraction = Fraction(1)
    """Seconds a unit of `pts`: the clock of the stream."""
    rate: Fraction | None = None
    """Frames a second in runs that are not progressive."""
    cuts: tuple[int, ...] = ()
    """`pts` of frames with which a new shot begins: no field before one helps a field after it."""
    frames: int = 0
    """How many frames were looked at."""
    whole: bool = True
    """False where samples of a long film were clean and the rest was not looked at."""

    @property
    def progressive(self) -> bool:
        """Whether there is nothing to restore."""
        return all(run.kind == "progressive" for run in self.runs)

    def share(self, kind: str) -> Fraction:
        """The share of frames, in [0, 1], that are of that kind."""
        total = sum(run.frames for run in self.runs)
        found = sum(run.frames for run in self.runs if run.kind == kind)
        return Fraction(found, total) if total else Fraction(kind == "progressive")

    def pictures_per_frame(self, *, fields: bool = True) -> Fraction:
        """Pictures after restoring for each frame of the source, on average.

        Without `fields`, an interlaced frame gives one.
        """
        total = sum(run.frames for run in self.runs)
        made = Fraction(0)
        for run in self.runs:
            made += run.frames if run.kind == "interlaced" and not fields else run.made
        return made / total if total else Fraction(1)

    def to_json(self) -> str:
        """The whole of it as text; `from_json` reads it."""
        return json.dumps(asdict(self), default=str)

    @staticmethod
    def from_json(text: str) -> Scan:
        """What `to_json` wrote. Raises ValueError or TypeError for anything else."""
        data = json.loads(text)
        runs = tuple(Run(**{**run, "cycle": tuple(run["cycle"])}) for run in data.pop("runs"))
        rate = data.pop("rate")
        return Scan(
            runs,
            Fraction(data.pop("time_base")),
            None if rate is None else Fraction(rate),
            tuple(data.pop("cuts")),
            **data,
        )


PROGRESSIVE = Scan()
"""Nothing to restore."""

"""From what each frame shows of its fields to the most likely rhythm of the whole film.

Every way in which frames can have been made is a state: progressive, interlaced with either field
first, and each position in each pulldown cycle. A state expects of the frame's own two fields, and
of its last field and the next one, that they show the same instant or that they do not; what is
seen otherwise costs up to 1. Staying in step is free, a change of rhythm (an edit) costs as much as
a few contradictions. The cheapest path through all frames is found by dynamic programming
(A. J. Viterbi, 1967); still scenes, which cost nothing in any state, take after their neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.restore.comb import Evidence

__all__ = ["State", "follow", "parts", "states_for"]

Costs = NDArray[np.float64]

_PROGRESSIVE = 0  # its place among the states
_PULLDOWN = ((3, 2), (2, 3, 3, 2))
"""Cycles in fields of 24 pictures in 30 frames; the second is the "advanced" one of DV cameras."""
_SHIFTED = (2,)
"""A picture a frame, its fields in two frames: PAL film transfers, badly edited video."""
_REPEATED = ((2, 2, 2, 4), (2, 2, 2, 2, 4), (2,) * 23 + (4,))
"""Whole frames shown twice: 24 pictures in 30 frames, 25 in 30, 24 in 25."""
_FAST_REPEATED = ((6, 4), (4,), (4, 4, 4, 6, 4, 4, 4, 4, 6, 4, 4, 4))
"""The same in 50 or 60 frames a second: 24, 25 or 30 pictures, and 25 in 60 (5 in 12)."""
_FAST = 48  # frames a second

_CHANGE = 2.5  # of rhythm, in contradictions
_UNFLAGGED = 4.0  # more, to leave progressive frames that are not flagged as anything else
_SAME, _SURELY_OTHER = 0.2, 0.5  # comb of two fields of one instant; more than it can have
_APART = 0.15  # comb of a frame's own fields, when they are of different pictures
_NEXT_APART = 0.5  # comb of fields of neighbouring frames that hold different pictures
_LEAN = 0.25  # difference of the two weaves with the next frame that whole pictures may have
_REPEAT = 0.15  # change of a repeated frame over that of its neighbours
_MOVING = 1.5  # change of neighbours, in 8-bit steps, below which repetition says nothing
_NEIGHBOURS = 7  # frames among which the most changed one counts

# Costs of every frame that shows nothing, so that the simplest explanation wins: by state and flag.
_UNFLAGGED_INTERLACED, _FLAGGED_PROGRESSIVE, _FILM, _REPEATS = 0.04, 0.01, 0.015, 0.008


@dataclass(frozen=True, slots=True)
class State:
    """How a frame was made; `offset` fields of the cycle lie before its first one."""

    kind: str
    top_first: bool = True
    cycle: tuple[int, ...] = ()
    offset: int = 0

    def together(self, field: int) -> bool:
        """Whether the frame's field of that number and the next show the same picture."""
        place, ends = (self.offset + field) % sum(self.cycle), np.cumsum(self.cycle)
        return place + 1 not in ends

    def after(self) -> State:
        """The state of the next frame of the same rhythm."""
        if not self.cycle:
            return self
        offset = (self.offset + 2) % sum(self.cycle)
        return State(self.kind, self.top_first, self.cycle, offset)


def states_for(rate: Fraction | None, *, forced: bool = False, woven: bool = True) -> list[State]:
    """The states to tell apart at that many frames a second.

    `forced`: interlaced ones only; `woven`: False where no frame can hold two fields.
    """
    interlaced = [State("interlaced", top) for top in (True, False)]
    if forced:
        return interlaced
    states = [State("progressive"), *(interlaced if woven else [])]
    whole: tuple[tuple[int, ...], ...] = _REPEATED
    if rate is None or rate >= _FAST:
        whole = _FAST_REPEATED if rate else ()
    elif woven:
        for top in (True, False):
            states.append(State("film", top, _SHIFTED, 1))
            for hidden in _PULLDOWN:
                states += [State("film", top, hidden, n) for n in range(sum(hidden))]
    for repeated in whole:
        states += [State("film", True, repeated, n) for n in range(0, sum(repeated), 2)]
    return states


def follow(
    evidence: Sequence[Evidence], flagged: Sequence[bool], states: Sequence[State]
) -> list[State]:
    """The state of each frame; `evidence` is one shorter than `flagged` (the last has no next)."""
    if not flagged:
        return []
    alone, step, leap = _costs(evidence, flagged, states)
    place = {state: number for number, state in enumerate(states)}
    before = np.zeros(len(states), np.intp)
    for state, number in place.items():
        before[place[state.after()]] = number
    known = np.array(flagged, bool) | (states[_PROGRESSIVE].kind != "progressive")
    doubt = np.where(known, 0.0, _UNFLAGGED)
    score = alone[0] + doubt[0]
    score[_PROGRESSIVE] -= doubt[0]
    came = np.empty(alone.shape, np.intp)
    for n in range(1, len(flagged)):
        stay = (score + step[n - 1])[before]
        harder = score.copy()
        harder[_PROGRESSIVE] += doubt[n]
        jump = np.full(len(states), harder.min())
        source = np.full(len(states), harder.argmin())
        jump[_PROGRESSIVE], source[_PROGRESSIVE] = score.min(), score.argmin()
        jump += _CHANGE + leap[n - 1]
        came[n] = np.where(stay <= jump, before, source)
        score = np.minimum(stay, jump) + alone[n]
    path = [int(score.argmin())]
    for n in range(len(flagged) - 1, 0, -1):
        path.append(int(came[n, path[-1]]))
    return _without_broken([states[number] for number in reversed(path)], evidence)


def _without_broken(path: list[State], evidence: Sequence[Evidence]) -> list[State]:
    """The path with frames taken out of film whose fields cannot be one of its pictures after all.

    So are single frames between two edits, and film with video on it.
    """
    return [
        State("interlaced", state.top_first)
        if state.kind == "film" and state.together(0) and seen.own * seen.weight > _SURELY_OTHER
        else state
        for state, seen in zip(path, evidence, strict=False)
    ] + path[len(evidence) :]


def parts(state: State, seen: Evidence) -> bool:
    """Whether a frame's last field and the next one, which should be of one picture, are not."""
    if state.kind != "film" or not state.together(1):
        return False
    near = seen.top_next if state.top_first else seen.bottom_next
    return near * seen.weight > _SURELY_OTHER - 0.05


def _costs(
    evidence: Sequence[Evidence], flagged: Sequence[bool], states: Sequence[State]
) -> tuple[Costs, Costs, Costs]:
    """(N, S) of a frame in a state, (N - 1, S) of the step to the next, (N - 1,) of a change."""
    columns = [[e.own, e.top_next, e.bottom_next, e.weight, e.change] for e in evidence]
    own, top, bottom, weight, change = np.array(columns, np.float64).reshape(-1, 5).T
    lean = 0.8 * _over(np.abs(top - bottom), _LEAN, 0.35) * weight
    repeat, repeat_weight = _repeats(change)
    alone = np.zeros((len(flagged), len(states)))
    step = np.zeros((len(evidence), len(states)))
    for number, state in enumerate(states):
        near, far = (top, bottom) if state.top_first else (bottom, top)
        if state.kind == "interlaced":
            late = 0.5 * _over(near - far, -0.3, 0.3)
            even = (np.minimum(near, own) + 0.03) / (np.maximum(near, own) + 0.03)
            uneven = _over(-even, -0.25, 0.15)
            alone[:-1, number] = weight * (late + uneven)
            continue
        if state.kind == "progressive" or state.together(0):
            alone[:-1, number] = weight * _over(own, _SAME, _SURELY_OTHER - _SAME)
        else:
            alone[:-1, number] = weight * _over(-own, -_APART, _APART)
        if state.kind == "progressive":
            step[:, number] = lean + 0.35 * repeat_weight * _over(-repeat, -_REPEAT, 0.1)
        elif any(length % 2 for length in state.cycle) or state.offset % 2:
            expected = (
                _over(near, _SAME, _SURELY_OTHER - _SAME)
                if state.together(1)
                else _over(-near, -_NEXT_APART, 0.4)
            )
            step[:, number] = weight * expected
        elif state.together(1):
            step[:, number] = repeat_weight * _over(repeat, _REPEAT, 0.2)
        else:
            step[:, number] = lean + repeat_weight * _over(-repeat, -_REPEAT, 0.1)
    alone += _priors(flagged, states)
    return alone, step, lean


def _over(value: NDArray[np.float64], start: float, width: float) -> NDArray[np.float64]:
    """0 up to `start`, 1 from `start + width`."""
    return np.clip((value - start) / width, 0, 1)


def _repeats(change: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much each frame changes beside its neighbours, and in [0, 1] how much that says."""
    if not change.size:
        return change, change
    most = cv2.dilate(change.reshape(-1, 1), np.ones((_NEIGHBOURS, 1))).ravel()
    return change / (most + 1e-6), np.clip((most - _MOVING) / _MOVING, 0, 1)


def _priors(flagged: Sequence[bool], states: Sequence[State]) -> Costs:
    flags = np.array(flagged, bool)[:, None]
    told = {
        "progressive": np.where(flags, _FLAGGED_PROGRESSIVE, 0.0),
        "interlaced": np.where(flags, 0.0, _UNFLAGGED_INTERLACED),
        "film": np.full(flags.shape, _FILM),
    }
    columns = [told[state.kind] for state in states]
    for number, state in enumerate(states):
        if state.cycle and all(length % 2 == 0 for length in state.cycle) and not state.offset % 2:
            columns[number] = columns[number] + _REPEATS - _FILM
    return np.concatenate(columns, axis=1)

"""Every field becomes a whole picture: the missing rows from the fields around it, along motion.

Fields are first filled from themselves; the flow between them is found; then the missing rows are
mixed from several candidates, by a fitted rule that sees how well each agrees with what is known.
That is done twice: the second time the neighbours are the pictures of the first, so that detail
which no neighbouring field holds comes from fields further away. The field's own rows stay as they
are. Nothing is taken across a cut.

For pictures that are shown at half their rows or fewer, a field alone has detail enough where
something moves: there it is done once and without flow, which takes a fifth of the work.

A picture depends on three fields to either side, so part of a film comes out as in the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.frame import Planes
from vidgen.motion import FlowEstimator, half_luma
from vidgen.motion.warp import pixel_grid, sample, sample_sharp
from vidgen.restore.fields import Rows, candidates, plain_rows, spatial, woven
from vidgen.restore.fusion import Rule, describe, rules

__all__ = [
    "Field",
    "Window",
    "deinterlaced",
    "filled",
    "improved",
    "linked",
    "luma_choice",
    "no_flow",
    "windows",
]

Flow = NDArray[Any]
"""(H/2, W/2, 2) float32, (x, y) in pixels of the picture."""


STILL: Flow = np.zeros((1, 1, 2), np.float32)
"""Stands for flow that is nothing everywhere."""

Search = Callable[[NDArray[Any], NDArray[Any]], Flow]
"""Two pictures of luma at half their size, (H/2, W/2) uint8, to the flow from the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field, in the order of time, and what becomes of it."""

    rows: Planes
    """y (H/2, W), uv (H/4, W/2, 2)."""
    parity: int
    """0 top, 1 bottom."""
    fresh: bool = False
    """True where nothing before it may be used: a new shot, or a gap."""
    wanted: bool = True
    """False where it only helps others: no picture comes out."""
    picture: Planes | None = None
    """The best that is known of it."""
    back: Flow | None = None
    """To the field before; None at the beginning of a shot."""
    forth: Flow | None = None
    """To the next field; None at the end of a shot."""


Window = tuple[Field | None, ...]
"""A field in the middle, and those around it in the same shot."""


def deinterlaced(fields: Iterable[Field], shrinks: bool = False) -> Iterator[Planes]:
    """The picture of each wanted field, in order; four fields of look-ahead.

    `shrinks`: the pictures will be shown at half their rows or fewer.
    """
    still, first, second = rules()
    if shrinks:
        better = improved(linked(map(filled, fields), no_flow), still, everything=False)
    else:
        once = improved(linked(map(filled, fields)), first, everything=True)
        better = improved(once, second, everything=False)
    for field in better:
        if field.wanted and field.picture is not None:
            yield field.picture


def filled(field: Field) -> Field:
    """The field with its missing rows interpolated from it alone."""
    y, uv = (
        woven(plain_rows(rows), spatial(plain_rows(rows), field.parity), field.parity, rows.dtype)
        for rows in field.rows
    )
    return replace(field, picture=(y, uv.reshape(-1, *field.rows[1].shape[1:])))


def linked(fields: Iterable[Field], search: Search | None = None) -> Iterator[Field]:
    """The fields with the flow to their neighbours, as `search` finds it; by default DIS does."""
    search, before = search or FlowEstimator(fine=True).flow, None
    luma_before: NDArray[Any] | None = None
    for field in fields:
        luma = half_luma(_picture(field)[0])
        if before is not None and luma_before is not None:
            if field.fresh:
                yield before
            else:
                yield replace(before, forth=search(luma_before, luma))
                field = replace(field, back=search(luma, luma_before))
        before, luma_before = field, luma
    if before is not None:
        yield before


def no_flow(source: NDArray[Any], target: NDArray[Any]) -> Flow:
    """A search that takes everything to stand still."""
    return STILL


def improved(fields: Iterable[Field], rule: Rule, everything: bool) -> Iterator[Field]:
    """The fields with better pictures; only the wanted ones unless `everything`."""
    for window in windows(fields):
        field = _present(window[2])
        yield _fused(window, rule) if everything or field.wanted else field


def windows(fields: Iterable[Field]) -> Iterator[Window]:
    """Each field with two to either side; None where there is none in its shot."""
    shot: list[Field | None] = [None, None]
    for field in fields:
        if field.fresh:
            yield from _drained(shot)
            shot = [None, None]
        shot.append(field)
        if len(shot) == 5:
            yield tuple(shot)
            del shot[0]
    yield from _drained(shot)


def _drained(shot: list[Field | None]) -> Iterator[Window]:
    """The windows of a shot's last fields."""
    ahead = [*shot, None, None]
    for start in range(len(shot) - 2):
        yield tuple(ahead[start : start + 5])


def _fused(window: Window, rule: Rule) -> Field:
    """The field in the middle with its missing rows mixed from all that speaks for them."""
    field, sides = _present(window[2]), _sides(window)
    if not sides:
        return field
    choice = luma_choice(window)
    weights = rule.weights(choice.features)
    rows = field.rows[0]
    y = woven(rows, _mixed(choice.tried, weights), field.parity, rows.dtype)
    return replace(field, picture=(y, _chroma(field, sides, weights)))


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Candidates for rows, and what describes each place, at half the columns."""

    tried: list[Rows]
    features: list[Rows]


def luma_choice(window: Window) -> Choice:
    """For the missing rows of luma of a window's middle.

    There must be a field before or after the middle one.
    """
    earlier, _, middle, _, later = window
    field, sides = _present(middle), _sides(window)
    rows, parity = field.rows[0], field.parity
    ends = (earlier or later or field, *(side for side, _ in sides), later or earlier or field)
    around = tuple(each.rows[0] for each in ends)
    moved = [_luma_along(_picture(side)[0], flow) for side, flow in sides]
    tried = candidates(rows, parity, around[1], around[2], _rows(moved, 1 - parity))
    return Choice(tried, describe(rows, parity, around, moved, tried))


def _sides(window: Window) -> list[tuple[Field, Flow]]:
    """The fields before and after with the flow to them; at the ends of a shot one stands in for
    the other, which has the same parity."""
    _, before, middle, after, _ = window
    field = _present(middle)
    sides = [
        (side, flow)
        for side, flow in ((before, field.back), (after, field.forth))
        if side is not None and flow is not None
    ]
    return [sides[0], sides[-1]] if sides else []


def _present(field: Field | None) -> Field:
    if field is None:
        raise ValueError("a window without a field in its middle")
    return field


def _chroma(field: Field, sides: list[tuple[Field, Flow]], weights: list[Rows]) -> NDArray[Any]:
    """Chroma, with the weights of luma at the same places."""
    rows, parity = plain_rows(field.rows[1]), field.parity
    moved = [plain_rows(_chroma_along(_picture(side)[1], flow)) for side, flow in sides]
    before, after = (plain_rows(side.rows[1]) for side, _ in sides)
    tried = candidates(rows, parity, before, after, _rows(moved, 1 - parity))
    missing = _mixed(tried, weights, channels=2)
    return woven(rows, missing, parity, rows.dtype).reshape(-1, *field.rows[1].shape[1:])


def _picture(field: Field) -> Planes:
    if field.picture is None:
        raise ValueError("a field without a picture: fill it from itself first")
    return field.picture


def _along(flow: Flow) -> Flow:
    return pixel_grid(*flow.shape[:2]) + flow


def _chroma_along(uv: NDArray[Any], flow: Flow) -> NDArray[Any]:
    return uv if flow is STILL else sample(uv, _along(np.multiply(flow, np.float32(0.5))))


def _luma_along(y: NDArray[Any], flow: Flow) -> NDArray[Any]:
    if flow is STILL:
        return y
    size = (y.shape[1], y.shape[0])
    return sample_sharp(y, _along(cv2.resize(flow, size, interpolation=cv2.INTER_LINEAR)))


def _rows(pictures: list[NDArray[Any]], parity: int) -> list[Rows]:
    return [picture[parity::2] for picture in pictures]


def _mixed(tried: list[Rows], weights: list[Rows], channels: int = 1) -> Rows:
    """The candidates times their weights, which are brought to their size."""
    height, width = tried[0].shape
    total = np.zeros((height, width), np.float32)
    for each, weight in zip(tried, weights, strict=True):
        share = weight
        if (height, width // channels) != weight.shape:
            smaller = height < weight.shape[0]
            how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            share = cv2.resize(weight, (width // channels, height), interpolation=how)
        if channels > 1:
            share = np.repeat(share, channels, axis=1)
        cv2.accumulateProduct(each.astype(np.float32), share, total)
    return total

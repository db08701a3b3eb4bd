"""Two films against each other: frames paired by the time at which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from vidgen.bench.meter import METRICS, Extras, Measures, Meter, means
from vidgen.bench.picture import beside, crop, most_different, to_bgr
from vidgen.errors import InputError, UsageError
from vidgen.frame import Frame, Planes, VideoFormat
from vidgen.media import Decoder
from vidgen.stages.fit import resample

__all__ = ["Comparison", "Pair", "Score", "compare", "pair", "sheet", "side_by_side"]

_CROP = 480, 270  # pixels of the film in one picture of the sheet
_WORST = 6  # pairs kept
_APART = Fraction(1)  # seconds between two of them
_SAME = Fraction(1, 8)  # of a frame: how far apart two instants are that count as one


@dataclass(frozen=True, slots=True)
class Score:
    """One frame of the output against the reference frame on show at its time."""

    time: Fraction
    """Seconds from the first frame of the output."""
    measures: Measures
    """Its figures, by the keys of `meter.METRICS`."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Planes of both films at one size and depth, and how far they are apart."""

    reference: Planes
    output: Planes
    score: Score


@dataclass(slots=True)
class Comparison:
    """Scores of all frames, and the pairs worth looking at."""

    reference: VideoFormat
    output: VideoFormat
    bit_depth: int
    """Depth of the planes that were compared: the larger of the two films'."""
    every: int
    """LPIPS, tOF and warp error were taken at one of so many frames."""
    scores: list[Score] = field(default_factory=list)
    unmatched: int = 0
    """Frames of the output that are shown after the reference has ended."""
    between: int = 0
    """Frames of an output of higher rate at instants of which the reference has no picture."""
    worst: list[Pair] = field(default_factory=list)
    """Pairs of lowest PSNR-Y, worst first, one at most of any `_APART` seconds."""
    middle: Pair | None = None
    """The last pair in the first half of the output."""

    @property
    def means(self) -> Measures:
        """Mean of each figure over the frames that have it."""
        return means([score.measures for score in self.scores])

    def worst_of(self, key: str) -> Score:
        """The frame whose figure `key` is the worst; some frame has it."""
        having = [score for score in self.scores if key in score.measures]
        sign = 1 if METRICS[key].higher_is_better else -1
        return min(having, key=lambda score: sign * score.measures[key])


def compare(
    reference: str | PathLike[str],
    output: str | PathLike[str],
    *,
    resize: bool = False,
    moments: int = 60,
    extras: Extras = Extras(),  # noqa: B008 - frozen
    progress: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Decode both films and score each frame of `output`. Raises InputError or UsageError.

    With `resize`, the reference is resampled to the output's size on its planes (Lanczos where it
    grows, area averages where it shrinks); without it, different sizes are an error. An 8-bit film
    against a 10-bit one is compared at 10 bits, its values times four. `moments` says at about how
    many places, evenly spread, LPIPS, tOF and warp error are taken; 0 is everywhere.

    An output of higher rate than the reference is scored where both have a picture of one instant:
    what was made between has nothing to be held against, and moving things would look like faults.
    """
    with Decoder(reference) as ours, Decoder(output) as theirs:
        half = (theirs.info.duration or Fraction(0)) / 2
        if not resize:
            _require_same_size(reference, ours.format, output, theirs.format)
        depth = max(ours.format.bit_depth, theirs.format.bit_depth)
        share = _share(ours.format, theirs.format)
        result = Comparison(
            ours.format, theirs.format, depth, _every(theirs.info.frames, share, moments)
        )
        held: tuple[Frame, Planes] | None = None
        begin: Fraction | None = None
        with Meter(
            ["out"], depth, every=result.every, extras=extras, color=ours.format.color
        ) as meter:
            for time, shown, frame in pair(ours, theirs):
                if shown is None:
                    result.unmatched += 1
                    continue
                begin = shown.time if begin is None else begin
                if share < 1 and time - (shown.time - begin) > _SAME * (frame.end - frame.time):
                    result.between += 1
                    continue
                if held is None or held[0] is not shown:
                    held = shown, _fitted(shown.planes, ours.format.bit_depth, theirs.format, depth)
                planes = _deepened(frame.planes, theirs.format.bit_depth, depth)
                score = Score(time, meter.add(held[1], {"out": planes})["out"])
                _add(result, Pair(held[1], planes, score), half)
                progress(len(result.scores))
            meter.results()  # adds VMAF to the scores
    if not result.scores:
        raise InputError(f"{output}: holds no picture to compare with {reference}")
    return result


def _share(reference: VideoFormat, output: VideoFormat) -> Fraction:
    """Which part of the output's frames the reference has at most; 1 where rates are unknown."""
    if not reference.fps or not output.fps:
        return Fraction(1)
    return min(reference.fps / output.fps, Fraction(1))


def _every(frames: int | None, share: Fraction, moments: int) -> int:
    """One of how many frames makes about `moments` of that share of them."""
    return max(int((frames or 0) * share) // moments, 1) if moments else 1


def pair(
    reference: Iterable[Frame], output: Iterable[Frame]
) -> Iterator[tuple[Fraction, Frame | None, Frame]]:
    """Each frame of `output`: its time, the reference frame on show then or None, itself.

    Times are seconds from each film's first frame. Two stamps closer than both containers' clocks
    can tell apart count as equal: Matroska rounds to a millisecond, MP4 does not.
    """
    ours = iter(reference)
    shown, later = next(ours, None), next(ours, None)
    begin = shown.time if shown else Fraction(0)
    first: Fraction | None = None
    for frame in output:
        first = frame.time if first is None else first
        time = frame.time - first
        slack = _slack(frame, shown) if shown else Fraction(0)
        while later is not None and later.time - begin <= time + slack:
            shown, later = later, next(ours, None)
        over = shown is None or (later is None and time + slack >= shown.end - begin)
        yield time, None if over else shown, frame


def _slack(output: Frame, reference: Frame) -> Fraction:
    """Seconds by which rounding may have moved two stamps apart, far below a frame's duration.

    A clock whose tick is a whole frame (AVI) is exact, and must not hide a frame.
    """
    rounding = (output.time_base + reference.time_base) / 2
    return min(rounding, (output.end - output.time) / 8, (reference.end - reference.time) / 8)


def sheet(result: Comparison) -> NDArray[np.uint8]:
    """Worst and middle pair beside each other, (H, W, 3) uint8 BGR; see `side_by_side`."""
    rows = []
    for name, chosen in (("worst", result.worst[0]), ("middle", result.middle)):
        if chosen is None:
            continue
        measures = chosen.score.measures
        what = (
            f"{name}: {float(chosen.score.time):.3f} s, {measures['psnr_y']:.2f} dB, "
            f"SSIM {measures['ssim_y']:.4f}"
        )
        left, right = side_by_side(result, chosen, _CROP)
        rows.append([(f"REF   {what}", left), ("OUT", right)])
    return beside(rows)


def side_by_side(
    result: Comparison, chosen: Pair, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Reference and output, (H, W, 3) uint8 BGR, cropped to `size` (width, height).

    The crop lies about the place where the two films differ most.
    """
    place = most_different(chosen.reference[0], chosen.output[0])
    ours = to_bgr(chosen.reference, result.reference.color, result.bit_depth)
    theirs = to_bgr(chosen.output, result.output.color, result.bit_depth)
    return crop(ours, place, size), crop(theirs, place, size)


def _add(result: Comparison, made: Pair, half: Fraction) -> None:
    result.scores.append(made.score)
    if result.middle is None or made.score.time <= half:
        result.middle = made
    near = [p for p in result.worst if abs(p.score.time - made.score.time) < _APART]
    if any(_decibels(p) <= _decibels(made) for p in near):
        return
    kept = [p for p in result.worst if all(p is not other for other in near)]
    result.worst = sorted([*kept, made], key=_decibels)[:_WORST]


def _decibels(pair: Pair) -> float:
    return pair.score.measures["psnr_y"]


def _fitted(planes: Planes, depth: int, video: VideoFormat, wanted: int) -> Planes:
    """Planes of the reference at the output's size and the compared depth."""
    return _deepened(resample(planes, video.width, video.height, depth), depth, wanted)


def _deepened(planes: Planes, depth: int, wanted: int) -> Planes:
    """The same values in a deeper format: 8-bit 255 is 10-bit 1020, as video shifts them."""
    if depth == wanted:
        return planes
    y, uv = (plane.astype(np.uint16) << (wanted - depth) for plane in planes)
    return y, uv


def _require_same_size(
    reference: str | PathLike[str],
    ours: VideoFormat,
    output: str | PathLike[str],
    theirs: VideoFormat,
) -> None:
    if (ours.width, ours.height) != (theirs.width, theirs.height):
        size, other = (f"{video.width}x{video.height}" for video in (ours, theirs))
        raise UsageError(
            f"{reference} is {size} and {output} {other}; make them alike with "
            f"`vidgen upscale {output} OUT --size {size}`, or resample REF with --resize"
        )

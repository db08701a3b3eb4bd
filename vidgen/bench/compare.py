"""Two films against each other: frames paired by the time at which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidgen.bench.metrics import psnr, ssim
from vidgen.bench.picture import beside, crop, most_different, to_bgr
from vidgen.errors import InputError, UsageError
from vidgen.frame import Frame, Planes, VideoFormat
from vidgen.media import Decoder, probe
from vidgen.stages.fit import resample

__all__ = ["Comparison", "Pair", "Score", "compare", "pair", "sheet"]

_CROP = 480, 270  # pixels of the film in one picture of the sheet


@dataclass(frozen=True, slots=True)
class Score:
    """One frame of the output against the reference frame on show at its time."""

    time: Fraction
    """Seconds from the first frame of the output."""
    psnr_y: float
    """Decibels, at most `metrics.PSNR_LIMIT`."""
    ssim_y: float


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Planes of both films at one size and depth, and how far they are apart."""

    reference: Planes
    output: Planes
    score: Score


@dataclass(slots=True)
class Comparison:
    """Scores of all frames, and two pairs worth looking at."""

    reference: VideoFormat
    output: VideoFormat
    bit_depth: int
    """Depth of the planes that were compared: the larger of the two films'."""
    scores: list[Score] = field(default_factory=list)
    unmatched: int = 0
    """Frames of the output that are shown after the reference has ended."""
    worst: Pair | None = None
    """The pair of lowest PSNR-Y."""
    middle: Pair | None = None
    """The last pair in the first half of the output."""

    @property
    def psnr_y(self) -> float:
        """Mean of the frames' PSNR-Y in decibels."""
        return float(np.mean([score.psnr_y for score in self.scores]))

    @property
    def ssim_y(self) -> float:
        """Mean of the frames' SSIM-Y."""
        return float(np.mean([score.ssim_y for score in self.scores]))


def compare(
    reference: Path,
    output: Path,
    *,
    resize: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Decode both films and score each frame of `output`. Raises InputError or UsageError.

    With `resize`, the reference is resampled to the output's size on its planes (Lanczos where it
    grows, area averages where it shrinks); without it, different sizes are an error. An 8-bit film
    against a 10-bit one is compared at 10 bits, its values times four.
    """
    half = (probe(output).duration or Fraction(0)) / 2
    with Decoder(reference) as ours, Decoder(output) as theirs:
        if not resize:
            _require_same_size(reference, ours.format, output, theirs.format)
        depth = max(ours.format.bit_depth, theirs.format.bit_depth)
        result = Comparison(ours.format, theirs.format, depth)
        held: tuple[Frame, Planes] | None = None
        for time, shown, frame in pair(ours, theirs):
            if shown is None:
                result.unmatched += 1
                continue
            if held is None or held[0] is not shown:
                held = shown, _fitted(shown.planes, ours.format.bit_depth, theirs.format, depth)
            planes = _deepened(frame.planes, theirs.format.bit_depth, depth)
            _add(result, _scored(time, held[1], planes, depth), half)
            progress(len(result.scores))
    if not result.scores:
        raise InputError(f"{output}: holds no picture to compare with {reference}")
    return result


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
    """Worst and middle pair beside each other, (H, W, 3) uint8 BGR.

    Each is cropped about the place where the two films differ most.
    """
    rows = []
    for name, chosen in (("worst", result.worst), ("middle", result.middle)):
        if chosen is None:
            continue
        place = most_different(chosen.reference[0], chosen.output[0])
        score = chosen.score
        what = f"{name}: {float(score.time):.3f} s, {score.psnr_y:.2f} dB, SSIM {score.ssim_y:.4f}"
        pictures = (
            to_bgr(planes, video.color, result.bit_depth)
            for planes, video in (
                (chosen.reference, result.reference),
                (chosen.output, result.output),
            )
        )
        left, right = (crop(picture, place, _CROP) for picture in pictures)
        rows.append([(f"REF   {what}", left), ("OUT", right)])
    return beside(rows)


def _add(result: Comparison, made: Pair, half: Fraction) -> None:
    result.scores.append(made.score)
    if result.worst is None or made.score.psnr_y < result.worst.score.psnr_y:
        result.worst = made
    if result.middle is None or made.score.time <= half:
        result.middle = made


def _scored(time: Fraction, reference: Planes, output: Planes, depth: int) -> Pair:
    luma = reference[0], output[0]
    return Pair(reference, output, Score(time, psnr(*luma, depth), ssim(*luma, depth)))


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
    reference: Path, ours: VideoFormat, output: Path, theirs: VideoFormat
) -> None:
    if (ours.width, ours.height) != (theirs.width, theirs.height):
        size, other = (f"{video.width}x{video.height}" for video in (ours, theirs))
        raise UsageError(
            f"{reference} is {size} and {output} {other}; make them alike with "
            f"`vidgen upscale {output} OUT --size {size}`, or resample REF with --resize"
        )

"""Which streams of one film another still has, and how far they moved against its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path

from vidgen.media import Chapter, probe
from vidgen.media.spans import Span, spans

__all__ = ["Lane", "StreamReport", "compare_streams"]


@dataclass(frozen=True, slots=True)
class Lane:
    """One stream and its like in the other film; either is None where it has none."""

    reference: Span | None
    output: Span | None
    start_shift: Fraction | None = None
    """Seconds by which it begins later against the picture than in the reference."""
    end_shift: Fraction | None = None
    """The same for its end."""

    @property
    def fate(self) -> str:
        """`kept`, `recoded`, `lost` or `added`; `empty` where a lost one had no packet."""
        if self.reference is None:
            return "added"
        if self.output is None:
            nothing = self.reference.type == "data" and not self.reference.packets
            return "empty" if nothing else "lost"
        return "kept" if self.reference.codec == self.output.codec else "recoded"


@dataclass(frozen=True, slots=True)
class StreamReport:
    """All streams of both films, and their chapters."""

    lanes: tuple[Lane, ...]
    """Those of the reference in its order, then those that only the output has."""
    chapters: tuple[int, int]
    """How many the reference has, and the output."""
    chapter_shift: Fraction | None = None
    """The largest by which one begins later against the picture than in the reference, signed; None
    where they are not as many."""

    @property
    def audio_shift(self) -> Fraction | None:
        """The largest shift of a sound stream against the picture, at its start or end, signed.

        At the end of an output that ends sooner than the reference, against the picture's end.
        """
        pictures = [
            lane for lane in self.lanes if lane.reference and lane.reference.type == "video"
        ]
        ended = next(
            (lane.end_shift for lane in pictures if lane.end_shift is not None), Fraction(0)
        )
        sounds = [lane for lane in self.lanes if lane.reference and lane.reference.type == "audio"]
        shifts = [lane.start_shift for lane in sounds if lane.start_shift is not None]
        shifts += [lane.end_shift - ended for lane in sounds if lane.end_shift is not None]
        return max(shifts, key=abs, default=None)


def compare_streams(reference: str | PathLike[str], output: str | PathLike[str]) -> StreamReport:
    """Read the packets of both films. Raises InputError.

    A stream's like is one of its type and language, that of its title and codec first. Shifts are
    measured from the first video stream of each film, so that a film cut out of another compares.
    """
    ours, theirs = spans(Path(reference)), spans(Path(output))
    left = list(theirs)
    pairs: list[tuple[Span | None, Span | None]] = [(span, _like(span, left)) for span in ours]
    pairs += [(None, span) for span in left]
    zeros = _video(ours), _video(theirs)
    lanes = tuple(_lane(span, like, *zeros) for span, like in pairs)
    before, after = probe(reference).chapters, probe(output).chapters
    shift = _chapter_shift(before, after, zeros)
    return StreamReport(lanes, (len(before), len(after)), shift)


def _chapter_shift(
    ours: Sequence[Chapter], theirs: Sequence[Chapter], zeros: tuple[Span | None, Span | None]
) -> Fraction | None:
    if len(ours) != len(theirs) or zeros[0] is None or zeros[1] is None:
        return None
    starts = zeros[0].start, zeros[1].start
    shifts = [
        _shift(one.start, starts[0], other.start, starts[1])
        for one, other in zip(ours, theirs, strict=True)
    ]
    return max((shift for shift in shifts if shift is not None), key=abs, default=None)


def _like(span: Span, left: list[Span]) -> Span | None:
    """Take the best match of `span` out of `left`; None where nothing is of its type."""
    same = [
        other
        for other in left
        if other.type == span.type
        and (other.language == span.language or not (other.language and span.language))
    ]
    if not same:
        return None

    def agreement(other: Span) -> tuple[bool, ...]:
        return tuple(
            getattr(other, name) == getattr(span, name) for name in ("language", "title", "codec")
        )

    best = max(same, key=agreement)
    left.remove(best)
    return best


def _video(found: list[Span]) -> Span | None:
    return next((span for span in found if span.type == "video" and span.start is not None), None)


def _lane(
    span: Span | None, like: Span | None, our_video: Span | None, their_video: Span | None
) -> Lane:
    if span is None or like is None or our_video is None or their_video is None:
        return Lane(span, like)
    starts = span.start, our_video.start, like.start, their_video.start
    ends = span.end, our_video.start, like.end, their_video.start
    return Lane(span, like, _shift(*starts), _shift(*ends))


def _shift(*times: Fraction | None) -> Fraction | None:
    """(theirs - their zero) - (ours - our zero), of (ours, our zero, theirs, their zero)."""
    ours, our_zero, theirs, their_zero = times
    if ours is None or our_zero is None or theirs is None or their_zero is None:
        return None
    return (theirs - their_zero) - (ours - our_zero)

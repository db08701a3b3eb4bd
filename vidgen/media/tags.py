"""Tags and chapters that go along, and those that would be wrong of the new file."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from av.container import InputContainer
from av.stream import Stream

if TYPE_CHECKING:  # known to PyAV's stubs only
    from av.container.core import Chapter

__all__ = ["chapters", "global_tags", "stream_tags"]

_OF_THE_FILE = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}
_OF_THE_STREAM = {
    "encoder", "duration", "bps", "number_of_frames", "number_of_bytes", "vendor_id", "rotate",
}  # fmt: skip
_STATISTICS = "_statistics_"
_CHAPTER_CLOCK = Fraction(1, 1_000_000_000)


def global_tags(container: InputContainer) -> dict[str, str]:
    """The tags of the film, without those that describe the file that held it."""
    return {
        key: value for key, value in container.metadata.items() if key.lower() not in _OF_THE_FILE
    }


def stream_tags(stream: Stream, *, timecode: bool) -> dict[str, str]:
    """The tags of a stream without its statistics and encoder; `timecode` if it still holds."""
    kept = {}
    for key, value in stream.metadata.items():
        name = key.lower().split("-")[0]  # Matroska: BPS-eng
        stale = name in _OF_THE_STREAM or name.startswith(_STATISTICS)
        if not stale and (timecode or name != "timecode") and (name, value) != ("language", "und"):
            kept[key] = value
    return kept


def chapters(container: InputContainer, offset: Fraction, length: Fraction | None) -> list[Chapter]:
    """Chapters counted from `offset` seconds, cut to [0, length)."""
    kept: list[Chapter] = []
    for entry in container.chapters():
        clock = entry["time_base"] or _CHAPTER_CLOCK
        start, end = entry["start"] * clock - offset, entry["end"] * clock - offset
        if length is not None:
            end = min(end, length)
        start = max(start, Fraction(0))
        if start >= end:
            continue
        kept.append(
            {
                "id": entry["id"],
                "start": round(start / _CHAPTER_CLOCK),
                "end": round(end / _CHAPTER_CLOCK),
                "time_base": _CHAPTER_CLOCK,
                "metadata": entry["metadata"],
            }
        )
    return kept

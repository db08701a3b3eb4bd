"""Which streams come along: FFmpeg's words for `-map`, as far as one input goes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from av.container import InputContainer
from av.stream import Stream

from vidgen.errors import UsageError

__all__ = ["require_map", "wanted_streams"]

_WORD = re.compile(r"(-?)0(?::([vasdt]))?(?::(\d+))?(?::m:([^:]+)(?::([^?]*))?)?(\??)")
_TYPES = {"v": "video", "a": "audio", "s": "subtitle", "d": "data", "t": "attachment"}


class _Map(NamedTuple):
    """One word, taken apart."""

    word: str
    removes: bool
    type: str
    """Of the streams that are meant; empty: any."""
    number: int | None
    """Which of those, from 0."""
    tag: str
    value: str
    """What the tag must be; empty: anything."""
    may_miss: bool


def require_map(words: Sequence[str]) -> None:
    """Raise UsageError for a word that is none."""
    for word in words:
        _parsed(word)


def _parsed(word: str) -> _Map:
    match = _WORD.fullmatch(word)
    if match is None:
        raise UsageError(
            f"--map {word}: not understood; give 0, 0:a, 0:a:1, 0:3, 0:s:m:language:eng, or one of "
            f"these after - to leave it out; v, a, s, d, t are video, audio, subtitles, data, fonts"
        )
    removes, kind, number, tag, value, may_miss = match.groups()
    return _Map(
        word, bool(removes), _TYPES.get(kind or "", ""), int(number) if number else None,
        (tag or "").lower(), (value or "").lower(), bool(may_miss),
    )  # fmt: skip


def wanted_streams(container: InputContainer, words: Sequence[str]) -> set[int]:
    """Indices of the streams that `words` add and remove, one after the other; none: all.

    Where the first one removes, it does so from all. Raises UsageError where a word meets nothing.
    """
    maps = [_parsed(word) for word in words]
    every = {stream.index for stream in container.streams}
    wanted = every if not maps or maps[0].removes else set()
    for each in maps:
        met = _met(container, each)
        if not met and not each.may_miss:
            there = ", ".join(f"{s.index} {s.type}" for s in container.streams)
            raise UsageError(f"--map {each.word}: no such stream; there are {there}")
        wanted = wanted - met if each.removes else wanted | met
    return wanted


def _met(container: InputContainer, each: _Map) -> set[int]:
    met = [stream for stream in container.streams if each.type in ("", stream.type)]
    if each.tag:
        met = [stream for stream in met if _has(stream, each.tag, each.value)]
    if each.number is not None:
        met = met[each.number : each.number + 1]
    return {stream.index for stream in met}


def _has(stream: Stream, tag: str, value: str) -> bool:
    tags = {key.lower(): text.lower() for key, text in stream.metadata.items()}
    return tag in tags and value in ("", tags[tag])

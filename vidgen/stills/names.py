"""Which pictures are read, and what is written for each: one, or all that have a number."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import overload

from vidgen.errors import InputError, OutputError, UsageError
from vidgen.target import require_apart

__all__ = ["Names", "is_numbered"]

_NUMBER = re.compile(r"%0?(\d*)d")


def is_numbered(source: Path) -> bool:
    """Whether the name is that of a sequence: has a place for a number, such as `%05d`."""
    return bool(_NUMBER.search(source.name))


class Names(Sequence[tuple[Path, Path]]):
    """Pictures by number, and the one to be made of each. Of a hundred thousand, names alone.

    Raises InputError where there is none, where one is missing, or where two have the same number;
    UsageError where `target` has no place for the number.
    """

    def __init__(self, source: Path, target: Path) -> None:
        self._folders = source.parent, target.parent
        if is_numbered(source):
            self._names = _numbered(source, target)
        elif source.is_file():
            self._names = [(source.name, target.name)]
        else:
            raise InputError(f"{source}: no such file")

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> tuple[Path, Path]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Path, Path]]: ...
    def __getitem__(self, index: int | slice) -> tuple[Path, Path] | list[tuple[Path, Path]]:
        """Source and target."""
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        (sources, targets), (source, target) = self._folders, self._names[index]
        return sources / source, targets / target

    def taken(self) -> Iterator[tuple[Path, Path]]:
        """Those whose target's name is there already."""
        there = set(os.listdir(self._folders[1]))
        return (self[index] for index, (_, name) in enumerate(self._names) if name in there)

    def require_apart(self) -> None:
        """Raise OutputError where a picture would be written over one that is read."""
        for source, target in self.taken():
            require_apart(target, source)
        sources, targets = self._folders
        read = {name for name, _ in self._names} if sources.samefile(targets) else set()
        for _, name in self._names:
            if name in read:
                raise OutputError(f"{targets / name} is an input, too; give another output")


def _numbered(source: Path, target: Path) -> list[tuple[str, str]]:
    if not is_numbered(target):
        raise UsageError(f"{target}: give the number a place too, such as {source.name}")
    pattern = re.compile("".join(_patterns(source.name)))
    found = sorted(
        (int(match[1]), match[0])
        for name in (os.listdir(source.parent) if source.parent.is_dir() else ())
        if (match := pattern.fullmatch(name))
    )
    if not found:
        raise InputError(f"{source}: no picture has such a name")
    _require_unbroken(source, found)
    return [(name, _with_number(target.name, number)) for number, name in found]


def _patterns(name: str) -> tuple[str, str, str]:
    """Of the name, its number in the middle: `%05d` is five digits, or more where it is large."""
    before, digits, after = _NUMBER.split(name, maxsplit=1)
    number = rf"(\d{{{digits}}}|[1-9]\d{{{digits},}})" if digits else r"(\d+)"
    return re.escape(before), number, re.escape(after)


def _with_number(name: str, number: int) -> str:
    return _NUMBER.sub(lambda match: match[0] % number, name, count=1)


def _require_unbroken(source: Path, found: Sequence[tuple[int, str]]) -> None:
    """Numbers may have any step, but the same everywhere: pictures see the ones before them."""
    step = min((after - number for (number, _), (after, _) in pairwise(found)), default=1)
    for (number, name), (after, following) in pairwise(found):
        if after == number:
            raise InputError(f"{name} and {following} have the same number; rename one of them")
        if after - number != step:
            missing = source.with_name(_with_number(source.name, number + step))
            raise InputError(
                f"{missing} is missing between {name} and {following}; put it there, or a copy of "
                "its neighbour, and give the same command again"
            )

"""Fields of settings that take more than they keep: a string for a path, a number for a fraction.

So that type checkers know both: what `__init__` takes, and what the attribute is.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

from vidgen.timing import parse_time

__all__ = ["AnyPath", "AnyTime", "Given", "name_of", "path_or_none", "time_of", "time_or_none"]

T = TypeVar("T")
K = TypeVar("K")

AnyPath: TypeAlias = str | PathLike[str]
AnyTime: TypeAlias = str | float | Fraction
"""Seconds, or words as on the command line."""


class Given(Generic[T, K]):
    """A field of a dataclass: `__init__` takes a T, of which `keep` makes the K that is kept.

    Without a default it has to be given. (Type checkers take what is assigned for a default.)
    """

    def __init__(self, keep: Callable[[T], K], *default: K) -> None:
        self._keep, self._default = keep, default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> K:
        if instance is None and not self._default:
            raise AttributeError(self._name)  # that is how `dataclass` asks for a default
        kept: K = self._default[0] if instance is None else instance.__dict__[self._name]
        return kept

    def __set__(self, instance: Any, value: T) -> None:
        instance.__dict__[self._name] = self._keep(value)


def name_of(given: AnyPath) -> str:
    """For a `Given` name of a file, or URL."""
    return fspath(given)


def path_or_none(given: AnyPath | None) -> Path | None:
    """For a `Given` path that may be missing."""
    return None if given is None else Path(given)


def time_of(option: str) -> Callable[[AnyTime], Fraction]:
    """For a `Given` time: seconds. It raises UsageError, which names `option`."""
    return lambda given: parse_time(given, option) if isinstance(given, str) else Fraction(given)


def time_or_none(option: str) -> Callable[[AnyTime | None], Fraction | None]:
    """For one that may be missing."""
    return lambda given: None if given is None else time_of(option)(given)

"""Several films in one go, and a few seconds of one: settings for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from vidgen.errors import InputError, OutputError, UsageError
from vidgen.job import Settings
from vidgen.media import holding_suffixes, probe
from vidgen.target import is_picture

__all__ = ["films_to_make", "middle"]

_FILMS = {
    ".3gp", ".asf", ".avi", ".divx", ".flv", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4",
    ".mpeg", ".mpg", ".mts", ".mxf", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".ts", ".vob", ".webm",
    ".wmv", ".y4m",
}  # fmt: skip


def films_to_make(sources: Sequence[Path], target: Path, settings: Settings) -> list[Settings]:
    """Settings for each film. One film goes to `target`; several, or a folder of them, into it.

    A film in a folder keeps its name, and its suffix where that container holds the codec; it is
    Matroska else. Pictures keep theirs.
    Raises UsageError, InputError or OutputError for what cannot be meant.
    """
    if len(sources) == 1 and not sources[0].is_dir():
        return [replace(settings, source=sources[0], target=target)]
    films = [film for source in sources for film in _films_in(source)]
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; for several films give a folder as OUT")
    if not target.exists() and target.suffix:
        raise UsageError(f"there is no folder {target}; for several films give a folder as OUT")
    suffixes = holding_suffixes(settings.codec)
    named: dict[Path, Path] = {}
    for film in films:
        kept = is_picture(film) or film.suffix.lower() in suffixes
        suffix = film.suffix.lower() if kept else ".mkv"
        made = target / f"{film.stem}{suffix}"
        if made in named:
            raise OutputError(f"{named[made]} and {film} would both become {made}; rename one")
        named[made] = film
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{target}: cannot be made ({error.strerror})") from error
    return [replace(settings, source=film, target=made) for made, film in named.items()]


def _films_in(source: Path) -> list[Path]:
    """`source` itself, or the films in that folder, by name; not those in folders inside it."""
    if not source.is_dir():
        return [source]
    inside = sorted(path for path in source.iterdir() if path.is_file())
    films = [
        path
        for path in inside
        if path.suffix.lower() in _FILMS and not path.stem.endswith(".partial")
    ]
    if not films:
        named = next(
            (f"; give pictures by name: {each}" for each in inside if is_picture(each)), ""
        )
        raise InputError(f"{source}: no film in this folder, by its files' names{named}")
    return films


def middle(settings: Settings, seconds: Fraction) -> Settings:
    """The same for `seconds` from the middle of what was asked for. Raises UsageError."""
    if seconds <= 0:
        raise UsageError("--preview: give some seconds, such as 5")
    duration = probe(settings.source).duration
    ends = [time for time in (duration, settings.end) if time is not None]
    if not ends:
        raise UsageError(f"{settings.source} states no duration; give --start and --end instead")
    start = settings.start or Fraction(0)
    spare = max(min(ends) - start - seconds, Fraction(0)) / 2
    begin = Fraction(round((start + spare) * 1000), 1000)
    return replace(settings, start=begin, end=min(begin + seconds, *ends))

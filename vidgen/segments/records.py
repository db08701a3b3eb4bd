"""What is written beside the pieces, as JSON: fractions as text, nothing rounded."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidgen.errors import OutputError
from vidgen.job import Made
from vidgen.segments.plan import Start

__all__ = ["BAD_RECORD", "made_from", "plain", "start_from", "sync_folder", "write_durably"]

BAD_RECORD = (OSError, ValueError, KeyError, TypeError)
"""What reading a record raises that is missing, cut off, or none."""


def plain(record: Made | Start) -> dict[str, Any]:
    """`record` as JSON can hold it."""
    return {name: _plain(value) for name, value in asdict(record).items()}


def made_from(entry: Mapping[str, Any]) -> Made:
    """A record of a piece. Raises KeyError, TypeError or ValueError for anything else."""
    values = {field.name: entry[field.name] for field in fields(Made)}
    values.update(
        coded=tuple(map(int, values["coded"])),
        time_base=Fraction(values["time_base"]),
        end=Fraction(values["end"]),
        notes=tuple(values["notes"]),
    )
    return Made(**values)


def start_from(entry: Mapping[str, Any]) -> Start:
    """Where a segment begins. Raises KeyError, TypeError or ValueError for anything else."""
    return Start(Fraction(entry["time"]), bool(entry["fresh"]))


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Fraction) else value


def write_durably(path: Path, entry: Mapping[str, Any]) -> None:
    """Give `path` that content, whole or not at all, also when the power fails."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(entry, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error


def sync_folder(folder: Path) -> None:
    """Put the names in `folder` on the disk: without that a renaming may be lost with the power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

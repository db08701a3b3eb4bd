"""Tables and pictures of speed, of one machine or of two."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from vidgen.bench.deadlines import Proof
from vidgen.bench.speed import Row
from vidgen.errors import InputError

__all__ = ["bars", "proof_lines", "read_rows", "rows_table", "versus"]

_BAR, _LINE, _LABELS = 420, 22, 380  # pixels of the picture


def rows_table(rows: Iterable[Row]) -> str:
    """As Markdown."""
    lines = [
        "| | what | size | pictures/s | ms a picture | ms of waiting | bottleneck |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        ms = row.ms
        if row.kind == "engine":
            times = f"{ms['median']:.1f} ({ms['p10']:.1f} to {ms['p90']:.1f})"
            times += f", device {ms['device']:.3f}" if "device" in ms else ""
        else:
            times = _named(ms)
        cells = row.kind, row.what, row.size, f"{row.fps:.1f}", times, _named(row.waits)
        lines.append(f"| {' | '.join(cells)} | {row.bottleneck} |")
    return "\n".join(lines)


def _named(ms: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in ms.items())


def proof_lines(proof: Proof) -> str:
    """What was proved, in a few lines."""
    lines = [
        f"{proof.frames} pictures, {proof.fps} arriving a second: "
        + ("all in time" if proof.held else f"{proof.misses} too late"),
        "| ms | p50 | p95 | p99 | max |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, figures in {**proof.stages, "lag": proof.lag}.items():
        lines.append(f"| {name} | " + " | ".join(f"{each:.1f}" for each in figures.values()) + " |")
    return "\n".join(lines)


def read_rows(path: Path) -> tuple[str, dict[tuple[str, str, str], Row]]:
    """The machine and the rows of a file that `vidgen bench --json` wrote. Raises InputError."""
    try:
        data = json.loads(path.read_text("utf-8"))
        rows = [Row(**each) for each in data["rows"]]
        facts: Mapping[str, Any] = data["machine"]
        name = ", ".join([*facts["gpus"], f"{facts['cores']} x {facts['cpu']}"])
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not a file of `vidgen bench --json` ({type(error).__name__}: {error})"
        ) from error
    return name, {row.key: row for row in rows}


def versus(first: Path, second: Path) -> str:
    """Both machines side by side as Markdown, where they measured the same. Raises InputError."""
    (one, rows), (other, others) = read_rows(first), read_rows(second)
    common = [key for key in rows if key in others]
    if not common:
        raise InputError(f"{first} and {second} have no row in common; measure the same --sizes")
    lines = [
        f"A: {one}",
        f"B: {other}",
        "",
        "| | what | size | A | B | B / A |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for key in common:
        a, b = rows[key].fps, others[key].fps
        ratio = f"{b / a:.2f}" if a else "-"
        lines.append(f"| {' | '.join(key)} | {a:.1f} | {b:.1f} | {ratio} |")
    missing = len(rows) + len(others) - 2 * len(common)
    return "\n".join(lines) + (f"\n\n{missing} rows are in one of them only" if missing else "")


def bars(rows: Iterable[Row], title: str) -> str:
    """Pictures a second as an SVG of bars."""
    rows = list(rows)
    most = max((row.fps for row in rows), default=1.0) or 1.0
    parts = [f'<text x="8" y="18" font-weight="bold">{escape(title)}</text>']
    for number, row in enumerate(rows, 1):
        top = number * _LINE + 8
        width = max(1.0, _BAR * row.fps / most)
        label = escape(f"{row.kind}: {row.what}, {row.size}")
        parts += [
            f'<text x="8" y="{top + 14}">{label}</text>',
            f'<rect x="{_LABELS}" y="{top + 2}" width="{width:.1f}" height="15" fill="#3a7ca5"/>',
            f'<text x="{_LABELS + width + 6:.1f}" y="{top + 14}">{row.fps:.1f}</text>',
        ]
    height = (len(rows) + 1) * _LINE + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LABELS + _BAR + 80}" height="{height}" '
        f'font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])

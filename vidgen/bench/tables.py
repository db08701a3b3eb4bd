"""An evaluation as a table for people and as plain values for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vidgen.bench.evaluate import Evaluation, Row, mean_row
from vidgen.bench.meter import METRICS, Measures

__all__ = ["COLUMNS", "figures", "markdown", "table", "with_means"]

COLUMNS = ("psnr_y", "ssim_y", "vmaf_neg", "lpips", "tof", "flicker")
"""What the table shows; the JSON holds everything."""

_GAINS = {"lanczos": "on Lanczos", "bicubic": "on bicubic"}


def with_means(evaluation: Evaluation) -> list[Row]:
    """The rows, and the means of the films and of the large ones among them where there are two."""
    rows = list(evaluation.rows)
    films = [row for row in rows if row.film]
    large = [row for row in films if row.large]
    if len(films) > 1:
        rows.append(mean_row("mean of films", films))
    if 1 < len(large) < len(films):
        rows.append(mean_row("mean of those of 720 lines and more", large))
    return rows


def table(evaluation: Evaluation) -> str:
    """One line a film and method; gains are in decibels of PSNR-Y."""
    rows = with_means(evaluation)
    shown = [key for key in COLUMNS if any(key in m for row in rows for m in row.scores.values())]
    width = max(len(name) for row in rows for name in row.scores)
    heads = [f"{METRICS[key].label:>10}" for key in shown] + [f"{w:>11}" for w in _GAINS.values()]
    lines = [f"{'':{width}}{''.join(heads)}"]
    for row in rows:
        size = ", ".join(word for word in (row.size, f"{row.frames} frames") if word)
        lines += ["", f"{row.name} ({size})"]
        lines += [
            f"{name:{width}}{_cells(measures, shown)}{_gains(row, name)}"
            for name, measures in row.scores.items()
        ]
    return "\n".join([*lines, *(f"note: {note}" for note in evaluation.notes)])


def _cells(measures: Measures, shown: Sequence[str]) -> str:
    cells = (
        f"{measures[key]:.{METRICS[key].digits}f}" if key in measures else "-" for key in shown
    )
    return "".join(f"{cell:>10}" for cell in cells)


def _gains(row: Row, name: str) -> str:
    """Decibels above each baseline; nothing in the line of a baseline itself."""
    if name in _GAINS:
        return ""
    gains = (row.scores[name]["psnr_y"] - row.scores[base]["psnr_y"] for base in _GAINS)
    return "".join(f"{gain:>+11.2f}" for gain in gains)


def markdown(evaluation: Evaluation) -> str:
    """The same for a page: Lanczos in its own figures, everything else as the difference to it."""
    rows = with_means(evaluation)
    names = [name for name in rows[0].scores if name != "lanczos"]
    lines = [
        f"| x{evaluation.scale} | Lanczos | " + " | ".join(names) + " |",
        "|---" * (2 + len(names)) + "|",
    ]
    for row in rows:
        base = row.scores["lanczos"]
        keys = [key for key in COLUMNS if key in base]
        cells = [
            "<br>".join(
                f"{row.scores[name][key] - base[key]:+.{METRICS[key].digits}f}" for key in keys
            )
            for name in names
        ]
        own = "<br>".join(
            f"{METRICS[key].label} {base[key]:.{METRICS[key].digits}f}" for key in keys
        )
        lines.append(f"| {row.name} {row.size} | {own} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def figures(evaluation: Evaluation) -> dict[str, Any]:
    """The same with every figure, for JSON."""
    return {
        "scale": evaluation.scale,
        "rows": [
            {
                "name": row.name,
                "size": row.size,
                "frames": row.frames,
                "scores": {name: _rounded(each) for name, each in row.scores.items()},
            }
            for row in with_means(evaluation)
        ],
        "notes": evaluation.notes,
    }


def _rounded(measures: Measures) -> dict[str, float]:
    return {key: round(value, METRICS[key].digits + 2) for key, value in measures.items()}

"""Four times the size on the test sets of the papers, beside what the papers print.

    python -m benchmarks.papers                      the sets in ../shared/data/eval/research-only
    python -m benchmarks.papers --only Set14 city    some of them; other rows stay as they are

`x4-*` at once, `x2-*` twice, each with its GAN flavour where it has one: decibels of PSNR-Y above
bicubic. Of the larger sets only samples lie there, so that gains compare and decibels do not. On
Vid4 LPIPS and tOF are measured, too, of all frames.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.common import RESULTS, machine_name, write_result
from vidgen import zoo
from vidgen.bench.evaluate import paper_sets
from vidgen.bench.lpips import find_lpips
from vidgen.bench.meter import METRICS, Extras
from vidgen.bench.methods import Maker, network
from vidgen.engines import Backend, choose_backend

DATA = Path("../shared/data/eval/research-only")
SCALE = 4

PUBLISHED = {
    "Set5 x4": ("FSRCNN", 30.71 - 28.42),
    "Set14 x4": ("FSRCNN", 27.59 - 26.00),
    "BSD100 x4": ("FSRCNN", 26.98 - 25.96),
    "Urban100 x4": ("FSRCNN", 24.62 - 23.14),
    "Vid4": ("FRVSR", 26.69 - 21.80),
}
"""Gain over bicubic on the whole set, as tabulated with SAFMN (stills) and RVRT (Vid4, "BD")."""

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--models", nargs="*", default=zoo.names(task="upscale"))
    parser.add_argument(
        "--only", nargs="*", default=[""], help="rows whose name holds one of these"
    )
    args = parser.parse_args()
    backend = choose_backend()
    rows = kept()
    for row in paper_sets(
        methods([zoo.load(name) for name in args.models], backend),
        SCALE,
        args.data,
        extras=Extras(lpips=find_lpips()),
        progress=print,
        wanted=lambda name: any(word in name for word in args.only),
    ):
        known = rows.get(row.name, {}).get("scores", {})
        rows[row.name] = {"frames": row.frames, "scores": known | row.scores}
    path = write_result("papers", {"engine": backend.describe(), "rows": rows})
    text = table(rows)
    path.with_suffix(".md").write_text(f"{text}\n")
    print(text)


def methods(models: list[zoo.Model], backend: Backend) -> dict[str, Maker]:
    """Each model, run until the picture is four times as large; then its GAN flavour."""
    ways = {}
    for model in models:
        passes = {4: 1, 2: 2}[model.scale]
        ways[model.name] = network(model.with_strength(0), backend, passes=passes)
        if model.has_gan:
            ways[f"{model.name}, GAN"] = network(model.with_strength(1), backend, passes=passes)
    return ways


def kept() -> dict[str, Row]:
    """The rows of the last run on this machine, by name."""
    path = RESULTS / f"papers-{machine_name()}.json"
    return dict(json.loads(path.read_text())["rows"]) if path.is_file() else {}


def table(rows: dict[str, Row]) -> str:
    """Gains of PSNR-Y over bicubic of what every row has; of Vid4 the mean, then LPIPS and tOF."""
    vid4 = [row for name, row in rows.items() if name.startswith("Vid4")]
    shown = {name: row["scores"] for name, row in rows.items() if not name.startswith("Vid4")}
    if vid4:
        shown["Vid4"] = {
            way: {key: fmean(row["scores"][way][key] for row in vid4) for key in scores}
            for way, scores in vid4[0]["scores"].items()
            if all(way in row["scores"] for row in vid4)
        }
    first, *others = shown.values()
    names = [way for way in first if way != "bicubic" and all(way in row for row in others)]
    lines = [
        "| | bicubic | published | " + " | ".join(names) + " |",
        "| --- " * (3 + len(names)) + "|",
    ]
    for name, scores in shown.items():
        base = scores["bicubic"]["psnr_y"]
        who, gain = PUBLISHED[name]
        cells = [f"{scores[way]['psnr_y'] - base:+.2f}" for way in names]
        lines.append(_line(name, f"{base:.2f} dB", f"{who} {gain:+.2f}", *cells))
    for key, digits in (("lpips", 3), ("tof", 3)) if vid4 else ():
        figures = [f"{shown['Vid4'][way][key]:.{digits}f}" for way in ("bicubic", *names)]
        lines.append(_line(f"Vid4, {METRICS[key].label}", figures[0], "", *figures[1:]))
    return "\n".join(lines)


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()

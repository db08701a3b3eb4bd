"""Which grid, width and depth for the x2 network: decibels per millisecond.

    python -m benchmarks.grid                  train all candidates alike, then time them
    python -m benchmarks.grid --time           time only; decibels are taken from the newest table
    python -m benchmarks.grid --steps 500      quicker

Every candidate gets the data, loss, steps, batch and learning rate of one recipe. Decibels are the
mean gain in PSNR of Y and of UV over Lanczos on the planes, on the files that the recipe holds out
of training (never on evaluation films). Milliseconds are of one 960x540 picture through the engine
that users run: median and quartiles of 25 runs after 5. They depend on the machine, so a table
holds for the machine that its file names.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common import RESULTS, machine_name, write_result
from vidgen.engines import choose_backend
from vidgen.train import data, recipe
from vidgen.train.export import export
from vidgen.train.train import averaged, train
from vidgen.train.upscaling import Upscaling, build
from vidgen.zoo import Model

RECIPE = Path("models/recipes/x2-realtime.toml")
WIDTH, HEIGHT = 960, 540
CANDIDATES = (
    (1, 8, 2), (1, 16, 1), (1, 16, 2), (1, 16, 3), (1, 32, 3), (1, 32, 4),
    (2, 16, 2), (2, 32, 3), (2, 48, 6), (4, 64, 4),
)  # fmt: skip

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=1, help="of training")
    parser.add_argument("--time", action="store_true", help="only time the candidates")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    base = recipe.read(RECIPE)
    plan = replace(base.train, steps=args.steps, rate=3e-3, warmup=200, start="")
    known = newest() if args.time else {}
    nets = [
        recipe.Net(grid=grid, width=width, depth=depth, expand=4 * width)
        for grid, width, depth in CANDIDATES
    ]
    rows = []
    for net in nets:
        trial = replace(base, name=f"u{net.grid}-c{net.width}-n{net.depth}", net=net, train=plan)
        scores = known[trial.name] if args.time else trained(trial)
        rows.append({"name": trial.name, **scores})
        print(rows[-1], flush=True)
    for row, net in zip(rows, nets, strict=True):  # nothing is trained while this is timed
        row.update(timed(replace(base, name=row["name"], net=net, train=plan)))
    text = table(rows)
    print(text)
    path = write_result("grid", {"engine": choose_backend().describe(), "rows": rows})
    path.with_suffix(".md").write_text(f"{note(rows)}\n\n{text}\n")


def trained(trial: recipe.Recipe) -> Row:
    """Train one candidate; its gains over Lanczos in dB."""
    scale = trial.net.scale
    lesson = Upscaling(trial, data.prepare(trial.data, scale), data.validation(trial.data, scale))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        state = train(trial, lesson, Path(folder) / "state")
    seconds = round(time.monotonic() - began)
    gains = lesson.evaluate(averaged(state, lesson))
    luma, chroma = np.mean(list(gains.values()), 0).round(3).tolist()
    least = min(gain for gain, _ in gains.values())
    return {
        "gain_y_db": luma, "gain_uv_db": chroma, "least_y_db": round(least, 3),
        "steps": state.step, "training_seconds": seconds, "net": asdict(trial.net),
    }  # fmt: skip


def timed(trial: recipe.Recipe) -> Row:
    """Milliseconds of one picture through the engine; weights do not matter to it."""
    with tempfile.TemporaryDirectory() as folder:
        return milliseconds(export(build(trial.net), trial, Path(folder), steps=0, quality={}))


def milliseconds(model: Model, rounds: int = 30) -> Row:
    """Of one picture: median and quartiles; and what the network is made of."""
    height = HEIGHT // model.multiple_of * model.multiple_of
    with choose_backend().compile(model, WIDTH, height, 8) as engine:
        rng = np.random.default_rng(0)
        y = rng.integers(16, 236, (height, WIDTH), dtype=np.uint8)
        uv = rng.integers(16, 241, (height // 2, WIDTH // 2, 2), dtype=np.uint8)
        past = np.stack([y] * model.scale**2), np.full_like(y, 200)
        laps = []
        for _ in range(rounds):
            began = time.perf_counter()
            engine(y, uv, *past)
            laps.append(1000 * (time.perf_counter() - began))
    low, middle, high = np.percentile(laps[5:], [25, 50, 75]).round(1).tolist()
    return {
        "parameters": model.parameters, "macs_per_pixel": model.macs_per_pixel,
        "ms": middle, "ms_quartiles": [low, high],
    }  # fmt: skip


def newest() -> dict[str, Row]:
    """The decibels of the table that was written last, by name."""
    files = sorted(RESULTS.glob("grid-*.json"), key=lambda path: path.stat().st_mtime)
    if not files:
        raise SystemExit("no table to take decibels from; run without --time first")
    rows = json.loads(files[-1].read_text())["rows"]
    timing = ("name", "ms", "ms_quartiles", "parameters", "macs_per_pixel")
    return {row["name"]: {k: v for k, v in row.items() if k not in timing} for row in rows}


def table(rows: list[Row]) -> str:
    lines = [
        "| grid | width | depth | parameters | MAC/pixel | Y dB | UV dB | least Y | ms |",
        "|" + "---:|" * 9,
    ]
    for row in sorted(rows, key=lambda row: row["ms"]):
        net, (low, high) = row["net"], row["ms_quartiles"]
        lines.append(
            f"| u{net['grid']} | {net['width']} | {net['depth']} | {row['parameters']:,} "
            f"| {row['macs_per_pixel']:,} | {row['gain_y_db']:+.3f} | {row['gain_uv_db']:+.3f} "
            f"| {row['least_y_db']:+.3f} | {row['ms']:.1f} ({low:.1f} to {high:.1f}) |"
        )
    return "\n".join(lines)


def note(rows: list[Row]) -> str:
    return (
        f"# Grid, width, depth\n\nGain over Lanczos on the recipe's held-out training files after "
        f"{rows[0]['steps']} steps each (batch 8), and milliseconds of one {WIDTH}x{HEIGHT} "
        f"picture on `{machine_name()}`\n({choose_backend().describe()}). Made by "
        "`python -m benchmarks.grid`.\nAfter so few steps small networks are nearer to their best "
        "than large ones."
    )


if __name__ == "__main__":
    main()

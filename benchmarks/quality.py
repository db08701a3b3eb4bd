"""Picture quality of the shipped models on films that nothing was trained on.

    python -m benchmarks.quality                 all models, ../shared/data/eval
    python -m benchmarks.quality --frames 9      quicker
    python -m benchmarks.quality --scales 4      four times as large only
    python -m benchmarks.quality --card          also write the means into the models' cards

The same measurement as `vidgen models evaluate`, with every model, with and without its memory of
the last frame, scale by scale, and four times as large also with those that enlarge by two, run
twice; kept with the facts of the machine.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

from benchmarks.common import machine_name, write_result
from vidgen import zoo
from vidgen.bench.clips import CRF
from vidgen.bench.evaluate import Evaluation, Row, evaluate
from vidgen.bench.lpips import find_lpips
from vidgen.bench.meter import Extras
from vidgen.bench.methods import Maker, network
from vidgen.bench.tables import figures, markdown
from vidgen.bench.vmaf import find_ffmpeg
from vidgen.engines import Backend, choose_backend

DATA = Path("../shared/data/eval")
NO_HISTORY = ", no history"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--frames", type=int, default=24, help="of each clip, a third into it")
    parser.add_argument("--models", nargs="*", default=zoo.names(task="upscale"))
    parser.add_argument("--scales", nargs="*", type=int, default=[2, 4])
    parser.add_argument("--card", action="store_true", help="write the means into the cards")
    args = parser.parse_args()
    backend = choose_backend()
    models = [zoo.load(name) for name in args.models]
    for scale in args.scales:
        found = evaluate(
            methods(models, scale, backend),
            scale,
            args.data,
            frames=args.frames,
            extras=Extras(find_ffmpeg(), find_lpips()),
            progress=print,
        )
        text = markdown(found)
        print(f"\n{text}")
        data = {"engine": backend.describe(), **figures(found)}
        write_result(f"quality-x{scale}", data).with_suffix(".md").write_text(f"{text}\n")
        if args.card:
            for model in models:
                if model.scale == scale:
                    note_in_card(model, found)


def methods(models: list[zoo.Model], scale: int, backend: Backend) -> dict[str, Maker]:
    """Each model of that scale and, where it has a memory, itself without; smaller ones twice."""
    ways = {}
    for model in models:
        if model.scale == scale:
            ways[model.name] = network(model, backend)
            if model.history:
                ways[model.name + NO_HISTORY] = network(model, backend, history=False)
        elif model.scale**2 == scale:
            ways[f"{model.name} twice"] = network(model, backend, passes=2)
    return ways


def note_in_card(model: zoo.Model, evaluation: Evaluation) -> None:
    """Put the mean and least gains over Lanczos on the large films into the card."""
    path = model.folder / f"{model.name}.toml"
    card = tomllib.loads(path.read_text("utf-8"))
    rows = [row for row in evaluation.rows if row.large]
    noted = {
        "what": f"{len(rows)} films of 720 lines and more: reduced, H.264 CRF {CRF}, enlarged",
        "least_gain_psnr_y": round(min(gain(row, model.name, "psnr_y") for row in rows), 3),
    }
    for key in ("psnr_y", "ssim_y", "vmaf_neg", "lpips", "psnr_uv", "tof", "flicker"):
        gains = [gain(row, model.name, key) for row in rows if key in row.scores[model.name]]
        if gains:
            noted[f"gain_{key}_over_lanczos"] = round(sum(gains) / len(gains), 4)
    noted |= {"command": "python -m benchmarks.quality --card", "machine": machine_name()}
    card["quality"]["evaluation"] = noted
    zoo.write_card(path, card)


def gain(row: Row, name: str, key: str) -> float:
    """How much larger the figure is than that of Lanczos."""
    return row.scores[name][key] - row.scores["lanczos"][key]


if __name__ == "__main__":
    main()

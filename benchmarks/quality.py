"""Picture quality of the shipped models on films that nothing was trained on.

    python -m benchmarks.quality                 all models, ../shared/data/eval
    python -m benchmarks.quality --frames 10     quicker
    python -m benchmarks.quality --card          also write the means into the models' cards

Every clip is halved by pixel area, encoded with H.264 at CRF 23 (x264, preset medium), decoded, and
doubled again through the real engine; PSNR and SSIM are taken on the 8-bit luma planes against the
clip, border included. Beside the models stand Lanczos (OpenCV, four lobes) and bicubic on the same
planes, centre-aligned. Set5 uses its own low-resolution pictures and MATLAB's BT.601 luma, two
border pixels shaved, as the published tables do.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import machine_name, write_result
from vidgen import zoo
from vidgen.bench.metrics import psnr, ssim
from vidgen.engines import Backend, choose_backend
from vidgen.frame import Planes
from vidgen.media import Decoder, probe
from vidgen.media.recode import recode
from vidgen.train.degrade import shrink
from vidgen.train.export import write_card

DATA = Path("../shared/data/eval")
CRF = 23
BASELINES = {"lanczos": cv2.INTER_LANCZOS4, "bicubic": cv2.INTER_CUBIC}

Doubler = Callable[[Planes], Planes]
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--frames", type=int, default=30, help="of each clip, a third into it")
    parser.add_argument("--models", nargs="*", default=zoo.names())
    parser.add_argument("--card", action="store_true", help="write the means into the cards")
    args = parser.parse_args()
    backend = choose_backend()
    rows = [
        clip_row(path, args.frames, args.models, backend)
        for path in sorted((args.data / "video").iterdir())
        if path.suffix in (".mp4", ".mkv", ".ogv") and is_8_bit_progressive(path)
    ]
    rows.append(set5_row(args.data / "research-only" / "set5-x2", args.models, backend))
    print(table(rows, args.models))
    path = write_result("quality", {"engine": backend.describe(), "rows": rows})
    path.with_suffix(".md").write_text(table(rows, args.models) + "\n")
    if args.card:
        for name in args.models:
            note_in_card(zoo.models_folder() / f"{name}.toml", name, rows)


def is_8_bit_progressive(path: Path) -> bool:
    with Decoder(path) as decoder:
        return decoder.format.bit_depth == 8 and "interlaced" not in path.name


def clip_row(path: Path, frames: int, models: list[str], backend: Backend) -> Row:
    """Mean scores of one clip: {name: {psnr_y, ssim_y, psnr_uv}}."""
    duration = probe(path).duration or Fraction(0)
    with Decoder(path, start=duration / 3) as decoder:
        truth = [cropped(frame.planes) for frame in islice(decoder, frames)]
    low = recode([shrink(planes) for planes in truth], "libx264", CRF)
    height, width = low[0][0].shape
    scores: dict[str, list[tuple[float, ...]]] = {}
    with ExitStack() as stack:
        ways = dict(doublers(models, width, height, backend, stack))
        for name, double in ways.items():
            scores[name] = [score(double(a), b) for a, b in zip(low, truth, strict=True)]
    named = {name: means(each) for name, each in scores.items()}
    return {"clip": path.name, "size": f"{2 * width}x{2 * height}", "frames": len(truth), **named}


def cropped(planes: Planes) -> Planes:
    """The top left part with sides divisible by 8, as both halvings and every network take it."""
    y, uv = planes
    height, width = y.shape[0] // 8 * 8, y.shape[1] // 8 * 8
    return np.ascontiguousarray(y[:height, :width]), np.ascontiguousarray(
        uv[: height // 2, : width // 2]
    )


def doublers(
    models: list[str], width: int, height: int, backend: Backend, stack: ExitStack
) -> Iterator[tuple[str, Doubler]]:
    """Every way to double planes of that size."""
    for name, kernel in BASELINES.items():
        yield name, resizer(kernel)
    for name in models:
        engine = stack.enter_context(backend.compile(zoo.load(name), width, height, 8))
        yield name, lambda planes, engine=engine: engine(*planes)


def resizer(kernel: int) -> Doubler:
    def double(planes: Planes) -> Planes:
        y, uv = (cv2.resize(p, None, fx=2, fy=2, interpolation=kernel) for p in planes)
        return y, uv

    return double


def score(made: Planes, truth: Planes) -> tuple[float, float, float]:
    """PSNR and SSIM of luma, PSNR of both chroma planes together."""
    chroma = (np.ascontiguousarray(uv.reshape(len(uv), -1)) for uv in (made[1], truth[1]))
    return psnr(truth[0], made[0]), ssim(truth[0], made[0]), psnr(*chroma)


def means(scores: list[tuple[float, ...]]) -> dict[str, float]:
    names = ("psnr_y", "ssim_y", "psnr_uv")
    return dict(zip(names, np.mean(scores, 0).round(4).tolist(), strict=False))


def set5_row(folder: Path, models: list[str], backend: Backend) -> Row:
    """Mean PSNR on Set5 x2, clean MATLAB-bicubic input."""
    totals: dict[str, list[tuple[float, ...]]] = {}
    for high in sorted(folder.glob("*_HR.png")):
        truth = matlab_luma(cv2.imread(str(high)))
        low = matlab_luma(cv2.imread(str(high).replace("_HR", "_LR")))
        height, width = (side // 2 * 2 for side in low.shape)  # planes have even sides
        y = np.ascontiguousarray(low[:height, :width])
        planes = y, np.full((height // 2, width // 2, 2), 128, np.uint8)
        with ExitStack() as stack:
            for name, double in doublers(models, width, height, backend, stack):
                made = np.ascontiguousarray(double(planes)[0][2:-2, 2:-2])
                same = np.ascontiguousarray(truth[2 : 2 * height - 2, 2 : 2 * width - 2])
                totals.setdefault(name, []).append((psnr(same, made), ssim(same, made)))
    named = {name: means(each) for name, each in totals.items()}
    return {
        "clip": "Set5 x2 (clean)",
        "size": "",
        "frames": len(next(iter(totals.values()))),
        **named,
    }


def matlab_luma(bgr: NDArray[Any]) -> NDArray[np.uint8]:
    """BT.601 limited-range luma of an 8-bit picture, rounded as MATLAB's rgb2ycbcr does."""
    weights = np.array([24.966, 128.553, 65.481]) / 255
    return np.rint(bgr @ weights + 16).astype(np.uint8)


def note_in_card(path: Path, name: str, rows: list[Row]) -> None:
    """Put the mean and least gain over the large clips into the card's quality."""
    card = tomllib.loads(path.read_text("utf-8"))
    gains = [
        [row[name][key] - row["lanczos"][key] for key in ("psnr_y", "ssim_y", "psnr_uv")]
        for row in large(rows)
    ]
    luma, alike, chroma = np.mean(gains, 0).round(4).tolist()
    card["quality"]["evaluation"] = {
        "what": f"{len(gains)} clips of 720 lines and more: halved, H.264 CRF {CRF}, doubled",
        "gain_psnr_y_over_lanczos": round(luma, 3),
        "least_gain_psnr_y": round(min(gain[0] for gain in gains), 3),
        "gain_ssim_y_over_lanczos": alike,
        "gain_psnr_uv_over_lanczos": round(chroma, 3),
        "command": "python -m benchmarks.quality --card",
        "machine": machine_name(),
    }
    write_card(path, card)


def large(rows: list[Row]) -> list[Row]:
    """Those of 720 lines and more; cropping to multiples of 8 may take some."""
    return [row for row in rows if row["size"] and int(row["size"].split("x")[1]) >= 700]


def table(rows: list[Row], models: list[str]) -> str:
    """Markdown: Lanczos in decibels, everything else as the gain over it."""
    names = [name for name in (*BASELINES, *models) if name != "lanczos"]
    lines = [
        "| clip | size | Lanczos PSNR-Y / SSIM | " + " | ".join(names) + " |",
        "|---" * (3 + len(names)) + "|",
    ]
    for row in rows:
        base = row["lanczos"]
        gains = [[row[name][key] - base[key] for key in ("psnr_y", "ssim_y")] for name in names]
        cells = [f"{decibels:+.2f} dB / {alike:+.4f}" for decibels, alike in gains]
        first = f"{row['clip']} | {row['size']} | {base['psnr_y']:.2f} / {base['ssim_y']:.4f}"
        lines.append(f"| {first} | " + " | ".join(cells) + " |")
    for name in names:
        gains = [row[name]["psnr_y"] - row["lanczos"]["psnr_y"] for row in large(rows)]
        lines.append(
            f"\n{name}: mean gain on the {len(gains)} clips of 720 lines and more "
            f"{np.mean(gains):+.3f} dB, worst {min(gains):+.3f} dB"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

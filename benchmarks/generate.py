"""Made frames beside other ways to make them: picture and speed, in one run.

    python -m benchmarks.generate                    ../shared/data/eval
    python -m benchmarks.generate --frames 21 film.mp4 other.mkv

Of each clip (8 bit, reduced to 540 rows by pixel area where larger), every other frame is left out
and made again from its neighbours; of the Middlebury samples, the true middle frame. Measured on
luma of the made frames alone: PSNR, SSIM, tOF to the real frame before, the worst twentieth, and by
the size of the motion (Farneback flow over both frames, in pixels at 540 rows, that a tenth of the
picture passes). Speed
is output frames a second, real ones included, of the same pictures in memory: from its first frame
in to its last frame out, after a warm-up; work is the processor time, user and system, of a made
frame. The allocator is set as the program sets it.

    blend         the mean of both neighbours
    dis-average   DIS medium both ways at full resolution, both neighbours warped by half their
                  flow (bilinear), and their mean
    mci           FFmpeg's minterpolate, mi_mode=mci
    rife          RIFE 4.0 where its weights are installed, see benchmarks.rife
    motion        EstimateMotion and Generate without a network, as with --tier realtime
    network       the same with mid-realtime
    balanced      the same with finer flow, as with --tier balanced
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np

from benchmarks.common import write_result
from benchmarks.generate_methods import METHODS, RATE, Luma
from benchmarks.generate_pictures import write_worst
from vidgen.bench.metrics import psnr, ssim
from vidgen.bench.temporal import Step, tof
from vidgen.frame import Frame, Planes
from vidgen.media import Decoder, probe
from vidgen.memory import keep_freed_memory
from vidgen.stages.fit import resample

DATA = Path("../shared/data/eval/video")
MIDDLEBURY = Path("../shared/data/eval/research-only/middlebury-other")
ROWS = 540
BINS = ((0.0, 4.0), (4.0, 16.0), (16.0, math.inf))  # pixels from one real frame to the next
Table = dict[str, dict[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="*", type=Path, help="instead of ../shared/data/eval")
    parser.add_argument("--frames", type=int, default=25, help="of each clip, a third into it")
    parser.add_argument("--pictures", type=Path, help="folder for the worst place of each clip")
    args = parser.parse_args()
    keep_freed_memory()
    films = args.films or [path for path in sorted(DATA.iterdir()) if is_suitable(path)]
    print(f"{'':40s}" + "".join(f"{name:>13s}" for name in METHODS))
    clips = ((path.name, excerpt(path, args.frames)) for path in films)
    rows = [measured(name, frames, args.pictures) for name, frames in clips if len(frames) >= 7]
    summary = summed(rows)
    for label, values in summary.items():
        show(label, values, "13.4f" if label in ("SSIM", "tOF") else "13.2f")
    samples = [] if args.films else [measured(name, frames) for name, frames in triplets()]
    if samples:
        show("Middlebury, mean PSNR-Y", summed(samples)["PSNR-Y, mean of clips"], "13.2f")
    whole = {"summary": summary, "clips": rows, "middlebury": samples}
    write_result("generate", json.loads(json.dumps(whole), parse_constant=lambda _: None))


def is_suitable(path: Path) -> bool:
    """Progressive 8-bit films; others would be measured as something that they are not."""
    if path.suffix not in (".mp4", ".mkv", ".webm", ".mpg", ".264"):
        return False
    info = probe(path)
    return info.video is not None and info.video.bit_depth == 8 and not info.interlaced


def measured(name: str, frames: list[Frame], pictures: Path | None = None) -> dict[str, Any]:
    """What each method makes of one clip, frame by frame, and how long it takes."""
    real = [restamped(frame, n) for n, frame in enumerate(frames[::2])]
    made: dict[str, dict[int, Luma]] = {}
    cost: dict[str, dict[str, float]] = {}
    for method, run in METHODS.items():
        for _ in run(real[:3]):
            pass
        start, begun = time.perf_counter(), time.process_time()
        shown = list(run(real))
        spent = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - begun}
        made[method] = {n: luma for n, luma in shown if n % 2 and n < len(frames)}
        cost[method] = {"shown": len(shown), "made": len(made[method]), **spent}
    if pictures:
        write_worst(pictures, name, frames, made)
    whole = [of for method, of in made.items() if method != "mci" or len(frames) > 3]
    common = sorted(set.intersection(*(set(of) for of in whole)))
    quality = {
        method: [compared(frames, n, of.get(n)) for n in common] for method, of in made.items()
    }
    result = {"clip": name, "size": "{1}x{0}".format(*frames[0].y.shape), "cost": cost}
    result |= {"frames": quality, "motion": [moved(frames, n) for n in common]}
    show(name, {method: mean_of(of, "psnr_y") for method, of in quality.items()}, "13.2f")
    return result


def compared(frames: list[Frame], n: int, luma: Luma | None) -> dict[str, float]:
    """Figures of one made frame; nan where the method makes none."""
    if luma is None:
        return dict.fromkeys(("psnr_y", "ssim_y", "tof"), math.nan)
    before, true = frames[n - 1].y, frames[n].y
    return {
        "psnr_y": psnr(true, luma),
        "ssim_y": ssim(true, luma),
        "tof": tof(Step(before, true), before, luma),
    }


def moved(frames: list[Frame], n: int) -> float:
    """The motion over the frame left out that a tenth of the picture passes, at 540 rows."""
    flow = Step(frames[n - 1].y, frames[n + 1].y).flow
    return float(np.quantile(np.hypot(flow[..., 0], flow[..., 1]), 0.9)) * ROWS / len(flow)


def summed(rows: list[dict[str, Any]]) -> Table:
    """All clips in a table: a line each, a value for each method."""
    table: Table = {}
    every = {name: [f for row in rows for f in row["frames"][name]] for name in METHODS}
    sizes = [size for row in rows for size in row["motion"]]
    table["PSNR-Y, mean of clips"] = {
        name: fmean(mean_of(row["frames"][name], "psnr_y") for row in rows) for name in METHODS
    }
    for low, high in BINS:
        chosen = [n for n, size in enumerate(sizes) if low <= size < high]
        if chosen:
            label = f"PSNR-Y, motion {low:g} to {high:g} px ({len(chosen)})"
            table[label] = {
                name: mean_of([of[n] for n in chosen], "psnr_y") for name, of in every.items()
            }
    table["PSNR-Y, worst twentieth"] = {
        name: fmean(sorted(f["psnr_y"] for f in of)[: max(len(of) // 20, 1)])
        for name, of in every.items()
    }
    table["SSIM"] = {name: mean_of(of, "ssim_y") for name, of in every.items()}
    table["tOF"] = {name: mean_of(of, "tof") for name, of in every.items()}
    total = {
        what: {name: sum(row["cost"][name][what] for row in rows) for name in METHODS}
        for what in ("shown", "made", "seconds", "cpu")
    }
    table["output frames a second"] = {
        name: total["shown"][name] / total["seconds"][name] for name in METHODS
    }
    table["processor ms a made frame"] = {
        name: 1000 * total["cpu"][name] / max(total["made"][name], 1) for name in METHODS
    }
    return table


def mean_of(figures: list[dict[str, float]], what: str) -> float:
    return fmean(each[what] for each in figures)


def excerpt(path: Path, count: int) -> list[Frame]:
    """An odd number of frames, at most `count`, from a third into the film."""
    skip = max((probe(path).frames or 0) - count, 0) // 3
    with Decoder(path) as decoder:
        frames = [reduced(frame) for frame in islice(decoder, skip, skip + count)]
    return frames[: len(frames) - 1 + len(frames) % 2]


def triplets() -> Iterator[tuple[str, list[Frame]]]:
    """The Middlebury samples (S. Baker et al., 2011) with their true middle frame."""
    for folder in sorted(MIDDLEBURY.iterdir()) if MIDDLEBURY.is_dir() else ():
        paths = sorted(folder.glob("*.webp"))
        yield folder.name, [Frame(*planes_of(path), 0, 1, 1 / RATE) for path in paths]


def planes_of(path: Path) -> Planes:
    """A picture as BT.709 planes, its sides made even."""
    rgb = cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32)
    rgb = rgb[: len(rgb) // 2 * 2, : rgb.shape[1] // 2 * 2]
    luma = rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    color = np.stack([(rgb[..., 2] - luma) / 1.8556, (rgb[..., 0] - luma) / 1.5748], -1)
    half = cv2.resize(color, (luma.shape[1] // 2, luma.shape[0] // 2), interpolation=cv2.INTER_AREA)
    y = np.rint(16 + luma * (219 / 255)).astype(np.uint8)
    return y, np.clip(np.rint(128 + half * (224 / 255)), 0, 255).astype(np.uint8)


def reduced(frame: Frame) -> Frame:
    height, width = frame.y.shape
    if height <= ROWS:
        return frame
    return frame.with_planes(resample(frame.planes, round(width * ROWS / height / 2) * 2, ROWS, 8))


def restamped(frame: Frame, number: int) -> Frame:
    return Frame(frame.y, frame.uv, number, 1, 1 / RATE)


def show(label: str, values: dict[str, float], style: str) -> None:
    print(f"{label:40s}" + "".join(format(value, style) for value in values.values()), flush=True)


if __name__ == "__main__":
    main()

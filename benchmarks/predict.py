"""Pictures after the last one beside other ways to have them: n = 1, 2, 3 whole frames ahead.

    python -m benchmarks.predict                    ../shared/data/eval
    python -m benchmarks.predict --places 20 film.mp4

Of each clip (8 bit, reduced to 540 rows by pixel area where larger; every other frame of one at 50
frames a second and more) places at even distances: from three frames in a row the next three are
told. Places where one of the six repeats the one before it or begins a shot are left out. PSNR on
luma against the frames that did come. Work is the processor time of a told picture, motion shared
by the three.

    repeat        the last frame
    dis           DIS medium at full resolution from the last frame to the one before; the last
                  frame sampled against it, n times as far (bilinear)
    realtime      vidgen.motion.Ahead, as in --generate predict
    balanced      the same with finer flow, as with --tier balanced and in vidgen.predict
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np

from benchmarks.common import write_result
from benchmarks.generate import DATA, is_suitable, reduced, show
from benchmarks.generate_methods import Luma
from vidgen.bench.metrics import psnr
from vidgen.frame import Frame
from vidgen.media import Decoder, probe
from vidgen.memory import keep_freed_memory
from vidgen.motion import Ahead, ChangeDetector, FlowEstimator, half_luma
from vidgen.motion.warp import pixel_grid, sample

PAST, AHEAD = 3, 3
FAST = 50  # frames a second from which on every other frame is taken
SPREAD = 240  # frames of a clip that places are spread over

Method = Callable[[list[Frame]], list[Luma]]
"""The past, oldest first; the next `AHEAD` pictures."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="*", type=Path, help="instead of ../shared/data/eval")
    parser.add_argument("--places", type=int, default=8, help="of each clip")
    args = parser.parse_args()
    keep_freed_memory()
    films = args.films or [path for path in sorted(DATA.iterdir()) if is_suitable(path)]
    print(f"{'':40s}" + "".join(f"{name:>13s}" for name in METHODS))
    rows = [row for row in (measured(path, args.places) for path in films) if row]
    for n in range(AHEAD):
        means = {name: fmean(row["psnr_y"][name][n] for row in rows) for name in METHODS}
        show(f"mean PSNR-Y, n = {n + 1}", means, "13.2f")
    work = {name: 1000 * fmean(row["cpu"][name] for row in rows) for name in METHODS}
    show("processor ms a picture", work, "13.1f")
    write_result("predict", {"clips": rows, "cpu_ms_a_picture": work})


def measured(path: Path, places: int) -> dict[str, Any] | None:
    """Mean PSNR-Y by method for each n, and seconds of processor time a picture."""
    windows = windows_of(path, places)
    if not windows:
        return None
    quality: dict[str, list[list[float]]] = {name: [] for name in METHODS}
    cpu = dict.fromkeys(METHODS, 0.0)
    for window in windows:
        past, truth = window[:PAST], window[PAST:]
        for name, method in METHODS.items():
            begun = time.process_time()
            told = method(past)
            cpu[name] += (time.process_time() - begun) / (AHEAD * len(windows))
            quality[name].append([psnr(t.y, y) for t, y in zip(truth, told, strict=True)])
    means = {name: [fmean(each) for each in zip(*of, strict=True)] for name, of in quality.items()}
    for n in range(AHEAD):
        show(f"{path.name}, n = {n + 1}"[:40], {name: of[n] for name, of in means.items()}, "13.2f")
    return {"clip": path.name, "places": len(windows), "psnr_y": means, "cpu": cpu}


def windows_of(path: Path, places: int) -> list[list[Frame]]:
    """Runs of consecutive frames of one shot in which something moves."""
    info = probe(path).video
    step = 2 if info and info.fps and info.fps >= FAST else 1
    with Decoder(path) as decoder:
        frames = [reduced(frame) for frame in islice(decoder, 0, SPREAD * step, step)]
    changes = ChangeDetector()
    told = [changes(half_luma(frame.y)) for frame in frames]
    length = PAST + AHEAD
    good = [
        n
        for n in range(len(frames) - length + 1)
        if not any(each.cut or each.duplicate for each in told[n + 1 : n + length])
    ]
    chosen = good[:: max(len(good) // places, 1)][:places]
    return [frames[n : n + length] for n in chosen]


def repeat(past: list[Frame]) -> list[Luma]:
    """The last frame."""
    return [past[-1].y] * AHEAD


def dis(past: list[Frame]) -> list[Luma]:
    """See the module."""
    before, last = past[-2].y, past[-1].y
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(last, before, None)
    grid = pixel_grid(*last.shape)
    return [sample(last, np.asarray(grid + n * flow, np.float32)) for n in range(1, AHEAD + 1)]


def ahead(past: list[Frame], fine: bool) -> list[Luma]:
    """The last frame moved, and as it is."""
    estimate = FlowEstimator(fine)
    earlier, motion = (estimate(*pair) for pair in pairwise(half_luma(f.y) for f in past))
    told = Ahead(past[-2].planes, past[-1].planes, motion, earlier)
    return [told.picture(float(n))[0] for n in range(1, AHEAD + 1)]


METHODS: dict[str, Method] = {
    "repeat": repeat,
    "dis": dis,
    "realtime": partial(ahead, fine=False),
    "balanced": partial(ahead, fine=True),
}


if __name__ == "__main__":
    main()

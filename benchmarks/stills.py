"""Single pictures, halved in several ways, through `vidgen upscale` with each tier.

    python -m benchmarks.stills                     the pictures in ../shared/data/eval
    python -m benchmarks.stills FOLDER...           those of other folders

Grey pictures; decibels of PSNR, mean over all of them, beside Lanczos.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np

from benchmarks.common import machine_name, write_result
from vidgen import stills
from vidgen.bench.methods import lanczos
from vidgen.bench.metrics import psnr
from vidgen.job import Settings
from vidgen.train.degrade import shrink

FOLDERS = [Path("../shared/data/eval") / name for name in ("kodak", "gb82-cc0")]
TIERS = "realtime", "balanced", "quality", "still"
WAYS = {  # kernel, format, its quality
    "bicubic": ("bicubic", ".png", None),
    "blur, then every second pixel": ("gauss", ".png", None),
    "area": ("area", ".png", None),
    "area, JPEG of quality 90": ("area", ".jpg", 90),
    "area, JPEG of quality 75": ("area", ".jpg", 75),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, default=FOLDERS)
    paths = sorted(path for each in parser.parse_args().folders for path in each.glob("*.png"))
    if not paths:
        parser.error("no .png in these folders; give one that holds some")
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for way in WAYS:
            scores = [dict(measured(path, way, Path(folder))) for path in paths]
            rows[way] = {name: fmean(each[name] for each in scores) for name in scores[0]}
    write_result("stills", {"pictures": [path.name for path in paths], "psnr": rows})
    print(f"{machine_name()}, {len(paths)} pictures\n")
    print("| halved by | " + " | ".join(rows["area"]) + " |\n" + "| --- " * (2 + len(TIERS)) + "|")
    for way, row in rows.items():
        print(f"| {way} | " + " | ".join(f"{value:.2f}" for value in row.values()) + " |")


def measured(path: Path, way: str, folder: Path) -> Iterator[tuple[str, float]]:
    """Name and decibels of Lanczos and of each tier."""
    kernel, suffix, quality = WAYS[way]
    grey = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
    height, width = (side // 4 * 4 for side in grey.shape)
    truth = grey[:height, :width]
    low, _ = shrink((truth, np.zeros((height // 2, width // 2, 2), np.uint8)), kernel)
    source, target = folder / f"in{suffix}", folder / "out.png"
    cv2.imwrite(str(source), low, [cv2.IMWRITE_JPEG_QUALITY, quality] if quality else [])
    given = np.asarray(cv2.imread(str(source), cv2.IMREAD_GRAYSCALE))
    yield "lanczos", psnr(truth, lanczos(given, 2))
    for tier in TIERS:
        stills.run(Settings(source=source, target=target, tier=tier, overwrite=True))
        yield tier, psnr(truth, np.asarray(cv2.imread(str(target), cv2.IMREAD_GRAYSCALE)))


if __name__ == "__main__":
    main()

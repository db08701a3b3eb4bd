"""Where frames are hard to make, to be looked at: six films through `vidgen upscale --fps x2`.

    python -m benchmarks.hard_places OUT                     all films, both tiers, a sheet each
    python -m benchmarks.hard_places OUT --picture FILE.jpg  and a small picture of parts of them

A sheet shows, line by line, a real frame, the true picture half way to the next, and what each tier
shows there. PSNR-Y is over all of these instants but those between two shots. Films are lossless,
so what is seen is vidgen's own.
"""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.hard_films import FILMS, FPS, HEIGHT, WIDTH, HardFilm
from vidgen.bench.metrics import psnr
from vidgen.bench.picture import crop, most_different
from vidgen.cli import main as vidgen
from vidgen.frame import Color, Frame, Planes, VideoFormat
from vidgen.media import Decoder, Encoder
from vidgen.media.rgb import to_rgb

TIERS = "realtime", "balanced"
LABEL = 16  # rows
PART = 224, 168  # pixels of each part of the small picture
BT709 = Color(range=1, matrix=1, primaries=1, transfer=1, chroma_location=1)
Shown = dict[Fraction, Planes]
"""Pictures by time in frames."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for films and sheets")
    parser.add_argument("--films", nargs="*", choices=FILMS, default=[*FILMS])
    parser.add_argument("--picture", type=Path, help="the worst place of each film in one JPEG")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    lines = []
    for name in args.films:
        film = FILMS[name]
        source = write(film, args.out / f"{name}.mkv")
        shown = {tier: upscaled(film, source, tier) for tier in TIERS}
        cv2.imwrite(str(args.out / f"{name}.png"), sheet(name, film, shown))
        lines.append(closest(name, film, shown))
    if args.picture:
        cv2.imwrite(str(args.picture), np.vstack(lines), [cv2.IMWRITE_JPEG_QUALITY, 75])


def write(film: HardFilm, path: Path) -> Path:
    video = VideoFormat(WIDTH, HEIGHT, FPS, color=BT709)
    with Encoder(path, video, codec="ffv1", time_base=1 / FPS) as encoder:
        for n in range(film.frames):
            encoder.write(Frame(*film.planes(n // 2 * 2 if film.twice else n), n, 1, 1 / FPS))
    return path


def upscaled(film: HardFilm, source: Path, tier: str) -> Shown:
    """The film at twice its rate; says how near it comes to the truth."""
    target, told = source.with_stem(f"{source.stem}-{tier}"), source.with_suffix(".json")
    words = ["--scale", "1", "--fps", "x2", "--tier", tier, "--codec", "ffv1", "--overwrite"]
    code = vidgen(["upscale", str(source), str(target), *words, "--quiet", "--report", str(told)])
    if code:
        raise SystemExit(code)
    with Decoder(target) as decoder:
        shown = {Fraction(round(2 * frame.time * FPS), 2): frame.planes for frame in decoder}
    quality = [psnr(film.planes(float(time))[0], shown[time][0]) for time in between(film)]
    (report,) = json.loads(told.read_text())["films"]
    made, held = report["frames_generated"], report["frames_held"]
    figures = f"{fmean(quality):6.2f} dB, worst {min(quality):.2f}"
    print(f"{source.stem:10s} {tier:9s} {figures}, made {made}, held {held}", flush=True)
    return shown


def between(film: HardFilm) -> list[Fraction]:
    """The instants half way from a picture to the next of its shot."""
    instants = [Fraction(2 * n + 1, 2) for n in range(film.frames - 1)]
    return [time for time in instants if not film.shots or (time + Fraction(1, 2)) % film.shots]


def sheet(name: str, film: HardFilm, shown: dict[str, Shown]) -> NDArray[Any]:
    return np.vstack([line(f"{name} {n}", film, shown, n) for n in film.shown])


def line(label: str, film: HardFilm, shown: dict[str, Shown], n: int) -> NDArray[Any]:
    """A real frame, what is true half a frame later, and what each tier shows then."""
    time = n + Fraction(1, 2)
    tiles = {label: shown[TIERS[0]][Fraction(n)], f"true {float(time)}": film.planes(float(time))}
    tiles |= {tier: shown[tier][time] for tier in TIERS}
    return np.hstack([labelled(to_rgb(tile, bgr=True), text) for text, tile in tiles.items()])


def closest(name: str, film: HardFilm, shown: dict[str, Shown]) -> NDArray[Any]:
    """The place where `balanced` is worst, of the lines of the sheet."""
    truths = {n: film.planes(n + 0.5) for n in film.shown}
    last = shown[TIERS[-1]]
    worst = min(truths, key=lambda n: psnr(truths[n][0], last[n + Fraction(1, 2)][0]))
    place = most_different(truths[worst][0], last[worst + Fraction(1, 2)][0])
    whole = line(f"{name} {worst}", film, shown, worst)
    tiles = np.hsplit(whole, len(TIERS) + 2)
    parts = [crop(tile[LABEL:], place, PART) for tile in tiles]
    labels = [f"{name}, frame {worst}", "true, half way", *TIERS]
    return np.hstack([labelled(part, text) for part, text in zip(parts, labels, strict=True)])


def labelled(tile: NDArray[Any], text: str) -> NDArray[Any]:
    tile = cv2.copyMakeBorder(tile, LABEL, 0, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    cv2.putText(tile, text, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


if __name__ == "__main__":
    main()

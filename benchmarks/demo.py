"""`make demo`: a short film through `vidgen upscale`, twice as large and twice as smooth.

Without --film, a scene is drawn by code; its true picture at any size and time is known, so the
sheet shows it beside the results.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.bench.compare import pair
from vidgen.bench.film import write_scene
from vidgen.bench.picture import beside, crop, most_different, to_bgr, write_png
from vidgen.bench.scenes import Scene
from vidgen.cli import main as vidgen
from vidgen.errors import OutputError, VidgenError
from vidgen.frame import Planes, VideoFormat
from vidgen.media import Decoder, probe
from vidgen.stages.fit import resample

WIDTH, HEIGHT, FPS, SECONDS = 640, 360, Fraction(24), Fraction(4)
CUT = Fraction(5, 2)
FILM_SECONDS = Fraction(5)
PANEL = 480, 321  # pixels of each picture of the sheet, at most
CLOSE = 3  # how much nearer a real frame is shown: detail is what matters there
SAME_TIME = Fraction(1, 500)  # containers round times to a millisecond


@dataclass(frozen=True)
class Part:
    """What is upscaled: a stretch of a film."""

    film: Path
    start: Fraction
    end: Fraction


@dataclass(frozen=True)
class Example:
    """A frame of the result, and what the source shows at its time."""

    time: Fraction
    between: bool
    """True when the source has no frame of its own at this time."""
    source: Planes
    made: Planes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, help="a film to use instead of the drawn scene")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder to write to")
    args = parser.parse_args()
    try:
        return demo(args.film, args.out)
    except VidgenError as error:
        print(f"demo: error: {error}", file=sys.stderr)
        return error.exit_code


def demo(film: Path | None, folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from None
    part = stretch(film) if film else draw(folder / "demo-source.mp4")
    target, sheet = folder / f"demo{suffix(part.film)}", folder / "demo-before-after.png"
    words = ["--scale", "2", "--fps", "x2", "--overwrite"]
    if film:
        words += ["--start", str(float(part.start)), "--end", str(float(part.end))]
    print(f"vidgen upscale {part.film} {target} {' '.join(words)}", flush=True)
    code = vidgen(["upscale", str(part.film), str(target), *words])
    if code:
        return code
    write_png(sheet, before_after(part, target, truth=film is None))
    print(f"before  {part.film}\nafter   {target}\nboth    {sheet}")
    return 0


def draw(target: Path) -> Part:
    print(f"drawing {SECONDS} s of {WIDTH}x{HEIGHT} at {FPS} frames a second: {target}", flush=True)
    write_scene(target, Scene(WIDTH, HEIGHT, cut=CUT), fps=FPS, seconds=SECONDS, crf=20)
    return Part(target, Fraction(0), SECONDS)


def stretch(film: Path) -> Part:
    """A few seconds from a quarter into the film, where titles are over; times in milliseconds."""
    duration = probe(film).duration or Fraction(0)
    start = max(min(duration / 4, duration - FILM_SECONDS), Fraction(0))
    start = Fraction(int(start * 1000), 1000)
    length = min(duration, FILM_SECONDS) if duration else FILM_SECONDS
    return Part(film, start, start + length)


def suffix(film: Path) -> str:
    """A container that holds all that the film does: its own, or Matroska."""
    own = film.suffix.lower()
    return own if own in (".mp4", ".m4v", ".mov") else ".mkv"


def before_after(part: Part, target: Path, *, truth: bool) -> NDArray[np.uint8]:
    """A sheet: above a real frame enlarged, below a frame between two real ones."""
    video, found = examples(part, target)
    rows = []
    for example in found:
        plain = resample(example.source, video.width, video.height, video.bit_depth)
        kind = "frame held, Lanczos" if example.between else f"Lanczos (a pixel as {CLOSE}x{CLOSE})"
        pictures = [
            (f"before: {kind}, at {float(example.time):.3f} s", plain),
            (f"after: vidgen{', frame made' if example.between else ''}", example.made),
        ]
        if truth:
            scene = Scene(video.width, video.height, cut=CUT)
            pictures.append(("truth: drawn at this size and time", scene.planes(example.time)))
        place, closer = telling(plain[0], example.made[0]), 1 if example.between else CLOSE
        rows.append([(label, shown(planes, video, place, closer)) for label, planes in pictures])
    return beside(rows)


def examples(part: Part, target: Path) -> tuple[VideoFormat, list[Example]]:
    """The first real frame, and the first between two, after a third of the result."""
    wanted = (part.end - part.start) / 3
    found: dict[bool, Example] = {}
    with Decoder(part.film, start=part.start, end=part.end) as source, Decoder(target) as made:
        for example in paired(source, made):
            last = found.get(example.between)
            if last is None or last.time < wanted:
                found[example.between] = example
        return made.format, [found[between] for between in sorted(found)]


def paired(source: Decoder, made: Decoder) -> Iterator[Example]:
    origin: Fraction | None = None
    for time, held, frame in pair(source, made):
        if held is None:
            return
        origin = held.time if origin is None else origin
        between = time - (held.time - origin) > SAME_TIME
        yield Example(time, between, held.planes, frame.planes)


def telling(one: NDArray[Any], other: NDArray[Any]) -> tuple[int, int]:
    """Where two luma planes differ most, away from the black borders of many films."""
    down, right = one.shape[0] // 8, one.shape[1] // 8
    x, y = most_different(one[down:-down, right:-right], other[down:-down, right:-right])
    return x + right, y + down


def shown(
    planes: Planes, video: VideoFormat, place: tuple[int, int], closer: int
) -> NDArray[np.uint8]:
    """The picture about `place` as a player turns it, each pixel `closer` times as large, BGR."""
    width, height = min(PANEL[0], video.width), min(PANEL[1], video.height)
    size = width // CLOSE * CLOSE // closer, height // CLOSE * CLOSE // closer
    part = crop(to_bgr(planes, video.color, video.bit_depth), place, size)
    return np.rot90(part, video.rotation // 90).repeat(closer, axis=0).repeat(closer, axis=1)


if __name__ == "__main__":
    sys.exit(main())

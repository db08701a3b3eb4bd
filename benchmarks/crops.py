"""Details of evaluation films, enlarged in every way, in one picture to look at.

    python -m benchmarks.crops                 x2 networks, into benchmarks/pictures/crops.jpg
    python -m benchmarks.crops --models x2-realtime --out crops.png

Each film is halved by area and coded with H.264 CRF 23; `RUN` neighbouring frames are enlarged
again as users run it, and the last is shown beside the film itself. Details are enlarged twice by
the nearest neighbour, so that pixels can be seen.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vidgen import zoo
from vidgen.bench.clips import film_clip
from vidgen.bench.methods import Maker, Resize, lanczos, network
from vidgen.bench.picture import crop, to_bgr
from vidgen.engines import choose_backend
from vidgen.frame import Color, Planes
from vidgen.media import probe

DATA = Path("../shared/data/eval/video")
OUT = Path("benchmarks/pictures/crops.jpg")
RUN = 8
SIDE = 112, 72  # columns and rows of a detail
_LABEL = 20  # rows above a column


@dataclass(frozen=True)
class Detail:
    """Where to look."""

    what: str
    film: str
    share: Fraction
    """Of the duration, where the run begins."""
    centre: tuple[int, int]
    """Column and row."""


DETAILS = (
    Detail("an old film", "bw_his_girl_friday.mp4", Fraction(1, 3), (440, 85)),
    Detail("a face", "sintel_trailer_audio_subs_chapters.mkv", Fraction(21, 33), (690, 305)),
    Detail("text", "sintel_trailer_audio_subs_chapters.mkv", Fraction(15, 33), (660, 328)),
    Detail("a cartoon", "cartoon_bbb_1080p60.mp4", Fraction(1, 3), (595, 385)),
    Detail("foliage", "hd_sam2_02_cups.mp4", Fraction(1, 3), (1230, 56)),
    Detail("cloth", "hd_sam2_02_cups.mp4", Fraction(1, 3), (750, 60)),
    Detail("fur", "vfr_phone_dog_1080p.mp4", Fraction(1, 3), (850, 545)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--models", nargs="*", default=doubling())
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    backend = choose_backend()
    ways: dict[str, Maker] = {"lanczos": lambda source: Resize(lanczos, 2, source.bit_depth)}
    ways |= {name: network(zoo.load(name), backend) for name in args.models}
    rows = [row(detail, args.data, ways) for detail in DETAILS]
    head = np.hstack([label(name) for name in [*ways, "the film"]])
    cv2.imwrite(str(args.out), np.vstack([head, *rows]), [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(f"wrote {args.out}")


def doubling() -> list[str]:
    """The shipped x2 networks, small ones first."""
    models = [zoo.load(name) for name in zoo.names(task="upscale")]
    return [m.name for m in sorted(models, key=lambda m: m.parameters) if m.scale == 2]


def row(detail: Detail, data: Path, ways: Mapping[str, Maker]) -> np.ndarray:
    """The detail as each way draws it, then as it was: (rows, columns, 3) BGR."""
    clip = film_clip(probe(data / detail.film), 2, RUN, detail.share)
    drawn = [list(make(clip.format)(clip.low))[-1].planes for make in ways.values()]
    print(detail.what)
    pictures = [*drawn, clip.truth[-1]]
    return np.hstack([shown(planes, clip.format.color, detail.centre) for planes in pictures])


def shown(planes: Planes, color: Color, centre: tuple[int, int]) -> np.ndarray:
    """The part around `centre`, in colour, pixels doubled."""
    part = crop(to_bgr(planes, color), centre, SIDE)
    return np.pad(part.repeat(2, 0).repeat(2, 1), ((2, 2), (2, 2), (0, 0)), constant_values=255)


def label(words: str) -> np.ndarray:
    """The head of a column."""
    tile = np.full((_LABEL, 2 * SIDE[0] + 4, 3), 255, np.uint8)
    return cv2.putText(tile, words, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1)


if __name__ == "__main__":
    main()

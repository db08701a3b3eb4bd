"""Interlace undone, beside FFmpeg's filters, against the progressive truth.

    python -m benchmarks.interlace                       ../shared/data/eval/video
    python -m benchmarks.interlace --films FOLDER --clips FILE:FIRST ...

The pictures of a film become one field each (at 50 or 60 fields a second where the
film has so many pictures, else with more motion than any real field has), as they are and once
through an interlaced H.264 encoder (CRF 20). Each way gives a picture for every field; PSNR is
taken over all of them but the outermost three, in luma and in chroma, against the pictures that the
fields were taken from. `own` is luma of the rows that each field has: what is made of the others is
hardly nearer to the truth than these. `native` is a film that came interlaced, with its truth
beside it. Seconds are of the process, user and system together, a picture. With `--rows` films keep
their size, and pictures are compared at that many rows, as of a film that becomes smaller.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import write_result
from benchmarks.weave import coded, filtered, pictures_of, woven_frames
from vidgen.frame import Planes
from vidgen.restore import Field, deinterlaced, rows_of

FILMS = Path(__file__).parents[2] / "shared" / "data" / "eval" / "video"
CLIPS = {
    "cartoon_bbb_1080p60.mp4": 30,
    "hd_sam2_02_cups.mp4": 100,
    "sintel_trailer_audio_subs_chapters.mkv": 330,
    "vfr_phone_dog_1080p.mp4": 8,
    "bw_his_girl_friday.mp4": 60,
}
"""File, and the first picture taken from it."""
NATIVE = ("interlaced_bbb_1080i30_tff.mp4", "cartoon_bbb_1080p60.mp4")
HEIGHT = 540  # to which larger films are reduced, but for the native one
FILTERS = {
    "bwdif": "mode=send_field:parity=tff",
    "yadif": "mode=send_field:parity=tff",
    "w3fdif": "filter=complex:mode=field:parity=tff",
}
SHRINKS = "vidgen, shrinks"  # without flow: what is done where so few rows are shown
EDGE = 3  # pictures at either end that are not counted


@dataclass
class Case:
    """Frames of two fields, the top one first, and the truth of each field."""

    name: str
    frames: list[Planes]
    truth: list[Planes]


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=Path, default=FILMS)
    parser.add_argument("--clips", nargs="*", help="FILE:FIRST instead of the usual ones")
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--rows", type=int, help="at which pictures are compared; see above")
    parser.add_argument("--no-native", action="store_true")
    args = parser.parse_args()
    clips = dict(CLIPS)
    if args.clips:
        clips = {
            name: int(first) for name, _, first in (each.rpartition(":") for each in args.clips)
        }
    rows, height = [], None if args.rows else HEIGHT
    for case in cases(args.films, clips, args.pictures, height, native=not args.no_native):
        row = measured(case, args.rows)
        rows.append(row)
        show(row)
    gains = [row["luma"]["vidgen"] - row["luma"]["bwdif"] for row in rows]
    print(f"mean gain over bwdif, luma: {np.mean(gains):+.2f} dB, least {min(gains):+.2f} dB")
    name = f"interlace-{args.rows}" if args.rows else "interlace"
    write_result(name, {"pictures": args.pictures, "height": height, "clips": rows})


def cases(
    films: Path, clips: dict[str, int], count: int, height: int | None, native: bool
) -> Iterator[Case]:
    """All films, as they are and coded, and the one that came interlaced."""
    if native and (films / NATIVE[0]).exists():
        frames = list(islice(pictures_of(films / NATIVE[0]), count // 2))
        yield Case("native 1080i30", frames, list(islice(pictures_of(films / NATIVE[1]), count)))
    for name, first in clips.items():
        truth = list(islice(pictures_of(films / name, height), first, first + count // 2 * 2))
        frames = woven_frames(truth)
        yield Case(name, frames, truth)
        yield Case(f"{name}, coded", list(coded(frames, crf=20)), truth)


def measured(case: Case, rows: int | None) -> dict[str, Any]:
    """PSNR in dB of luma and chroma, and CPU seconds a picture, of each way."""
    row: dict[str, Any] = {"name": case.name, "size": list(case.truth[0][0].shape[::-1])}
    row |= {"luma": {}, "chroma": {}, "seconds": {}}
    for name in [*FILTERS, "vidgen", *([SHRINKS] if rows else [])]:
        begin = time.process_time()
        made = list(way(name)(case.frames))
        row["seconds"][name] = round((time.process_time() - begin) / len(made), 4)
        row["luma"][name] = psnr(made, case.truth, 0, rows)
        row["chroma"][name] = psnr(made, case.truth, 1, rows)
    row["own"] = psnr(*own_rows(case), 0)
    return row


def way(name: str) -> Callable[[Sequence[Planes]], Iterator[Planes]]:
    """One of FFmpeg's filters, or ours."""
    if name in FILTERS:
        return lambda frames: filtered(frames, name, FILTERS[name])
    return lambda frames: ours(frames, shrinks=name == SHRINKS)


def own_rows(case: Case) -> tuple[list[Planes], list[Planes]]:
    """What each field has of its picture, and the truth of that."""
    return (
        [rows_of(case.frames[number // 2], number % 2) for number in range(len(case.truth))],
        [rows_of(planes, number % 2) for number, planes in enumerate(case.truth)],
    )


def ours(frames: Sequence[Planes], shrinks: bool = False) -> Iterator[Planes]:
    """The deinterlacer of the pipeline."""
    fields = (
        Field(rows_of(frame, parity), parity, fresh=number == 0 and parity == 0)
        for number, frame in enumerate(frames)
        for parity in (0, 1)
    )
    return deinterlaced(fields, shrinks)


def psnr(
    made: Sequence[Planes], truth: Sequence[Planes], plane: int, rows: int | None = None
) -> float:
    """In dB, from the mean squared error over all pictures but the outermost."""

    def shown(planes: Planes) -> NDArray[Any]:
        picture = planes[plane].astype(np.float32)
        factor = rows / len(planes[0]) if rows else 1
        return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)

    pairs = list(zip(made, truth, strict=True))[EDGE:-EDGE]
    errors = [np.mean((shown(a) - shown(b)) ** 2) for a, b in pairs]
    return round(float(10 * np.log10(255**2 / max(np.mean(errors), 1e-9))), 2)


def show(row: dict[str, Any]) -> None:
    """One clip in a few words."""
    told = ", ".join(
        f"{name} {row['luma'][name]:.2f} ({row['chroma'][name]:.2f})" for name in row["luma"]
    )
    gain = row["luma"]["vidgen"] - row["luma"]["bwdif"]
    seconds = row["seconds"]["vidgen"]
    print(f"{row['name']}: {told}; gain {gain:+.2f} dB, own rows {row['own']:.2f}, "
          f"{1000 * seconds:.0f} ms", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

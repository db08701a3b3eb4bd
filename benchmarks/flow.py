"""Optical flow beside the vectors that a codec leaves: accuracy and time, where motion is known.

    python -m benchmarks.flow

Scenes: photographs that turn, grow and slide, and a disc of another one that goes its own way
before them, 640x360 (see `benchmarks.hard_films` for the data). The flow from each frame to the one
before is exact. Error is the mean distance in pixels, and the share of pixels that are more than 3
pixels off, of those whose place lies in both pictures. The last columns are of the six Middlebury
samples, which come without flow here: PSNR-Y of the middle frame that vidgen makes by that motion.

    codec         vectors of H.264 (x264 preset medium, CRF 20, no B-frames, one reference): median
                  of 3x3 cells where that matches better, holes filled from around, made dense by
                  overlapping blocks; time without what the decoder needs to hand them out
    codec + dis   the same as what vidgen's last step starts from
    codec, usual  vectors of x264's defaults, B-frames and three references, taken as if all led to
                  the frame before: FFmpeg tells past from future, and no more
    dis           OpenCV's presets at full resolution
    vidgen        FlowEstimator, as in both tiers
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.codec_vectors import dense, vectors_of
from benchmarks.common import write_result
from benchmarks.generate import triplets
from benchmarks.hard_films import HEIGHT, WIDTH, over, photo, picture
from vidgen.bench.metrics import psnr
from vidgen.frame import Motion, Planes
from vidgen.motion import Between, FlowEstimator, half_luma
from vidgen.motion.flow import halved
from vidgen.motion.warp import pixel_grid

Field = NDArray[Any]
"""(H, W, 2) float32, (x, y) order, in pixels of luma."""

SPEEDS = 2.0, 8.0, 24.0, 48.0  # pixels a frame, of the background
FRAMES = 9
USUAL = {"preset": "medium", "crf": "20", "sc_threshold": "0"}
PLAIN = {"bf": "0", "refs": "1"}
PHOTOS = (("old_airplane", "fish"), ("harmonica", "blossom"), ("bike_wheel", "one-way"))
WRONG = 3.0  # pixels


@dataclass(frozen=True)
class Pair:
    """Two neighbours, the vectors of the second as the decoder gives them, and its true flow."""

    previous: Planes
    current: Planes
    vectors: NDArray[Any]
    usual: NDArray[Any]
    """The same, coded with B-frames and several references."""
    truth: Field | None = None
    inside: NDArray[Any] | None = None
    """(H, W) bool: pixels that are compared."""


Method = Callable[[Pair], Field]
"""Flow from the current to the previous picture."""


def main() -> None:
    pairs = {speed: [p for names in PHOTOS for p in scene(*names, speed)] for speed in SPEEDS}
    samples = list(middlebury())
    columns = [f"{speed:g} px" for speed in SPEEDS]
    print(f"{'':18s}" + "".join(f"{c:>16s}" for c in columns) + f"{'ms':>9s}{'Middlebury':>12s}")
    rows = {name: measured(method, pairs, samples) for name, method in METHODS.items()}
    for name, row in rows.items():
        errors = "".join(f"{e:9.2f} {100 * w:5.1f}%" for e, w in row["error"])
        print(f"{name:18s}{errors}{row['ms']:9.1f}{row['middle']:12.2f}")
    write_result("flow", {"speeds": SPEEDS, "methods": rows})


def measured(
    method: Method, pairs: dict[float, list[Pair]], samples: list[tuple[Planes, Pair, Pair]]
) -> dict[str, Any]:
    errors, spent = [], []
    for each in pairs.values():
        off = []
        for pair in each:
            begun = time.thread_time()
            flow = method(pair)
            spent.append(time.thread_time() - begun)
            assert pair.truth is not None
            off.append(np.hypot(*np.moveaxis(flow - pair.truth, -1, 0))[pair.inside])
        errors.append((fmean(float(e.mean()) for e in off), share_wrong(off)))
    middles = [
        psnr(true[0], middle(there, method(there), method(back))) for true, there, back in samples
    ]
    return {"error": errors, "ms": 1000 * fmean(spent), "middle": fmean(middles)}


def share_wrong(off: list[NDArray[Any]]) -> float:
    return fmean(float((each > WRONG).mean()) for each in off)


def scene(behind: str, front: str, speed: float) -> Iterator[Pair]:
    """Neighbours of a scene whose background moves by `speed`, the disc by less, another way."""

    def views(n: int) -> tuple[Field, Field]:
        """From the picture at n to both photographs: affine, (2, 3)."""
        turn, grow = 0.004 * n, 1 + 0.004 * n
        c, s = np.cos(turn) / grow, np.sin(turn) / grow
        ground = np.array([[c, -s, speed * n], [s, c, 0.25 * speed * n]])
        return ground, np.array([[1, 0, 0.6 * speed * n], [0, 1, -0.3 * speed * n]])

    def centre(n: int) -> tuple[float, float]:
        return WIDTH / 2 - 0.6 * speed * (n - FRAMES / 2), HEIGHT / 2 + 0.3 * speed * (
            n - FRAMES / 2
        )

    pictures = [drawn(behind, front, views(n), centre(n)) for n in range(FRAMES)]
    plain, usual = coded(pictures), coded(pictures, USUAL)
    for n in range(1, FRAMES):
        pair = zip(views(n), views(n - 1), strict=True)
        ground, disc = (back(now, before) for now, before in pair)
        inside = np.hypot(*np.moveaxis(pixel_grid(HEIGHT, WIDTH) - centre(n), -1, 0)) < 80
        truth = np.where(inside[..., None], disc, ground).astype(np.float32)
        places = pixel_grid(HEIGHT, WIDTH) + truth
        seen = ((places >= 0) & (places <= (WIDTH - 1, HEIGHT - 1))).all(-1)
        covered = np.hypot(*np.moveaxis(places - centre(n - 1), -1, 0)) < 80
        seen &= inside | ~covered
        yield Pair(pictures[n - 1], pictures[n], plain[n], usual[n], truth, seen)


def drawn(
    behind: str, front: str, views: tuple[Field, Field], centre: tuple[float, float]
) -> Planes:
    ground, disc = (
        cv2.warpAffine(
            photo(name, 1.4, 0, 0),
            view,
            (WIDTH, HEIGHT),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        for name, view in zip((behind, front), views, strict=True)
    )
    return picture(over(ground, disc, *centre, 80))


def back(now: Field, before: Field) -> Field:
    """Flow from the picture seen by `now` to that seen by `before`."""
    there = np.linalg.inv(np.vstack([before, [0, 0, 1]])) @ np.vstack([now, [0, 0, 1]])
    grid = pixel_grid(HEIGHT, WIDTH).astype(np.float64)
    return grid @ there[:2, :2].T + there[:2, 2] - grid


def middlebury() -> Iterator[tuple[Planes, Pair, Pair]]:
    """The true middle of each sample, and its ends in both orders."""
    for _, frames in triplets():
        first, true, last = (frame.planes for frame in frames)
        there, again = coded([first, last])[1], coded([last, first])[1]
        yield true, Pair(first, last, there, there), Pair(last, first, again, again)


def coded(pictures: list[Planes], options: dict[str, str] = PLAIN) -> list[NDArray[Any]]:
    """The vectors of each of them, coded as a film."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mkv"
        with av.open(str(path), "w") as output:
            words = {**USUAL, **options}
            stream = output.add_stream("libx264", rate=Fraction(24), options=words)
            height, width = pictures[0][0].shape
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for y, uv in pictures:
                rows = np.concatenate([y, uv.reshape(height // 2, width)])
                output.mux(stream.encode(av.VideoFrame.from_ndarray(rows, format="nv12")))
            output.mux(stream.encode(None))
        return vectors_of(path)


def middle(pair: Pair, flow: Field, reverse: Field) -> NDArray[Any]:
    there, again = halved(flow), halved(reverse)
    ones = np.ones(there.shape[:2], np.float32)
    motion = Motion(there, lambda: again, lambda: (ones, ones))
    return Between(pair.previous, pair.current, motion).picture(0.5)[0]


def codec(pair: Pair) -> Field:
    return dense(pair.vectors, pair.current[0], pair.previous[0])


def codec_and_dis(pair: Pair) -> Field:
    """The last step of `FlowEstimator` from the codec's vectors instead of its own search."""
    start = halved(halved(codec(pair))) / 4
    ends = (halved(half_luma(planes[0])) for planes in (pair.current, pair.previous))
    return enlarged(4 * LAST.calc(*ends, start), pair)


def enlarged(flow: Field, pair: Pair) -> Field:
    return cv2.resize(flow, pair.current[0].shape[::-1], interpolation=cv2.INTER_LINEAR)


def dis(preset: int) -> Method:
    engine = cv2.DISOpticalFlow.create(preset)
    return lambda pair: engine.calc(pair.current[0], pair.previous[0], None)


def vidgen(fine: bool) -> Method:
    estimate = FlowEstimator(fine)

    def flow(pair: Pair) -> Field:
        ends = (half_luma(planes[0]) for planes in (pair.current, pair.previous))
        return enlarged(estimate.flow(*ends), pair)

    return flow


LAST = FlowEstimator()._final
METHODS: dict[str, Method] = {
    "codec": codec,
    "codec + dis": codec_and_dis,
    "codec, usual": lambda pair: dense(pair.usual, pair.current[0], pair.previous[0]),
    "dis ultrafast": dis(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST),
    "dis fast": dis(cv2.DISOPTICAL_FLOW_PRESET_FAST),
    "dis medium": dis(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM),
    "vidgen realtime": vidgen(fine=False),
    "vidgen balanced": vidgen(fine=True),
}


if __name__ == "__main__":
    main()

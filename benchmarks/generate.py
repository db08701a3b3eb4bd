"""Made frames beside other ways to make them: picture and speed, in one run.

    python -m benchmarks.generate                    ../shared/data/eval
    python -m benchmarks.generate --frames 21 film.mp4 other.mkv

Of each clip (8 bit, reduced to 540 rows by pixel area where larger), every other frame is left out
and made again from its neighbours. PSNR is taken on luma against the frame left out. Speed is
output frames a second, real ones included, of the same pictures in memory: from its first frame in
to its last frame out, after a warm-up; work is the processor time, user and system, of a made
frame. The allocator is set as the program sets it.

    blend         the mean of both neighbours
    dis-average   DIS medium both ways at full resolution, both neighbours warped by half their
                  flow (bilinear), and their mean
    mci           FFmpeg's minterpolate, mi_mode=mci
    vidgen        EstimateMotion and Generate, as in the pipeline
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import av
import cv2
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from benchmarks.common import write_result
from vidgen.bench.metrics import psnr
from vidgen.frame import Frame
from vidgen.media import Decoder, probe
from vidgen.memory import keep_freed_memory
from vidgen.motion.warp import pixel_grid, sample
from vidgen.stage import chain
from vidgen.stages import EstimateMotion, Generate
from vidgen.stages.fit import resample

DATA = Path("../shared/data/eval/video")
ROWS = 540
RATE = Fraction(24)  # of what is left of a clip; speed and picture do not depend on it

Luma = NDArray[Any]
Method = Callable[[list[Frame]], Iterator[tuple[int, Luma]]]
"""Real frames in; (index on the doubled grid, luma) out, odd indices made."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="*", type=Path, help="instead of ../shared/data/eval")
    parser.add_argument("--frames", type=int, default=25, help="of each clip, a third into it")
    args = parser.parse_args()
    keep_freed_memory()
    films = args.films or [path for path in sorted(DATA.iterdir()) if is_suitable(path)]
    print(f"{'':40s}" + "".join(f"{name:>14s}" for name in METHODS))
    rows = [row for row in (measured(path, args.frames) for path in films) if row]
    means = {name: fmean(row["psnr_y"][name] for row in rows) for name in METHODS}
    totals = {
        what: {name: sum(row[what][name] for row in rows) for name in METHODS}
        for what in ("shown", "made", "seconds", "cpu")
    }
    speeds = {name: totals["shown"][name] / totals["seconds"][name] for name in METHODS}
    show("mean PSNR-Y, dB", means, "14.2f")
    show("output frames a second", speeds, "14.1f")
    work = {name: 1000 * totals["cpu"][name] / totals["made"][name] for name in METHODS}
    show("processor ms a made frame", work, "14.1f")
    gain = means["vidgen"] - means["dis-average"]
    print(
        f"\nvidgen: {gain:+.2f} dB against dis-average, "
        f"{speeds['vidgen'] / speeds['mci']:.1f} times the speed of mci, "
        f"{work['mci'] / work['vidgen']:.1f} times less work a made frame"
    )
    result = {"clips": rows, "mean_psnr_y": means, "frames_per_second": speeds}
    write_result("generate", {**result, "cpu_ms_a_made_frame": work})


def is_suitable(path: Path) -> bool:
    """Progressive 8-bit films; others would be measured as something that they are not."""
    if path.suffix not in (".mp4", ".mkv", ".webm", ".mpg", ".264"):
        return False
    info = probe(path)
    return info.video is not None and info.video.bit_depth == 8 and not info.interlaced


def measured(path: Path, count: int) -> dict[str, Any] | None:
    """PSNR-Y by method on one clip, and the seconds that each took; None if it is too short."""
    frames = excerpt(path, count)
    if len(frames) < 7:
        return None
    real = [restamped(frame, n) for n, frame in enumerate(frames[::2])]
    made: dict[str, dict[int, Luma]] = {}
    seconds: dict[str, float] = {}
    cpu: dict[str, float] = {}
    shown_by: dict[str, int] = {}
    for name, method in METHODS.items():
        for _ in method(real[:3]):
            pass
        start, begun = time.perf_counter(), time.process_time()
        shown = list(method(real))
        seconds[name], cpu[name] = time.perf_counter() - start, time.process_time() - begun
        shown_by[name] = len(shown)
        made[name] = {n: luma for n, luma in shown if n % 2}
    common = set.intersection(*(set(of) for of in made.values()))
    quality = {
        name: fmean(psnr(made[name][n], frames[n].y) for n in sorted(common)) for name in METHODS
    }
    show(path.name, quality, "14.2f")
    size = f"{frames[0].y.shape[1]}x{frames[0].y.shape[0]}"
    told = {"clip": path.name, "size": size, "frames": len(real) * 2, "compared": len(common)}
    counts = {"shown": shown_by, "made": {name: len(pictures) for name, pictures in made.items()}}
    return {**told, **counts, "psnr_y": quality, "seconds": seconds, "cpu": cpu}


def excerpt(path: Path, count: int) -> list[Frame]:
    """An odd number of frames, at most `count`, from a third into the film."""
    skip = max((probe(path).frames or 0) - count, 0) // 3
    with Decoder(path) as decoder:
        frames = [reduced(frame) for frame in islice(decoder, skip, skip + count)]
    return frames[: len(frames) - 1 + len(frames) % 2]


def reduced(frame: Frame) -> Frame:
    height, width = frame.y.shape
    if height <= ROWS:
        return frame
    return frame.with_planes(resample(frame.planes, round(width * ROWS / height / 2) * 2, ROWS, 8))


def restamped(frame: Frame, number: int) -> Frame:
    return Frame(frame.y, frame.uv, number, 1, 1 / RATE)


def show(label: str, values: dict[str, float], style: str) -> None:
    print(f"{label:40s}" + "".join(format(value, style) for value in values.values()), flush=True)


def blend(real: list[Frame]) -> Iterator[tuple[int, Luma]]:
    """The mean of both neighbours, of all planes."""
    for n, (a, b) in enumerate(pairwise(real)):
        yield 2 * n, a.y
        y, _ = (cv2.addWeighted(p, 0.5, q, 0.5, 0) for p, q in zip(a.planes, b.planes, strict=True))
        yield 2 * n + 1, y


def dis_average(real: list[Frame]) -> Iterator[tuple[int, Luma]]:
    """See the module; chroma takes the same flow at half size."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    for n, (a, b) in enumerate(pairwise(real)):
        yield 2 * n, a.y
        flows = [dis.calc(b.y, a.y, None) / 2, dis.calc(a.y, b.y, None) / 2]
        planes = []
        for size, (p, q) in zip((1, 0.5), zip(a.planes, b.planes, strict=True), strict=True):
            warped = [
                sample(plane, pixel_grid(*plane.shape[:2]) + size * scaled(flow, plane))
                for plane, flow in zip((p, q), flows, strict=True)
            ]
            planes.append(cv2.addWeighted(warped[0], 0.5, warped[1], 0.5, 0))
        yield 2 * n + 1, planes[0]


def scaled(flow: NDArray[np.float32], plane: Luma) -> NDArray[np.float32]:
    if plane.ndim == 2:
        return flow
    return cv2.resize(flow, plane.shape[1::-1], interpolation=cv2.INTER_AREA).astype(np.float32)


def mci(real: list[Frame]) -> Iterator[tuple[int, Luma]]:
    """FFmpeg's minterpolate with its other settings as they are; it leaves out the ends."""
    height, width = real[0].y.shape
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format="nv12", time_base=1 / RATE)
    nodes = [
        source,
        graph.add("format", "yuv420p"),
        graph.add("minterpolate", f"fps={2 * RATE}:mi_mode=mci"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    for frame in [*real, None]:
        source.push(picture(frame) if frame else None)
        while True:
            try:
                out = nodes[-1].pull()
            except (BlockingIOError, EOFError):
                break
            luma = np.frombuffer(out.planes[0], np.uint8).reshape(height, -1)[:, :width]
            yield int(out.pts * out.time_base * 2 * RATE), luma


def picture(frame: Frame) -> av.VideoFrame:
    height, width = frame.y.shape
    rows = np.concatenate([frame.y, frame.uv.reshape(height // 2, width)])
    video = av.VideoFrame.from_ndarray(rows, format="nv12")
    video.pts, video.time_base = frame.pts, frame.time_base
    return video


def vidgen(real: list[Frame]) -> Iterator[tuple[int, Luma]]:
    """The stages of the pipeline."""
    for frame in chain(real, EstimateMotion(), Generate(2 * RATE)):
        yield int(frame.time * 2 * RATE), frame.y


METHODS: dict[str, Method] = {
    "blend": blend,
    "dis-average": dis_average,
    "mci": mci,
    "vidgen": vidgen,
}


if __name__ == "__main__":
    main()

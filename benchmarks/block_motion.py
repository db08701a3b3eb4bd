"""Whether motion by blocks, as a GPU finds it by itself, does for what networks recall.

    python -m benchmarks.block_motion ../shared/data/eval/video/*1080p*.mp4

Each film is reduced, coded and enlarged again as `vidgen models evaluate` does it, without a past,
with the past brought along by the flow of the host, and by that of `vidgen.reference.search`. The
table, in Markdown, has what the past adds to PSNR-Y, and tOF and flicker (less is better).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidgen import zoo
from vidgen.bench.evaluate import Row, evaluate
from vidgen.bench.methods import Maker, network
from vidgen.engines import choose_backend
from vidgen.frame import Frame, Motion, VideoFormat
from vidgen.motion import half_luma
from vidgen.reference.search import search_reference
from vidgen.stage import Stage

_WAYS = "none", "flow", "blocks"


@dataclass(frozen=True)
class ByBlocks:
    """A stage, with the motion of frames found by blocks."""

    stage: Stage

    def output(self, source: VideoFormat) -> VideoFormat:
        """That of the stage."""
        return self.stage.output(source)

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield what the stage makes of them."""
        return iter(self.stage(self._found(frames)))

    def _found(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        before: NDArray[np.uint8] | None = None
        for frame in frames:
            now = half_luma(frame.y)
            motion = frame.motion and before is not None and cache(partial(_motion, before, now))
            yield replace(frame, motion=motion or None)
            before = now


def _motion(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> Motion:
    flow = search_reference(before, now)
    return Motion(flow, lambda: search_reference(now, before), _nobody_asks)


def _nobody_asks() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    raise NotImplementedError("upscalers do not look at the confidence of motion")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=12, help="of each film, a third into it")
    parser.add_argument("--models", nargs="*", default=["x2-realtime", "x2-balanced"])
    args = parser.parse_args()
    backend, ways = choose_backend(), dict[str, Maker]()
    for name in args.models:
        model = zoo.load(name)
        by_flow = network(model, backend)
        ways[f"{name} none"] = network(model, backend, history=False)
        ways[f"{name} flow"] = by_flow
        ways[f"{name} blocks"] = lambda source, make=by_flow: ByBlocks(make(source))
    with tempfile.TemporaryDirectory() as folder:
        for film in args.films:
            (Path(folder) / film.name).symlink_to(film.resolve())
        found = evaluate(ways, 2, Path(folder), frames=args.frames)
    for note in found.notes:
        print(note)
    for name in args.models:
        print("\n".join(["", *_table(name, found.rows)]))


def _table(name: str, rows: list[Row]) -> Iterator[str]:
    yield f"| {name} | no past, PSNR-Y | flow | blocks | tOF | flicker |"
    yield "| --- | --- | --- | --- | --- | --- |"
    gains = np.array([_gains(name, row) for row in rows])
    for row, (flow, blocks) in zip(rows, gains, strict=True):
        scores = [row.scores[f"{name} {way}"] for way in _WAYS]
        others = (
            ", ".join(f"{each[key]:.3f}" if key in each else "-" for each in scores)
            for key in ("tof", "flicker")
        )
        cells = f"{scores[0]['psnr_y']:.2f} dB", f"{flow:+.3f}", f"{blocks:+.3f}", *others
        yield f"| {row.name}, {row.size} | {' | '.join(cells)} |"
    yield f"| mean | | {gains[:, 0].mean():+.4f} | {gains[:, 1].mean():+.4f} | | |"


def _gains(name: str, row: Row) -> tuple[float, float]:
    none, flow, blocks = (row.scores[f"{name} {way}"]["psnr_y"] for way in _WAYS)
    return flow - none, blocks - none


if __name__ == "__main__":
    main()

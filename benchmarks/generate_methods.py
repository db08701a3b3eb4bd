"""Ways to make the frames between real ones, for `benchmarks.generate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import av
import cv2
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

from benchmarks import rife as package
from vidgen import zoo
from vidgen.engines import choose_backend
from vidgen.frame import Frame, VideoFormat
from vidgen.motion.warp import pixel_grid, sample
from vidgen.stage import Stage, chain
from vidgen.stages import EstimateMotion, Generate, by_network

__all__ = ["METHODS", "RATE", "Luma", "Method"]

RATE = Fraction(24)  # of the real frames; speed and picture do not depend on it

Luma = NDArray[Any]
Method = Callable[[list[Frame]], Iterator[tuple[int, Luma]]]
"""Real frames in; (index on the doubled grid, luma) out, odd indices made."""


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


def rife(real: list[Frame]) -> Iterator[tuple[int, Luma]]:
    """See `benchmarks.rife`."""
    network = _rife()
    for n, (a, b) in enumerate(pairwise(real)):
        yield 2 * n, a.y
        yield 2 * n + 1, network(a.planes, b.planes)


@cache
def _rife() -> package.Rife:
    return package.Rife()


def motion(real: list[Frame]) -> Iterator[tuple[int, Luma]]:
    """The stages of the pipeline without a network."""
    yield from _shown(real, EstimateMotion(), Generate(2 * RATE))


def network(real: list[Frame]) -> Iterator[tuple[int, Luma]]:
    """The stages of the pipeline."""
    yield from _shown(real, EstimateMotion(), _generate(real))


def balanced(real: list[Frame]) -> Iterator[tuple[int, Luma]]:
    """The same with `--tier balanced`: finer flow."""
    yield from _shown(real, EstimateMotion(fine=True), _generate(real))


def _generate(real: list[Frame]) -> Generate:
    height, width = real[0].y.shape
    model = zoo.load("mid-realtime")
    return Generate(2 * RATE, by_network(choose_backend(), model, VideoFormat(width, height)))


def _shown(real: list[Frame], *stages: Stage) -> Iterator[tuple[int, Luma]]:
    for frame in chain(real, *stages):
        yield int(frame.time * 2 * RATE), frame.y


METHODS: dict[str, Method] = {
    "blend": blend,
    "dis-average": dis_average,
    "mci": mci,
    **({"rife": rife} if package.is_installed() else {}),
    "motion": motion,
    "network": network,
    "balanced": balanced,
}

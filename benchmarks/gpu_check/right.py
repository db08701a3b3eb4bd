"""Whether everything on the GPU computes what it should, and gives its memory back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.kernel_cases import CASES, SIZES
from vidgen import zoo
from vidgen.engines import Backend
from vidgen.engines.device import DeviceEngine
from vidgen.engines.search import BlockSearch
from vidgen.engines.shapes import inputs_of
from vidgen.engines.workspace import Workspace
from vidgen.kernels import load
from vidgen.reference.history import (
    align_reference,
    halve_reference,
    trusted_reference,
    widened_reference,
)
from vidgen.reference.search import search_reference
from vidgen.zoo import Model

__all__ = [
    "SHIPPED",
    "Check",
    "by_torch",
    "growth",
    "kernels",
    "made_up",
    "motion",
    "networks",
    "recalled",
]

SHIPPED = zoo.names(zoo.models_folder())

_FLATS = (0, 1, 100, 254)  # of 8 bits; and the highest code
_SETTLED = 100  # frames until what is allocated once has been


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    what: str
    passed: bool
    told: str


def kernels(cupy: Any, sizes: list[tuple[int, int]] = SIZES) -> Iterator[Check]:
    """Every kernel with a reference, code for code."""
    for file, build in CASES.items():
        module, wrong, count = load(file), [], 0
        for size in sizes:
            for case in build(np.random.default_rng(0), *size):
                given = [
                    cupy.asarray(each) if isinstance(each, np.ndarray) else np.int32(each)
                    for each in case.arguments
                ]
                module.get_function(case.kernel)(*case.geometry, tuple(given))
                count += 1
                for number, expected in case.expected().items():
                    if not np.array_equal(cupy.asnumpy(given[number]), expected, equal_nan=True):
                        wrong.append(f"{case.kernel} {case.variant} {case.tries} {size}")
        told = f"{count} launches, each code that of the reference"
        yield Check(f"{file}.cu", not wrong, f"WRONG: {'; '.join(wrong)}" if wrong else told)


def networks(
    backend: Backend,
    width: int,
    height: int,
    names: Sequence[str] = SHIPPED,
    depths: Sequence[int] = (8, 10),
) -> Iterator[Check]:
    """Models at both depths, against their graphs run by NumPy in float32."""
    for name in names:
        for depth in depths:
            model = zoo.load(name)
            given = made_up(model, width, height, depth)
            expected = by_numpy(model, given, depth)
            with backend.compile(model, width, height, depth) as engine:
                codes = apart(engine(*given), expected)
                allowed = 1 if model.task == "upscale" else 1 << (depth - 8)  # a code of 8 bits
                told = f"{(codes > 0).mean():.2%} of codes apart, by {codes.max()} at most"
                yield Check(f"{name} {depth} bit", bool(codes.max() <= allowed), told)
                if model.task == "upscale":
                    yield _flat(engine, model, width, height, depth)


def by_torch(width: int, height: int, names: Sequence[str]) -> Iterator[Check]:
    """Whether what the speed is compared with computes the same."""
    from benchmarks.gpu_check.torch_nets import TorchUpscaler

    for name in names:
        model = zoo.load(name)
        given = made_up(model, width, height, 8)
        net = TorchUpscaler(model, given)
        net.run()
        codes = apart(net.result(), by_numpy(model, given, 8))
        told = f"{(codes > 0).mean():.2%} of codes apart, by {codes.max()} at most"
        yield Check(f"{name} in torch, {net.precision}", bool(codes.max() <= 1), told)


def by_numpy(model: Model, given: list[NDArray[Any]], depth: int) -> list[NDArray[Any]]:
    """What the graph of the model makes of those planes, in float32."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    height, width = given[0].shape[:2]  # names alone are taken of the shapes
    graph = onnx.load(str(model.onnx(depth)))
    named = dict(zip(inputs_of(model, width, height, depth), given, strict=True))
    return list(ReferenceEvaluator(graph).run(None, named))


def apart(ours: Sequence[NDArray[Any]], theirs: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """By how many codes, of all samples of all planes."""
    pairs = zip(ours, theirs, strict=True)
    return np.concatenate([np.abs(a.astype(int) - b).ravel() for a, b in pairs]).astype(int)


def _flat(engine: Any, model: Model, width: int, height: int, depth: int) -> Check:
    """Flat colours, and the same past: as they went in."""
    top, wrong = (1 << depth) - 1, []
    for level in (*(each << (depth - 8) for each in _FLATS), top):
        given = [
            np.full(shape, 255 if name == "confidence" else level, dtype)
            for name, (shape, dtype) in inputs_of(model, width, height, depth).items()
        ]
        if any((plane != level).any() for plane in engine(*given)):
            wrong.append(level)
    told = f"codes {wrong} changed" if wrong else "come out as they went in"
    return Check(f"{model.name} {depth} bit, flat colours", not wrong, told)


def made_up(model: Model, width: int, height: int, depth: int) -> list[NDArray[Any]]:
    """Smooth noise for every plane that the model takes, the past a little apart; any trust."""
    rng, top = np.random.default_rng(0), (1 << depth) - 1
    coarse = rng.random((height // 8 + 2, width // 8 + 2))
    base = np.kron(coarse, np.ones((8, 8))) * top
    given = []
    for name, (shape, dtype) in inputs_of(model, width, height, depth).items():
        if name in ("confidence", "guide"):
            given.append(rng.integers(0, 256, shape).astype(dtype))
            continue
        rows, columns = shape[-2:] if name == "history" else shape[:2]
        plane = base[:rows, :columns]
        plane = plane[..., None] if len(shape) == 3 and name != "history" else plane
        noisy = plane + rng.integers(-6, 7, shape) * (top + 1) // 256
        given.append(np.clip(noisy, 0, top).astype(dtype))
    return given


def recalled(
    backend: Backend, width: int, height: int, depths: Sequence[int] = (8, 10)
) -> Iterator[Check]:
    """The past that is made on the device: pictures as with the past that NumPy makes.

    Its motion comes from the host, or is found on the device.
    """
    model = zoo.load("x2-realtime")
    for depth, finds in product(depths, (False, True)):
        given = made_up(model, width, height, depth)
        first, second = (tuple(np.roll(each, 3 * n, 1) for each in given[:2]) for n in (0, 1))
        flow, memory = flow_of(width, height), backend.memory(1, finds_motion=finds)
        assert memory is not None
        with backend.compile(model, width, height, depth) as engine:
            drawn = memory.draw(engine, first, None, keep=True)[0]
            ours = memory.draw(engine, second, partial(flow_of, width, height), keep=True)
            halves = halve_reference(first[0]), halve_reference(second[0])
            steps = search_reference(*halves) if finds else flow
            rested, trust = trusted_reference(*halves, steps)
            history = align_reference(drawn, second[0], rested, model.scale)
            theirs = engine(*second, history, widened_reference(trust, second[0].shape))
            seen = (apart(ours, engine(*second, *map(np.zeros_like, given[2:]))) > 0).mean()
        codes = apart(ours, theirs)
        told = f"{(codes > 0).sum()} codes apart; the past changes {seen:.0%} of all codes"
        found = "found there" if finds else "given"
        yield Check(
            f"the past, {depth} bit, motion {found}", bool(codes.max() == 0 and seen > 0.01), told
        )


def motion(
    backend: Backend, cupy: Any, sizes: Sequence[tuple[int, int]] = ((180, 321), (540, 960))
) -> Iterator[Check]:
    """The motion that is found on the device, value for value; sizes are (height, width)."""
    model = zoo.load("x2-realtime")
    for height, width in sizes:
        previous = _squares(height, width)
        current = np.roll(previous, (4, -9), (0, 1))
        with backend.compile(model, 16, 16, 8) as engine:
            assert isinstance(engine, DeviceEngine)
            search = BlockSearch(Workspace(engine.card))
            pair = [cupy.asarray(each) for each in (previous, current)]
            cupy.cuda.Device(0).synchronize()  # they are copied on another stream
            ours = search(engine, *pair).get(stream=engine.card.stream)
            engine.wait()
        theirs = search_reference(previous, current)
        wrong = int((ours != theirs).sum())
        seen = (np.abs(theirs - (18, -8)) < 1).all(2).mean()
        told = f"{wrong} values apart; {seen:.0%} of the picture goes where it was moved"
        yield Check(f"motion, {width}x{height}", not wrong and bool(seen > 0.5), told)


def _squares(height: int, width: int) -> NDArray[np.uint8]:
    """(height, width): squares of all sizes, so that there is something to match in each half."""
    rng, picture = np.random.default_rng(2), np.zeros((height, width))
    for side in (4, 8, 16, 32, 64, 128):
        coarse = rng.random((height // side + 1, width // side + 1))
        picture += np.kron(coarse, np.ones((side, side)))[:height, :width]
    return np.asarray(picture * (255 / 6), np.uint8)


def flow_of(width: int, height: int) -> NDArray[np.float32]:
    """Three pixels to the left, more or less."""
    flow = np.random.default_rng(1).normal(0, 0.3, (height // 2, width // 2, 2))
    return (flow - (3, 0)).astype(np.float32)


def growth(backend: Backend, cupy: Any, frames: int, width: int, height: int) -> Check:
    """Free memory of the device after so many frames, drawn with what is recalled each time."""
    model = zoo.load("x2-realtime")
    y, uv = made_up(model, width, height, 8)[:2]
    memory = backend.memory(1, finds_motion=True)
    assert memory is not None
    draw = partial(memory.draw, flow=partial(flow_of, width, height), keep=True)
    with backend.compile(model, width, height, 8) as engine:
        for _ in range(min(_SETTLED, frames)):
            draw(engine, (y, uv))
        before = cupy.cuda.runtime.memGetInfo()[0]
        for _ in range(frames):
            draw(engine, (y, uv))
        lost = before - cupy.cuda.runtime.memGetInfo()[0]
    return Check("memory", lost <= 0, f"{lost} bytes less are free after {frames} more frames")

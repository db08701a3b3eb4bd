"""What upscalers recall, on a GPU as on the host: the same inputs for the network, the same films.

The GPU is the stand-in, its network one that repeats pixels, so that all differences are ours.
"""

import gc
import sys
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from benchmarks.shim import Kernels
from benchmarks.standin import CUDARuntimeError
from tests.engines.conftest import on_the_cpu
from vidgen import zoo
from vidgen.bench.scenes import Scene
from vidgen.engines import choose_backend
from vidgen.engines.device import DeviceEngine
from vidgen.engines.shapes import inputs_of, outputs_of
from vidgen.engines.tensorrt import PlanEngine
from vidgen.errors import BackendError
from vidgen.frame import dtype_of
from vidgen.motion.history import HostMemory
from vidgen.stages import EstimateMotion, Upscale

WIDTH, HEIGHT = 48, 32
ONE_CODE = 1 + (255 // 32 if cv2.__version__.startswith("4.") else 0)  # it rounds positions


@pytest.fixture(scope="module")
def cuda():
    yield from on_the_cpu()


class Repeat:
    """Repeats pixels on the GPU; `seen` holds `history` and `confidence` of the last run."""

    def _execute(self):
        cupy = self.card.cupy
        cupy.launches += 1
        if cupy.capture is None:
            self._repeat()
        else:
            cupy.capture.append(self._repeat)

    def _repeat(self):
        for name, made in self.made.items():
            factor = len(made.array) // len(self.given[name].array)
            made.array[...] = self.given[name].array.repeat(factor, 0).repeat(factor, 1)
        self.seen = [self.given[name].array.copy() for name in list(self.inputs)[2:]]


class OnDevice(Repeat, DeviceEngine):
    """As `--backend cuda` has it."""


class OnPlan(Repeat, PlanEngine):
    """As `--backend tensorrt` has it, where 10 bits are half precision on the device."""

    def __init__(self, card, inputs, outputs):
        names = [*inputs, "y_out", "uv_out"]
        context = SimpleNamespace(set_tensor_address=lambda name, address: None)
        plan = SimpleNamespace(
            num_io_tensors=len(names),
            get_tensor_name=names.__getitem__,
            create_execution_context=lambda: context,
        )
        runtime = SimpleNamespace(deserialize_cuda_engine=lambda data: plan)
        super().__init__(SimpleNamespace(Runtime=lambda log: runtime), card, None, b"", inputs,
                         outputs)  # fmt: skip


class OnHost:
    """The same on the host."""

    def __init__(self, inputs, scale):
        self.inputs, self._scale = inputs, scale

    def __call__(self, y, uv, *past):
        self.seen = past
        return tuple(plane.repeat(self._scale, 0).repeat(self._scale, 1) for plane in (y, uv))


class Restless:
    """Adds how often it was run: before a class of the above."""

    runs = 0

    def _repeat(self):
        super()._repeat()
        self.runs += 1
        self.made["y"].array[...] += self.made["y"].array.dtype.type(self.runs)


class RestlessOnHost(OnHost):
    runs = 0

    def __call__(self, y, uv, *past):
        self.runs += 1
        wide, chroma = super().__call__(y, uv, *past)
        return wide + wide.dtype.type(self.runs), chroma


def engines(cuda, depth=8, scale=2, kind=OnDevice, size=(WIDTH, HEIGHT), history=True):
    """One on the device, one on the host."""
    model = SimpleNamespace(task="upscale", scale=scale, history=history)
    shapes = inputs_of(model, *size, depth), outputs_of(model, *size, depth)
    return kind(cuda._card, *shapes), OnHost(shapes[0], scale)


def pictures(depth, count, size=(WIDTH, HEIGHT)):
    """Planes of a texture with noise that moves, so that trust is of all kinds."""
    rng, top = np.random.default_rng(5), (1 << depth) - 1
    width, height = size
    wide = cv2.GaussianBlur(rng.random((height, width + 60)).astype(np.float32), (0, 0), 4)
    wide = cv2.normalize(wide, None, 0, top, cv2.NORM_MINMAX)
    for number in range(count):
        y = wide[:, 30 - 3 * number :][:, :width] + rng.normal(0, top / 200, (height, width))
        uv = rng.integers(0, top + 1, (height // 2, width // 2, 2))
        yield tuple(np.clip(each, 0, top).astype(dtype_of(depth)) for each in (y, uv))


def flow(size=(WIDTH, HEIGHT), seed=2):
    """Near the motion of `pictures`, here and there far from it."""
    rng = np.random.default_rng(seed)
    made = rng.normal((-3, 0), 0.2, (size[1] // 2, size[0] // 2, 2)).astype(np.float32)
    made[:4] *= 9
    return made


def compared(memories, pair, planes, flow, keep=True):
    """Both draw; how far apart the networks' inputs are, as (history, confidence)."""
    made = [
        memory.draw(engine, planes, flow if flow is None else lambda: flow, keep=keep)
        for memory, engine in zip(memories, pair, strict=True)
    ]
    for ours, theirs in zip(*made, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return [
        np.abs(ours.astype(int) - theirs)
        for ours, theirs in zip(pair[0].seen, pair[1].seen, strict=True)
    ]


def both(cuda, factor=1):
    return cuda.memory(factor, finds_motion=False), HostMemory(factor)


@pytest.mark.parametrize(
    ("depth", "scale", "kind"),
    [(8, 2, OnDevice), (8, 4, OnDevice), (10, 2, OnDevice), (8, 2, OnPlan), (10, 2, OnPlan)],
)
def test_the_network_is_told_what_it_is_told_on_the_host(cuda, depth, scale, kind):
    pair, memories = engines(cuda, depth, scale, kind), both(cuda)
    for number, planes in enumerate(pictures(depth, 4)):
        history, confidence = compared(memories, pair, planes, flow() if number else None)
        assert history.max() <= ONE_CODE << (depth - 8 if ONE_CODE > 1 else 0)
        assert (history > 0).mean() < 0.02 or ONE_CODE > 1
        assert confidence.max() <= 1
        trust = pair[1].seen[1]
        assert (trust.min() < 60 and trust.max() > 200) if number else not trust.any()


def test_a_made_picture_reads_and_never_writes(cuda):
    pair, memories = engines(cuda), both(cuda)
    first, second, made = pictures(8, 3)
    compared(memories, pair, first, None)
    compared(memories, pair, second, flow())
    expected = [each.copy() for each in pair[0].seen]
    again = both(cuda)
    compared(again, pair, first, None)
    compared(again, pair, made, flow(seed=3), keep=False)
    assert pair[0].seen[1].any()
    compared(again, pair, second, flow())
    for ours, wanted in zip(pair[0].seen, expected, strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_nothing_is_recalled_across_a_cut_or_of_what_was_not_drawn(cuda):
    pair, memories = engines(cuda), both(cuda)
    first, second, third = pictures(8, 3)
    compared(memories, pair, first, flow())
    assert not pair[0].seen[1].any()
    compared(memories, pair, second, None)
    assert not any(each.any() for each in pair[0].seen)
    for memory in memories:
        memory.forget()
    compared(memories, pair, third, flow())
    assert not any(each.any() for each in pair[0].seen)


def test_another_network_goes_on_with_what_the_first_one_drew(cuda):
    """Also one without a past, whose output the next one recalls."""
    memories = both(cuda)
    chosen = engines(cuda), engines(cuda, history=False), engines(cuda)
    for number, planes in enumerate(pictures(8, 5)):
        apart = compared(memories, chosen[number % 3], planes, flow() if number else None)
        assert all(each.max() <= ONE_CODE for each in apart)
    assert chosen[1][0].seen == []
    assert chosen[0][0].seen[1].max() > 200


def test_a_second_pass_takes_the_flow_of_the_first_ones_pictures(cuda):
    size = 2 * WIDTH, 2 * HEIGHT
    pair, memories = engines(cuda, size=size), both(cuda, factor=2)
    slow = cv2.GaussianBlur(flow() / 2, (0, 0), 3)
    for number, planes in enumerate(pictures(8, 3, size)):
        apart = compared(memories, pair, planes, slow if number else None)
        assert all(each.max() <= ONE_CODE for each in apart)
    assert pair[0].seen[1].max() > 200


@pytest.mark.parametrize("factor", [1, 2])
def test_sizes_that_are_padded(cuda, factor):
    """The flow is that of the film's own picture, which is smaller than half the engine's."""
    pair, memories = engines(cuda), both(cuda, factor)
    small = flow((WIDTH // factor - 4, HEIGHT // factor - 2)) / factor
    for number, planes in enumerate(pictures(8, 3)):
        apart = compared(memories, pair, planes, small if number else None)
        assert all(each.max() <= ONE_CODE for each in apart)
    assert pair[0].seen[1].max() > 200


@pytest.mark.parametrize(("depth", "kind"), [(8, OnDevice), (10, OnDevice), (10, OnPlan)])
def test_what_does_not_change_is_not_drawn_anew(cuda, depth, kind):
    """As on the host, though the network draws a picture otherwise each time."""
    restless = type("Restless", (Restless, kind), {})
    (engine, other), memories = engines(cuda, depth, kind=restless), both(cuda)
    pair = engine, RestlessOnHost(other.inputs, 2)
    first, second = pictures(depth, 2)
    half = first[0].copy(), first[1]
    half[0][:, WIDTH // 2 :] = second[0][:, WIDTH // 2 :]
    drawn = []
    for planes, steps, keep in [(first, None, True), (half, flow, False), (half, flow, True),
                                (half, flow, True), (half, None, True)]:  # fmt: skip
        made = [
            memory.draw(engine, planes, steps, keep=keep)[0].astype(int)
            for memory, engine in zip(memories, pair, strict=True)
        ]
        np.testing.assert_array_equal(*made)
        drawn.append(made[0].copy())
    left = slice(0, WIDTH - 4)  # of the same pixels, and two on each side, twice as large
    for late in drawn[1:4]:
        np.testing.assert_array_equal(late[:, left], drawn[0][:, left])
    np.testing.assert_array_equal(drawn[3], drawn[2])
    assert (drawn[2][:, WIDTH:] == drawn[1][:, WIDTH:] + 1).all()
    assert (drawn[4] != drawn[3]).all()


def test_a_film_comes_out_as_on_the_host(cuda):
    """Through the stage: a change of tier, a made frame, a padded size; float32 beside it."""
    scene = Scene(34, 34, cut=None)
    frames = list(EstimateMotion()(scene.frames(Fraction(24), Fraction(4, 24))))
    frames[2] = replace(frames[2], generated=True)
    model = zoo.load("x2-realtime")
    models = model, replace(model, multiple_of=4)
    made = []
    for backend, precision in ((cuda, "mixed"), (choose_backend("openvino"), "f32")):
        levels = iter([0, 1, 1, 0])
        exact = [replace(each, precision=precision) for each in models]
        stage = Upscale(
            backend, exact[0], scene.format(Fraction(24)), others=(exact[1],),
            level=lambda levels=levels: next(levels),
        )  # fmt: skip
        made.append([frame.y.astype(int) for frame in stage(frames)])
    apart = np.abs(np.stack(made[0]) - np.stack(made[1]))
    assert apart.max() <= 2
    assert (apart > 0).mean() < 0.03
    assert made[0][0].shape == (68, 68)


def test_too_little_memory_for_the_past_says_what_would_fit(cuda, monkeypatch):
    cupy = sys.modules["cupy"]
    engine, _ = engines(cuda)
    monkeypatch.setattr(cupy, "room", cupy.held + 100)
    planes = next(pictures(8, 1))
    with pytest.raises(BackendError, match="no memory left for 96x64; give a smaller --size"):
        cuda.memory(1, finds_motion=True).draw(engine, planes, None, keep=True)


def test_a_gpu_lost_while_it_recalls_is_one_line_that_says_how_to_go_on(cuda, monkeypatch):
    engine, _ = engines(cuda)
    memory = cuda.memory(1, finds_motion=True)
    first, second = pictures(8, 2)
    memory.draw(engine, first, None, keep=True)

    def lost(*words):
        raise CUDARuntimeError("gone")

    monkeypatch.setattr("vidgen.engines.workspace.load", lost)
    with pytest.raises(BackendError, match=r"failed at 96x64 \(gone\).*segments are kept"):
        memory.draw(engine, second, flow, keep=True)


def test_ten_thousand_frames_take_no_memory_of_the_gpu(cuda, monkeypatch):
    """Cuts and made frames among them; and all of it is given back. Kernels only seem to run."""
    monkeypatch.setattr(Kernels, "launch", lambda *words: None)
    gc.collect()
    cupy = sys.modules["cupy"]
    begun, size = cupy.held, (4, 4)
    engine, _ = engines(cuda, size=size)
    memory = cuda.memory(1, finds_motion=True)
    planes = next(pictures(8, 1, size))
    for number in range(10_000):
        memory.draw(engine, planes, None if number % 100 == 0 else flow, keep=number % 3 > 0)
        if number == 200:
            held = cupy.held
    assert cupy.held == held > begun
    engine.close()
    del memory, engine
    assert cupy.held == begun

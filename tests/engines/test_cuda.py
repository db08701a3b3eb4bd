"""The `cuda` backend on the stand-in: networks of any shape, what it refuses, what goes wrong."""

import hashlib
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from benchmarks.standin import CUDADriverError, CUDARuntimeError, standin
from tests.engines.conftest import on_the_cpu
from vidgen import kernels, zoo
from vidgen.engines import choose, choose_backend
from vidgen.engines.shapes import inputs_of
from vidgen.engines.tiles import Layout, plan
from vidgen.errors import BackendError
from vidgen.nets.chain import Upscaler
from vidgen.train.fold import folded
from vidgen.train.graph import build_graph

SIZE = 56, 40


@pytest.fixture(scope="module")
def cuda():
    yield from on_the_cpu()


def written(model, graph, depth, folder):
    """That graph as the model of a card."""
    folder = folder / graph.graph.name
    folder.mkdir()
    path = folder / f"{model.name}.{depth}bit.onnx"
    onnx.save(graph, path)
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    return replace(model, folder=folder, sha256=sums)


def made(folder, bits, *, scale=2, history=False, **shape):
    """An upscaler of any shape with random weights, small enough for half precision."""
    torch.manual_seed(4)
    net = Upscaler(scale=scale, history=history, **shape)
    with torch.no_grad():
        for chain in (net.luma, net.chroma):
            for layer in chain.convolutions():
                torch.nn.init.normal_(layer.weight, std=0.5 / layer.weight[0].numel() ** 0.5)
                if layer.bias is not None:
                    layer.bias.normal_(std=0.1).clamp_(max=0)
            chain.tail.weight.mul_(0.5)
    name = "-".join(str(each) for each in shape.values())
    model = replace(zoo.load("x2-realtime"), name=name, scale=scale, history=history)
    return written(model, build_graph(folded(net), bits), bits, folder)


def planes(model, depth):
    rng, top = np.random.default_rng(2), (1 << depth) - 1
    given = []
    for name, (shape, dtype) in inputs_of(model, *SIZE, depth).items():
        high = 255 if name == "confidence" else top
        given.append(rng.integers(0, high + 1, shape).astype(dtype))
    return given


@pytest.mark.parametrize(
    ("depth", "shape"),
    [
        (8, {"grid": 1, "width": 12, "depth": 1, "scale": 4}),  # channels that are no eight
        (10, {"grid": 2, "width": 24, "depth": 1, "history": True}),
        (8, {"grid": 1, "width": 48, "depth": 3, "history": True}),  # skips, in several launches
    ],
    ids=str,
)
def test_any_chain_computes_what_its_graph_says(cuda, tmp_path, depth, shape):
    model = made(tmp_path, depth, **shape)
    given = planes(model, depth)
    exact = replace(model, precision="f32")
    with choose_backend("openvino").compile(exact, *SIZE, depth) as reference:
        expected = reference(*given)
    with cuda.compile(model, *SIZE, depth) as engine:
        for ours, theirs in zip(engine(*given), expected, strict=True):
            assert np.abs(ours.astype(int) - theirs).max() <= 1
    assert (expected[0] != np.kron(given[0], np.ones((model.scale, model.scale)))).mean() > 0.5


def test_the_second_flavour_is_mixed_in(cuda):
    model = zoo.load("x2-realtime")
    given, half = planes(model, 8), model.with_strength(0.5)
    exact = replace(half, precision="f32")
    with choose_backend("openvino").compile(exact, *SIZE, 8) as reference:
        expected = reference(*given)[0]
    with cuda.compile(half, *SIZE, 8) as engine, cuda.compile(model, *SIZE, 8) as plain:
        assert np.abs(engine(*given)[0].astype(int) - expected).max() <= 1
        assert (engine(*given)[0] != plain(*given)[0]).any()


def refusal(cuda, model, depth=8) -> str:
    with pytest.raises(BackendError) as told:
        cuda.compile(model, *SIZE, depth)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_what_is_no_chain_is_refused_with_what_can_run_it(cuda, tmp_path):
    model = zoo.load("x2-realtime")
    graph = onnx.load(model.onnx(8))
    graph.graph.node[-1].op_type = "Identity"
    text = refusal(cuda, written(model, graph, 8, tmp_path))
    assert "x2-realtime is none; give --backend tensorrt or openvino" in text
    graph.graph.name = "someone else's"
    assert "is none" in refusal(cuda, written(model, graph, 8, tmp_path))


def test_what_is_too_wide_or_needs_float32_is_refused(cuda, tmp_path):
    wide = made(tmp_path, 8, grid=1, width=72, depth=1)
    assert "at most 64 channels" in refusal(cuda, wide)
    exact = replace(zoo.load("x2-realtime"), precision="f32")
    assert "needs float32; give --backend openvino" in refusal(cuda, exact)


@pytest.fixture
def fake(monkeypatch):
    """`fake(...)`: the stand-in, for one test."""

    def install(**words):
        cupy = standin(**words)
        monkeypatch.setitem(sys.modules, "cupy", cupy)
        return cupy

    kernels._compiled.cache_clear()
    yield install
    kernels._compiled.cache_clear()


def test_a_card_that_is_too_old_or_too_small_is_named(fake):
    fake(capability="70")
    with pytest.raises(BackendError, match=r"7\.5 and above, and .* has 7\.0; give --backend open"):
        choose_backend("cuda")
    fake(shared_bytes=4096)
    assert "4096 bytes of shared memory" in refusal(choose_backend("cuda"), zoo.load("x2-realtime"))


def test_too_little_memory_says_what_would_fit(fake):
    fake(room=20_000)
    text = refusal(choose_backend("cuda"), zoo.load("x2-realtime"))
    assert "no memory left for 112x80; give a smaller --size" in text


def raises(error):
    def call(*words, **more):
        raise error

    return call


@pytest.mark.parametrize("kind", [CUDARuntimeError, CUDADriverError])
def test_a_lost_gpu_is_one_line_that_says_how_to_go_on(fake, monkeypatch, kind):
    cupy = fake()
    model = zoo.load("x2-realtime")
    engine = choose_backend("cuda").compile(model, *SIZE, 8)
    monkeypatch.setattr(engine, "_execute", raises(kind("gone")))
    with pytest.raises(BackendError, match=r"failed at 112x80 \(gone\).*segments are kept"):
        engine(*planes(model, 8))
    held = cupy.held
    engine.close()
    assert cupy.held < held


def test_a_gpu_that_another_program_holds_is_one_line(fake, monkeypatch):
    cupy = fake()
    cuda = choose_backend("cuda")
    busy = raises(CUDARuntimeError("cudaErrorDevicesUnavailable: busy"))
    monkeypatch.setattr(cupy, "empty", busy)
    assert "GPU 0 failed (cudaErrorDevicesUnavailable: busy)" in refusal(
        cuda, zoo.load("x2-realtime")
    )
    monkeypatch.setattr(cupy.cuda, "Stream", busy)
    with pytest.raises(BackendError, match=r"GPU 0 failed .* another --device"):
        choose_backend("cuda")


def test_a_capture_that_broke_off_is_never_replayed(fake, monkeypatch):
    cupy = fake()
    engine = choose_backend("cuda").compile(zoo.load("x2-realtime"), *SIZE, 8)
    given, work = planes(zoo.load("x2-realtime"), 8), engine._launches

    def lost():
        if cupy.capture is not None:
            raise CUDADriverError("gone")

    monkeypatch.setattr(engine, "_launches", [*work, lost])
    with pytest.raises(BackendError, match="gone"):
        engine(*given)
    monkeypatch.setattr(engine, "_launches", work)
    once = [each.copy() for each in engine(*given)]
    for ours, again in zip(once, engine(*given), strict=True):
        assert np.array_equal(ours, again)
    assert engine._graph is not None


def test_engines_give_their_memory_back(cuda):
    import cupy

    before = cupy.held
    for _ in range(3):
        with cuda.compile(zoo.load("x2-realtime"), *SIZE, 8):
            assert cupy.held > before
        assert cupy.held == before


def test_it_is_chosen_where_tensorrt_is_not(monkeypatch, tmp_path, fake):
    (tmp_path / "0000:01:00.0").mkdir()
    monkeypatch.setattr(choose, "_NVIDIA", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(choose, "find_spec", lambda name: name in ("cupy", "onnx"))
    fake()
    assert choose_backend().describe().startswith("own CUDA kernels")


LAYOUTS = {
    "realtime": Layout(layers=4, width=16, seen=5, made=4, skip=False, recall=True),
    "balanced": Layout(layers=6, width=32, seen=5, made=4, skip=True, recall=True),
    "wide": Layout(layers=5, width=64, seen=17, made=16, skip=True, recall=True),
}


@pytest.mark.parametrize("kilobytes", [64, 99, 163, 227])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_plans_do_every_layer_once_within_the_memory(layout, kilobytes):
    launches = plan(layout, kilobytes * 1024)
    done = [layer for each in launches for layer in range(each.first, each.last)]
    assert done == list(range(layout.layers))
    for each in launches:
        assert each.shared_bytes <= kilobytes * 1024
        columns, rows = each.grid(1080, 1920)
        assert columns * each.columns >= 1920 > (columns - 1) * each.columns
        assert rows * each.rows >= 1080 > (rows - 1) * each.rows


def test_more_memory_never_takes_more_launches():
    for layout in LAYOUTS.values():
        counts = [len(plan(layout, size * 1024)) for size in (64, 99, 163, 227)]
        assert counts == sorted(counts, reverse=True)
    assert plan(LAYOUTS["wide"], 1024) is None

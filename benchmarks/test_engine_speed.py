"""Each shipped network through the real engine, 960x540 in. Run by `make bench`."""

from fractions import Fraction

import pytest

from vidgen import zoo
from vidgen.bench.scenes import Scene
from vidgen.engines import choose_backend

WIDTH, HEIGHT = 960, 540


@pytest.fixture(scope="module")
def backend():
    return choose_backend()


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("name", zoo.names(task="upscale"))
def test_engine(benchmark, backend, name, depth):
    model = zoo.load(name)
    planes = Scene(WIDTH, HEIGHT, bit_depth=depth).planes(Fraction(1))
    benchmark.extra_info["engine"] = backend.describe()
    with backend.compile(model, WIDTH, HEIGHT, depth) as engine:
        engine(*planes)  # the first run allocates
        y, uv = benchmark(engine, *planes)
    assert y.shape == (model.scale * HEIGHT, model.scale * WIDTH)
    assert uv.shape == (model.scale * HEIGHT // 2, model.scale * WIDTH // 2, 2)


@pytest.mark.parametrize("name", zoo.names(task="upscale"))
def test_compile(benchmark, backend, name):
    model = zoo.load(name)

    def compile_and_close():
        with backend.compile(model, WIDTH, HEIGHT, 8):
            pass

    benchmark.pedantic(compile_and_close, rounds=5, warmup_rounds=1)

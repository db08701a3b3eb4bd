"""Every backend on models that make frames: planes in blocks and a guide in, planes out."""

from dataclasses import replace

import numpy as np
import pytest

from tests.engines.conftest import spare
from vidgen import zoo
from vidgen.engines import backend_names, choose_backend
from vidgen.errors import BackendError
from vidgen.frame import dtype_of

WIDTH, HEIGHT = 84, 48
HALF = HEIGHT // 2, WIDTH // 2


@pytest.fixture(scope="module", params=[8, 10])
def depth(request):
    return request.param


@pytest.fixture(scope="module", params=zoo.names(task="generate"))
def engine(request, backend, depth):
    model = zoo.load(request.param)
    spare(backend, model, depth)
    with backend.compile(model, WIDTH, HEIGHT, depth) as engine:
        yield engine


def picture(depth, seed):
    """Smooth random blocks of luma, and chroma."""
    coarse = np.random.default_rng(seed).random((HEIGHT // 8, WIDTH // 4 + 1, 6))
    blocks = np.kron(coarse, np.ones((4, 2, 1)))[: HALF[0], : HALF[1]] * ((1 << depth) - 1)
    blocks = blocks.astype(dtype_of(depth))
    return blocks[..., :4].copy(), blocks[..., 4:].copy()


def guide(*values):
    return np.full((*HALF, 4), values, np.uint8)


def unfolded(blocks):
    return blocks.reshape(*HALF, 2, 2).swapaxes(1, 2).reshape(HEIGHT, WIDTH)


def test_what_stands_still_comes_out_exactly_as_it_went_in(engine, depth):
    y, uv = picture(depth, 1)
    out_y, out_uv = engine(y, uv, y, uv, guide(128, 0, 0, 0))
    assert out_y.dtype == out_uv.dtype == dtype_of(depth)
    np.testing.assert_array_equal(out_y, unfolded(y))
    np.testing.assert_array_equal(out_uv, uv)


def test_a_closed_gate_keeps_the_result_between_the_candidates(engine, depth):
    first, last = picture(depth, 1), picture(depth, 2)
    out_y, out_uv = engine(*first, *last, guide(90, 255, 0, 0))
    ends = [(unfolded(y), uv) for y, uv in (first, last)]
    for out, low, high in zip((out_y, out_uv), *ends, strict=True):
        assert (out >= np.minimum(low, high)).all()
        assert (out <= np.maximum(low, high)).all()


def test_flat_colours_stay(engine, depth):
    top = (1 << depth) - 1
    for level in (0, 16 << (depth - 8), top // 3, top):
        y, uv = np.full((*HALF, 4), level, dtype_of(depth)), np.full((*HALF, 2), level)
        given = y, uv.astype(y.dtype), y, uv.astype(y.dtype), guide(128, 0, 60, 60)
        for out in engine(*given):
            assert np.abs(out.astype(int) - level).max() <= 1 << (depth - 8)


def test_runs_are_repeatable_and_results_belong_to_the_caller(engine, depth):
    given = *picture(depth, 1), *picture(depth, 2), guide(90, 99, 99, 99)
    first = engine(*given)
    kept = [plane.copy() for plane in first]
    engine(*given[2:4], *given[:2], given[4])
    for one, copy, other in zip(first, kept, engine(*given), strict=True):
        np.testing.assert_array_equal(one, copy)
        np.testing.assert_array_equal(one, other)


def test_the_wrong_input_is_refused(engine, depth):
    y, uv = picture(depth, 1)
    with pytest.raises(BackendError, match="takes"):
        engine(y, uv)
    with pytest.raises(BackendError, match="takes"):
        engine(y, uv, y, uv, guide(0, 0, 0, 0).astype(np.uint16))


@pytest.mark.parametrize("name", zoo.names(task="generate"))
def test_all_backends_agree_with_float32(backend, name, depth):
    given = *picture(depth, 1), *picture(depth, 2), guide(90, 99, 99, 99)
    model = zoo.load(name)
    spare(backend, model, depth)
    exact = replace(model, precision="f32")
    codes = 2 if backend.name == "openvino" else 1  # of 8 bits; bfloat16 is coarser than half
    with choose_backend(backend_names()[0]).compile(exact, WIDTH, HEIGHT, depth) as reference:
        expected = reference(*given)
    with backend.compile(model, WIDTH, HEIGHT, depth) as engine:
        for ours, theirs in zip(engine(*given), expected, strict=True):
            assert np.abs(ours.astype(int) - theirs).max() <= codes << (depth - 8)

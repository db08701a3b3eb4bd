"""One suite for every backend: an engine computes what its model says, and owns nothing of ours."""

from dataclasses import replace

import numpy as np
import pytest

from tests.engines.conftest import spare
from vidgen import zoo
from vidgen.engines import backend_names, choose_backend
from vidgen.errors import BackendError, ModelError, UsageError
from vidgen.frame import dtype_of

WIDTH, HEIGHT = 80, 48


@pytest.fixture(scope="module", params=[8, 10])
def depth(request):
    return request.param


@pytest.fixture(scope="module", params=zoo.names(task="upscale"))
def model(request):
    return zoo.load(request.param)


@pytest.fixture(scope="module")
def engine(backend, model, depth):
    spare(backend, model, depth)
    with backend.compile(model, WIDTH, HEIGHT, depth) as engine:
        yield engine


@pytest.fixture(scope="module")
def picture(model):
    """Makes inputs of the model: a smooth random picture with edges, and a past."""

    def make(depth, seed=0):
        y, uv = planes(depth, seed)
        return y, uv, *past(model, y, seed)

    return make


def past(model, y, seed=0):
    """A past near `y`, trusted here and there; nothing for a model without history."""
    if not model.history:
        return ()
    generator = np.random.default_rng(seed)
    stack = np.stack([y] * model.scale**2).astype(int)
    stack += generator.integers(-6, 7, stack.shape)
    top = np.iinfo(np.uint8).max if y.itemsize == 1 else 1023
    trust = generator.integers(0, 256, y.shape).astype(np.uint8)
    return np.clip(stack, 0, top).astype(y.dtype), trust


def planes(depth, seed=0):
    """A smooth random picture with edges, full code range."""
    generator = np.random.default_rng(seed)
    top = (1 << depth) - 1
    coarse = generator.random((HEIGHT // 8, WIDTH // 8, 3))
    blocks = np.kron(coarse, np.ones((8, 8, 1))) * top
    y = blocks[..., 0].astype(dtype_of(depth))
    return y, blocks[::2, ::2, 1:].astype(dtype_of(depth)).copy()


def test_planes_come_out_at_the_models_scale_in_their_own_dtype(engine, model, depth, picture):
    y, uv = engine(*picture(depth))
    assert y.shape == (HEIGHT * model.scale, WIDTH * model.scale)
    assert uv.shape == (HEIGHT * model.scale // 2, WIDTH * model.scale // 2, 2)
    assert y.dtype == uv.dtype == dtype_of(depth)
    assert y.max() < 1 << depth
    assert uv.max() < 1 << depth


def test_flat_colours_come_out_exactly_as_they_went_in(engine, model, depth):
    top = (1 << depth) - 1
    for level in (0, 1, 16 << (depth - 8), 100, top // 2, 235 << (depth - 8), top - 1, top):
        y = np.full((HEIGHT, WIDTH), level, dtype_of(depth))
        uv = np.full((HEIGHT // 2, WIDTH // 2, 2), top - level, dtype_of(depth))
        memory = (np.stack([y] * model.scale**2), np.full(y.shape, 255, np.uint8))
        out_y, out_uv = engine(y, uv, *(memory if model.history else ()))
        assert (out_y == level).all()
        assert (out_uv == top - level).all()


def test_without_trust_the_past_is_not_looked_at(engine, model, depth, picture):
    if not model.history:
        pytest.skip("takes no past")
    y, uv, history, trust = picture(depth)
    none, nothing = np.zeros_like(trust), np.zeros_like(history)
    for given, wanted in zip(
        engine(y, uv, history, none), engine(y, uv, nothing, none), strict=True
    ):
        np.testing.assert_array_equal(given, wanted)
    apart = engine(y, uv, history, np.full_like(trust, 255))[0] != engine(y, uv, nothing, none)[0]
    assert apart.any()


def test_the_picture_stays_where_it_was(engine, depth, model, picture):
    y, uv, *memory = picture(depth)
    out_y, out_uv = engine(y, uv, *memory)
    for before, after in ((y, out_y), (uv[..., 0], out_uv[..., 0]), (uv[..., 1], out_uv[..., 1])):
        high, wide = before.shape
        mean = after.reshape(high, model.scale, wide, model.scale).mean((1, 3))
        assert np.corrcoef(before.ravel(), mean.ravel())[0, 1] > 0.99


def test_runs_are_repeatable_and_results_belong_to_the_caller(engine, depth, picture):
    first = engine(*picture(depth, seed=1))
    kept = [plane.copy() for plane in first]
    engine(*picture(depth, seed=2))
    again = engine(*picture(depth, seed=1))
    for one, copy, other in zip(first, kept, again, strict=True):
        np.testing.assert_array_equal(one, copy)
        np.testing.assert_array_equal(one, other)


def test_inputs_may_be_read_only_views(engine, depth, picture):
    y, uv, *memory = picture(depth)
    wide = np.pad(y, ((0, 0), (0, 16)))
    view = wide[:, :WIDTH]
    view.flags.writeable = False
    uv.flags.writeable = False
    for given, expected in zip(engine(view, uv, *memory), engine(y, uv, *memory), strict=True):
        np.testing.assert_array_equal(given, expected)


def test_the_wrong_picture_is_refused(engine, depth, picture):
    y, uv, *memory = picture(depth)
    with pytest.raises(BackendError, match="takes"):
        engine(y[:-2], uv, *memory)
    with pytest.raises(BackendError, match="takes"):
        engine(y.astype(np.float32), uv, *memory)
    with pytest.raises(BackendError, match="takes"):
        engine(y)


def test_all_backends_agree_with_float32(engine, backend, model, depth, picture):
    """A code apart in half precision; in bfloat16, of the CPU, a code of 8 bits."""
    exact = replace(model, precision="f32")
    apart = 1 << (depth - 8) if backend.name == "openvino" else 1
    with choose_backend(backend_names()[0]).compile(exact, WIDTH, HEIGHT, depth) as reference:
        for given, expected in zip(
            engine(*picture(depth)), reference(*picture(depth)), strict=True
        ):
            assert np.abs(given.astype(int) - expected.astype(int)).max() <= apart


def test_a_size_the_network_cannot_take_is_named(backend, model):
    with pytest.raises(ModelError, match="divisible"):
        backend.compile(model, WIDTH + 1, HEIGHT, 8)


def test_a_backend_describes_itself_in_one_line(backend):
    assert backend.describe()
    assert "\n" not in backend.describe()


def test_unknown_backends_name_the_known_ones():
    with pytest.raises(UsageError, match="openvino"):
        choose_backend("vulkan")

"""One suite for every backend: an engine computes what its model says, and owns nothing of ours."""

import numpy as np
import pytest

from vidgen import zoo
from vidgen.engines import backend_names, choose_backend
from vidgen.errors import BackendError, ModelError, UsageError
from vidgen.frame import dtype_of

WIDTH, HEIGHT = 80, 48


@pytest.fixture(scope="module", params=backend_names())
def backend(request):
    return choose_backend(request.param)


@pytest.fixture(scope="module", params=[8, 10])
def depth(request):
    return request.param


@pytest.fixture(scope="module", params=zoo.names())
def model(request):
    return zoo.load(request.param)


@pytest.fixture(scope="module")
def engine(backend, model, depth):
    with backend.compile(model, WIDTH, HEIGHT, depth) as engine:
        yield engine


def picture(depth, seed=0):
    """A smooth random picture with edges, full code range."""
    generator = np.random.default_rng(seed)
    top = (1 << depth) - 1
    coarse = generator.random((HEIGHT // 8, WIDTH // 8, 3))
    planes = np.kron(coarse, np.ones((8, 8, 1))) * top
    y = planes[..., 0].astype(dtype_of(depth))
    return y, planes[::2, ::2, 1:].astype(dtype_of(depth)).copy()


def test_planes_come_out_at_the_models_scale_in_their_own_dtype(engine, model, depth):
    y, uv = engine(*picture(depth))
    assert y.shape == (HEIGHT * model.scale, WIDTH * model.scale)
    assert uv.shape == (HEIGHT * model.scale // 2, WIDTH * model.scale // 2, 2)
    assert y.dtype == uv.dtype == dtype_of(depth)
    assert y.max() < 1 << depth
    assert uv.max() < 1 << depth


def test_flat_colours_come_out_exactly_as_they_went_in(engine, depth):
    top = (1 << depth) - 1
    for level in (0, 1, 16 << (depth - 8), 100, top // 2, 235 << (depth - 8), top - 1, top):
        y = np.full((HEIGHT, WIDTH), level, dtype_of(depth))
        uv = np.full((HEIGHT // 2, WIDTH // 2, 2), top - level, dtype_of(depth))
        out_y, out_uv = engine(y, uv)
        assert (out_y == level).all()
        assert (out_uv == top - level).all()


def test_the_picture_stays_where_it_was(engine, depth, model):
    y, uv = picture(depth)
    out_y, out_uv = engine(y, uv)
    for before, after in ((y, out_y), (uv[..., 0], out_uv[..., 0]), (uv[..., 1], out_uv[..., 1])):
        high, wide = before.shape
        mean = after.reshape(high, model.scale, wide, model.scale).mean((1, 3))
        assert np.corrcoef(before.ravel(), mean.ravel())[0, 1] > 0.99


def test_runs_are_repeatable_and_results_belong_to_the_caller(engine, depth):
    first = engine(*picture(depth, seed=1))
    kept = [plane.copy() for plane in first]
    engine(*picture(depth, seed=2))
    again = engine(*picture(depth, seed=1))
    for one, copy, other in zip(first, kept, again, strict=True):
        np.testing.assert_array_equal(one, copy)
        np.testing.assert_array_equal(one, other)


def test_inputs_may_be_read_only_views(engine, depth):
    y, uv = picture(depth)
    wide = np.pad(y, ((0, 0), (0, 16)))
    view = wide[:, :WIDTH]
    view.flags.writeable = False
    uv.flags.writeable = False
    for given, expected in zip(engine(view, uv), engine(y, uv), strict=True):
        np.testing.assert_array_equal(given, expected)


def test_the_wrong_picture_is_refused(engine, depth):
    y, uv = picture(depth)
    with pytest.raises(BackendError, match="takes"):
        engine(y[:-2], uv)
    with pytest.raises(BackendError, match="takes"):
        engine(y.astype(np.float32), uv)


def test_all_backends_agree_with_the_first(engine, model, depth):
    with choose_backend(backend_names()[0]).compile(model, WIDTH, HEIGHT, depth) as reference:
        for given, expected in zip(
            engine(*picture(depth)), reference(*picture(depth)), strict=True
        ):
            assert np.abs(given.astype(int) - expected.astype(int)).max() <= 1


def test_a_size_the_network_cannot_take_is_named(backend, model):
    with pytest.raises(ModelError, match="divisible"):
        backend.compile(model, WIDTH + 1, HEIGHT, 8)


def test_a_backend_describes_itself_in_one_line(backend):
    assert backend.describe()
    assert "\n" not in backend.describe()


def test_unknown_backends_name_the_known_ones():
    with pytest.raises(UsageError, match="openvino"):
        choose_backend("vulkan")

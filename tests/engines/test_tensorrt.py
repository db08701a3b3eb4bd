"""Real plans, built without a GPU; and the run path against a runtime that enforces the rules."""

import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from vidgen import zoo
from vidgen.engines import choose, choose_backend
from vidgen.engines.building import build_plan
from vidgen.engines.device import Card
from vidgen.engines.plans import read
from vidgen.engines.shapes import inputs_of, outputs_of
from vidgen.engines.tensorrt import PlanEngine, library
from vidgen.errors import BackendError, ModelError, UsageError

CARDS = ("SM75", "SM80", "SM86", "SM89", "SM120")
SIZES = ((64, 48, 8), (960, 540, 8), (1280, 720, 10))


@pytest.fixture(scope="module")
def rtx():
    return pytest.importorskip("tensorrt_rtx", reason="pip install 'vidgen[rtx]'")


@pytest.mark.parametrize("name", zoo.names(zoo.models_folder()))
def test_every_shipped_model_becomes_a_plan(rtx, name):
    model = zoo.load(name)
    assert len(build_plan(rtx, model, 64, 48, 8)) > 10_000


@pytest.mark.parametrize(("card", "depth"), [("SM75", 8), ("SM89", 10), ("SM120", 8)])
def test_plans_for_cards_that_are_not_here(rtx, card, depth):
    model = zoo.load("x2-realtime")
    plan = build_plan(rtx, model, 96, 54, depth, card)
    assert plan != build_plan(rtx, model, 96, 54, depth, "SM86")


@pytest.mark.soak
@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", zoo.names(zoo.models_folder()))
def test_every_model_card_and_size(rtx, name, size, card):
    assert build_plan(rtx, zoo.load(name), *size, card)


def test_the_second_flavour_is_mixed_in(rtx):
    model = zoo.load("x2-realtime")
    plain = build_plan(rtx, model, 64, 48, 8)
    assert plain != build_plan(rtx, model.with_strength(0.5), 64, 48, 8)


def test_a_size_that_the_network_cannot_take(rtx):
    with pytest.raises(ModelError, match="divisible"):
        build_plan(rtx, zoo.load("x2-realtime"), 65, 48, 8)


class Rules:
    """TensorRT and CuPy as far as the engine uses them; every broken rule is an AssertionError.

    Running copies the luma's first code into all that comes out.
    """

    def __init__(self, model, size, depth, *, fits=True, room=10**12):
        self.log, self.memory, self.capturing, self.addressed = [], {}, False, {}
        self.fits, self.room = fits, room
        self.shapes = {**inputs_of(model, *size, depth)}
        named = zip(("y_out", "uv_out"), outputs_of(model, *size, depth).values(), strict=True)
        self.shapes |= dict(named)
        rules = self

        class Buffer:
            def __init__(self, shape, dtype):
                self.array = np.zeros(shape, dtype)
                self.dtype = self.array.dtype
                self.data = SimpleNamespace(ptr=id(self))
                rules.memory[id(self)] = self
                rules.room -= self.array.nbytes
                if rules.room < 0:
                    raise rules.cupy.cuda.memory.OutOfMemoryError

            def set(self, plane, stream):
                assert not rules.capturing, "a copy from the host in a graph"
                assert plane.dtype == self.dtype
                assert plane.flags.c_contiguous
                self.array[...] = plane

            def get(self, stream):
                assert not rules.capturing
                return self.array.copy()

        class Stream:
            ptr = 7

            def __init__(self, non_blocking):
                assert non_blocking, "the legacy stream cannot be captured"

            def synchronize(self):
                assert not rules.capturing, "a capture cannot wait"

            def begin_capture(self):
                assert rules.log, "a plan must run once before it is captured"
                rules.capturing = True

            def end_capture(self):
                rules.capturing = False
                return SimpleNamespace(launch=lambda stream: rules.execute("graph"))

        out_of_memory = type("OutOfMemoryError", (Exception,), {})
        self.cupy = SimpleNamespace(
            empty=Buffer,
            cuda=SimpleNamespace(
                Device=lambda number: nullcontext(),
                driver=SimpleNamespace(CUDADriverError=type("Refused", (RuntimeError,), {})),
                Stream=Stream,
                memory=SimpleNamespace(OutOfMemoryError=out_of_memory),
                runtime=SimpleNamespace(CUDARuntimeError=type("Lost", (RuntimeError,), {})),
            ),
        )
        names = list(self.shapes)
        context = SimpleNamespace(
            set_tensor_address=self.addressed.__setitem__,
            execute_async_v3=lambda ptr: self.execute("captured" if self.capturing else "plain"),
        )
        engine = SimpleNamespace(
            num_io_tensors=len(names),
            get_tensor_name=names.__getitem__,
            create_execution_context=lambda *settings: context,
        )
        self.engine = engine
        self.trt = SimpleNamespace(
            Runtime=lambda logger: SimpleNamespace(
                deserialize_cuda_engine=lambda plan: engine if self.fits else None
            )
        )

    def compile_with(self, compiler):
        """As TensorRT for RTX, which compiles when a plan is opened."""
        self.engine.create_runtime_config = compiler.create_runtime_config
        self.trt.IRuntimeCache = type(compiler)

    def lose(self):
        """From now on nothing runs."""
        error = self.cupy.cuda.runtime.CUDARuntimeError("cudaErrorDeviceUnavailable: busy")

        def execute(how):
            raise error

        self.execute = execute

    def execute(self, how):
        assert {*self.addressed} == {*self.shapes}, "a tensor without an address"
        for name, address in self.addressed.items():
            assert self.memory[address].array.shape == self.shapes[name][0]
        self.log.append(how)
        if how != "captured":
            first = self.memory[self.addressed["y"]].array.flat[0]
            for name in ("y_out", "uv_out"):
                self.memory[self.addressed[name]].array[...] = first
        return True


@pytest.fixture(params=[("x2-realtime", 8), ("x2-realtime", 10), ("x4-realtime", 8)])
def ruled(request):
    """An engine on the rules, and what it is to be given."""
    name, depth = request.param
    model, size = zoo.load(name), (32, 16)
    rules = Rules(model, size, depth)
    shapes = inputs_of(model, *size, depth), outputs_of(model, *size, depth)
    planes = [np.full(shape, 77, dtype) for shape, dtype in shapes[0].values()]
    return rules, PlanEngine(rules.trt, Card(rules.cupy), None, b"", *shapes), planes, shapes[1]


def test_the_first_run_is_plain_and_the_rest_replay(ruled):
    rules, engine, planes, wanted = ruled
    for level in (77, 3, 200):
        planes[0][...] = level
        made = engine(*planes)
        assert [(plane.shape, plane.dtype) for plane in made] == list(wanted.values())
        assert all((plane == level).all() for plane in made)
    assert rules.log == ["plain", "captured", "graph", "graph"]


class Compiler:
    """The runtime cache of TensorRT for RTX: its first run makes it complete."""

    def __init__(self, rules, driver=b"driver 1"):
        self.rules, self.driver, self.loaded, self.settings = rules, driver, None, None

    def create_runtime_config(self):
        return self

    def create_runtime_cache(self):
        return self

    def deserialize(self, data):
        self.loaded = data if data.startswith(self.driver) else None
        return self.loaded is not None

    def serialize(self):
        return self.driver + (b", all" if self.rules.log else b", opened")

    def set_runtime_cache(self, cache):
        self.settings = cache


def opened(model, name, driver=b"driver 1"):
    """An engine of RTX that has run once, and its cache of compiled kernels."""
    rules = Rules(model, (32, 16), 8)
    compiler = Compiler(rules, driver)
    rules.compile_with(compiler)
    shapes = inputs_of(model, 32, 16, 8), outputs_of(model, 32, 16, 8)
    engine = PlanEngine(rules.trt, Card(rules.cupy), None, b"", *shapes, name)
    planes = [np.zeros(shape, dtype) for shape, dtype in shapes[0].values()]
    engine(*planes)
    engine(*planes)
    assert compiler.settings is compiler
    return compiler


def test_what_rtx_compiled_is_there_for_the_next_process(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model = zoo.load("x2-realtime")
    assert opened(model, "own.compiled").loaded is None
    assert read("own.compiled") == b"driver 1, all"
    assert opened(model, "own.compiled").loaded == b"driver 1, all"
    assert opened(model, "own.compiled", b"driver 2").loaded is None
    assert read("own.compiled") == b"driver 2, all"


def test_an_engine_without_a_name_keeps_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    opened(zoo.load("x2-realtime"), "")
    assert not list(tmp_path.iterdir())


def test_results_belong_to_the_caller(ruled):
    _, engine, planes, _ = ruled
    first = engine(*planes)
    planes[0][...] = 1
    engine(*planes)
    assert all((plane == 77).all() for plane in first)


def test_views_are_copied_and_other_shapes_refused(ruled):
    _, engine, planes, _ = ruled
    engine(np.asfortranarray(planes[0]), *planes[1:])
    with pytest.raises(BackendError, match="takes"):
        engine(planes[0][:-2], *planes[1:])


@pytest.mark.parametrize("runs", [0, 1, 3])
def test_a_lost_gpu_is_one_line_that_says_how_to_go_on(ruled, runs):
    rules, engine, planes, _ = ruled
    for _ in range(runs):
        engine(*planes)
    rules.lose()
    with pytest.raises(
        BackendError, match=r"cudaErrorDeviceUnavailable.*segments are kept"
    ) as told:
        engine(*planes)
    assert "--backend openvino" in str(told.value)
    assert "\n" not in str(told.value)
    engine.close()


def test_closing_twice_does_nothing(ruled):
    with ruled[1] as engine:
        engine.close()


def test_a_plan_of_another_card_is_named():
    model = zoo.load("x2-realtime")
    rules = Rules(model, (32, 16), 8, fits=False)
    shapes = inputs_of(model, 32, 16, 8), outputs_of(model, 32, 16, 8)
    with pytest.raises(BackendError, match="refuses its plan"):
        PlanEngine(rules.trt, Card(rules.cupy), None, b"", *shapes)


def test_too_little_memory_says_what_would_fit():
    model = zoo.load("x2-realtime")
    rules = Rules(model, (32, 16), 8, room=1000)
    shapes = inputs_of(model, 32, 16, 8), outputs_of(model, 32, 16, 8)
    with pytest.raises(BackendError, match=r"64x32; give a smaller --size"):
        PlanEngine(rules.trt, Card(rules.cupy), None, b"", *shapes)


def test_without_a_gpu_it_says_what_was_looked_for():
    if choose.gpu_count():
        pytest.skip("there is a GPU here")
    with pytest.raises(BackendError, match=r"CuPy|no library|GPU"):
        choose_backend("tensorrt")


def test_automatic_choice(monkeypatch, tmp_path, caplog):
    """A GPU and its libraries are used; a GPU without them is spoken of; none is silence."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(choose, "_NODES", tmp_path)
    monkeypatch.setattr(choose, "_NVIDIA", tmp_path / "none")
    assert choose_backend().name == "openvino"
    assert not caplog.text
    (tmp_path / "gpus" / "0000:01:00.0").mkdir(parents=True)
    monkeypatch.setattr(choose, "_NVIDIA", tmp_path / "gpus")
    assert choose.gpu_count() == 1
    monkeypatch.setattr(choose, "find_spec", lambda name: None)
    assert choose_backend().name == "openvino"
    assert "not used: pip install" in caplog.text
    monkeypatch.setattr(choose, "find_spec", lambda name: True)
    made = []
    monkeypatch.setitem(choose._BACKENDS, "tensorrt", lambda device: made.append(device))
    choose_backend("auto", 1)
    assert made == [1]


@pytest.mark.parametrize(
    ("visible", "count"),
    [
        (None, 3),
        ("2", 1),
        ("0,1,2,3", 3),
        ("GPU-8932f937,MIG-1", 2),
        ("1,-1,0", 1),
        ("", 0),
        ("-1", 0),
    ],
)
def test_gpus_are_those_that_this_process_may_use(monkeypatch, tmp_path, visible, count):
    for name in ("nvidia0", "nvidia1", "nvidia2", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    monkeypatch.setattr(choose, "_NVIDIA", tmp_path / "none")
    monkeypatch.setattr(choose, "_NODES", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert choose.gpu_count() == count


def card(monkeypatch, capability):
    """CuPy, with one card of that compute capability times ten."""
    runtime = SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=RuntimeError)
    device = SimpleNamespace(compute_capability=capability)
    cuda = SimpleNamespace(runtime=runtime, Device=lambda number: device)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=cuda))


@pytest.mark.parametrize(
    ("capability", "installed", "chosen"),
    [
        ("89", ["tensorrt_rtx"], "tensorrt"),
        ("90", ["tensorrt_rtx"], "cuda"),  # an H100, where the tests' own environment is
        ("90", ["tensorrt_rtx", "tensorrt"], "tensorrt"),
        ("90", [], "cuda"),
    ],
)
def test_tensorrt_for_rtx_is_chosen_for_its_own_cards(
    rtx, monkeypatch, capability, installed, chosen
):
    card(monkeypatch, capability)
    monkeypatch.setattr(choose, "gpu_count", lambda: 1)
    monkeypatch.setattr(choose, "find_spec", lambda name: name in ("cupy", "onnx", *installed))
    assert choose._best(0) == chosen


def test_the_library_is_the_one_for_the_card(rtx, monkeypatch):
    assert library("89") is rtx
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(BackendError, match=r"not for compute capability 9\.0; tensorrt: import"):
        library("90")
    monkeypatch.setitem(sys.modules, "tensorrt", SimpleNamespace(__name__="tensorrt"))
    assert library("90") is sys.modules["tensorrt"]


def test_a_device_is_a_number_from_nought():
    with pytest.raises(UsageError, match="--device -1"):
        choose_backend("openvino", -1)

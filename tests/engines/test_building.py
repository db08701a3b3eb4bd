"""What a build tells and keeps: progress and Ctrl-C with TensorRT for RTX, timings by the rules."""

import re
import signal
from types import SimpleNamespace

import pytest

from vidgen import zoo
from vidgen.engines import building, progress
from vidgen.engines.building import build_plan
from vidgen.engines.plans import keep, read
from vidgen.engines.progress import Progress

SIZE = (64, 48, 8)


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def model():
    return zoo.load("x2-realtime")


@pytest.fixture
def interruptible():
    """Ctrl-C raises, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def rtx():
    return pytest.importorskip("tensorrt_rtx", reason="pip install 'vidgen[rtx]'")


def test_a_build_says_how_far_it_is(rtx, model, monkeypatch, caplog):
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0)
    build_plan(rtx, model, *SIZE)
    lines = [each for each in caplog.messages if "built once" in each]
    shares = [int(re.fullmatch(r"x2-realtime for 64x48: .* (\d+) %", line)[1]) for line in lines]
    assert shares == sorted(shares)
    assert len(set(shares)) > 10
    assert shares[0] < 10
    assert shares[-1] > 80  # its last steps it does not tell


def test_a_short_build_says_nothing(rtx, model, caplog):
    build_plan(rtx, model, *SIZE)
    assert "built" not in caplog.text


@pytest.mark.usefixtures("interruptible")
def test_a_signal_ends_a_build(rtx, model, monkeypatch):
    calls = []

    def now():
        calls.append(1)
        if len(calls) == 20:
            signal.raise_signal(signal.SIGINT)
        return 0.0

    monkeypatch.setattr(building, "Progress", lambda what: Progress(what, now))
    with pytest.raises(KeyboardInterrupt):
        build_plan(rtx, model, *SIZE)
    assert len(calls) < 30


def test_a_phase_within_a_step_is_a_part_of_it():
    told = Progress("x")
    told.begin("all", 2)
    told.begin("first", 4)
    told.step("first", 0)
    assert told.share == 1 / 8
    told.end("first")
    told.step("all", 0)
    assert told.share == 1 / 2
    told.begin("again", 10)
    told.step("again", 0)
    told.step("unknown", 5)
    assert told.share == (1 + 1 / 10) / 2


class Builder:
    """TensorRT of data-centre cards as far as a build uses it; timings that are not its own are
    refused, as after an update."""

    __name__ = "tensorrt"

    def __init__(self):
        self.given, self.cache, self.measured = [], None, b"new"

    ILogger = type("ILogger", (), {"__init__": lambda self: None, **{
        level: level for level in ("VERBOSE", "INFO", "WARNING", "ERROR", "INTERNAL_ERROR")
    }})  # fmt: skip
    IProgressMonitor = type("IProgressMonitor", (), {})
    NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)
    BuilderFlag = SimpleNamespace()

    def Builder(self, logger):  # noqa: N802 - TensorRT's name
        return self

    def OnnxParser(self, network, logger):  # noqa: N802
        return SimpleNamespace(parse=lambda graph: True)

    def create_network(self, flags):
        assert flags == 2, "before version 11 it takes no precision from a graph that is not typed"

    def create_builder_config(self):
        return self

    def create_timing_cache(self, data):
        return data

    def set_timing_cache(self, cache, ignore_mismatch):
        assert not ignore_mismatch
        if cache == b"of another version":
            return False
        self.given.append(cache)
        self.cache = cache
        return True

    def build_serialized_network(self, network, config):
        assert self.cache is not None
        if self.measured not in self.cache:
            self.cache += self.measured
        return b"plan"

    def get_timing_cache(self):
        return SimpleNamespace(serialize=lambda: self.cache)


def test_timings_are_kept_and_used_again(model):
    builder = Builder()
    assert build_plan(builder, model, *SIZE, timings="own.timings") == b"plan"
    assert read("own.timings") == b"new"
    builder.measured = b", more"
    build_plan(builder, model, *SIZE, timings="own.timings")
    assert builder.given == [b"", b"new"]
    assert read("own.timings") == b"new, more"


def test_timings_of_another_version_are_made_anew(model):
    builder = Builder()
    keep("own.timings", b"of another version")
    build_plan(builder, model, *SIZE, timings="own.timings")
    assert builder.given == [b""]
    assert read("own.timings") == b"new"


def test_rtx_is_spared_timings(rtx, model):
    build_plan(rtx, model, *SIZE, timings="own.timings")  # a warning of RTX would be an error
    assert read("own.timings") is None


def test_a_plan_of_rtx_is_for_its_card_and_can_be_captured(rtx, model, monkeypatch):
    configs = []

    class Builder(rtx.Builder):
        def __init__(self, logger):
            rtx_builder.__init__(self, logger)

        def create_builder_config(self):
            configs.append(rtx_builder.create_builder_config(self))
            return configs[-1]

    rtx_builder = rtx.Builder
    monkeypatch.setattr(rtx, "Builder", Builder)
    build_plan(rtx, model, *SIZE, "SM75")  # without a word it would be for all but Turing
    (config,) = configs
    assert config.get_compute_capability(0) == rtx.ComputeCapability.SM75
    assert config.num_compute_capabilities == 1
    assert config.get_flag(rtx.BuilderFlag.REQUIRE_USER_ALLOCATION)

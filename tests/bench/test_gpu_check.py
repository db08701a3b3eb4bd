"""benchmarks.gpu_check: runs on a bare machine, fails when something is wrong, counts rightly."""

import subprocess
import sys
from unittest.mock import patch

import numpy as np
import pytest

from benchmarks import kernel_cases, standin_media
from benchmarks.gpu_check import films, right, speed
from benchmarks.gpu_check.__main__ import expected, lines
from benchmarks.gpu_check.counts import counted
from benchmarks.shim import compiler
from benchmarks.standin import standin
from benchmarks.standin_media import media_standin
from vidgen import kernels, zoo
from vidgen.engines import choose_backend
from vidgen.errors import BackendError

MISSING = ("av", "cv2", "openvino", "safetensors", "tensorrt", "tensorrt_rtx")

BARE = f"""
import sys
sys.modules.update(dict.fromkeys({MISSING}))  # their import fails
from benchmarks import kernel_cases
from benchmarks.gpu_check import right, speed, __main__
from benchmarks.standin import standin
from vidgen.engines import choose_backend
sys.modules["cupy"] = cupy = standin()
backend = choose_backend("cuda")
for name in sorted(kernel_cases.CASES.keys() - {{"warp"}}):
    del kernel_cases.CASES[name]
checks = [*right.kernels(cupy, [(3, 5)]), *right.networks(backend, 16, 16, ["x2-realtime"], (8,))]
checks += [*right.by_torch(16, 16, ["x4-realtime"]), *right.recalled(backend, 16, 16, (8,))]
checks += [*right.motion(backend, cupy, [(40, 57)]), right.growth(backend, cupy, 3, 16, 16)]
checks += __main__.films(16, 16, 2)
assert checks[-1].told == "left out: pip install av opencv-python-headless"
assert __main__.told(checks) == checks
assert all(check.passed for check in checks)
"""


@pytest.mark.skipif(compiler() is None, reason="no g++ on the path")
def test_every_check_runs_where_only_numpy_torch_and_onnx_are(root):
    done = subprocess.run(
        [sys.executable, "-c", BARE], cwd=root, capture_output=True, text=True, timeout=110,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert len(told) == 9
    assert all(line.startswith("ok") for line in told)


@pytest.mark.skipif(compiler() is None, reason="no g++ on the path")
def test_speed_is_told_and_held_to_what_is_wanted(monkeypatch):
    """On the stand-in, where everything is far slower than any card: nothing may pass."""
    cupy = standin()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(speed, "_BATCHES", 1)
    monkeypatch.setattr(speed, "_OF_TORCH", 100)  # torch may wait for a processor meanwhile
    monkeypatch.setattr(speed, "CASES", {"warp": kernel_cases.CASES["warp"]})
    kernels._compiled.cache_clear()
    facts = {"half_operations_per_second": 1e15, "copy_bytes_per_second": 3e12}
    told, checks = speed.kernel_speed(cupy, facts, 24, 16)
    assert {each["kernel"].split()[0] for each in told} >= {"warp_u8", "warp_u16"}
    cuda = choose_backend("cuda")
    network, more = speed.network_speed(cuda, facts, "x2-realtime", 16, 16, 99 * 1024)
    kernels._compiled.cache_clear()
    assert network["own_seconds"]["least"] <= network["own_seconds"]["median"]
    assert 0 < network["of_roofline"] < 0.01
    assert not any(check.passed for check in checks + more)


@pytest.mark.skipif(compiler() is None, reason="no g++ on the path")
@pytest.mark.parametrize("wrong", [0, 1])
def test_kernels_are_held_to_each_code_and_may_give_no_number(monkeypatch, wrong):
    cupy = standin()
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(right, "CASES", {"trust": kernel_cases.CASES["trust"]})
    monkeypatch.setattr(cupy, "asnumpy", lambda array: array.get() + array.dtype.type(wrong))
    kernels._compiled.cache_clear()
    (check,) = right.kernels(cupy, [(8, 32)])  # where some flow is no number
    kernels._compiled.cache_clear()
    assert check.passed == (not wrong), check.told


@pytest.fixture
def a_standin(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", standin())
    kernels._compiled.cache_clear()
    yield
    kernels._compiled.cache_clear()


@pytest.mark.skipif(compiler() is None, reason="no g++ on the path")
def test_films_are_held_to_those_through_the_host(a_standin, monkeypatch, tmp_path):
    monkeypatch.setattr(films, "_FILMS", {8: "x264"})
    with media_standin():
        assert all(check.passed for check in films.same_films(tmp_path, 32, 32, 3))
        laid_out = standin_media.surface_of
        with patch("vidgen.media.nvidia.surface_of", lambda of: wrong(laid_out(of))):
            assert not any(check.passed for check in films.same_films(tmp_path, 32, 32, 3))
    with media_standin(decodes=False):
        nvdec, _ = films.same_films(tmp_path, 32, 32, 3)
        assert nvdec.told.startswith("left out: NVDEC does not take its yuv420p")


@pytest.mark.needs_cuda
def test_films_stay_on_a_real_card(tmp_path):
    """What it lacks is left out, and said."""
    for check in films.same_films(tmp_path, 640, 360, 30):
        assert check.passed, (check.what, check.told)


def wrong(surface):
    """A row of luma for the first one of chroma."""
    return surface._replace(chroma_row=surface.chroma_row - 1)


@pytest.mark.skipif(compiler() is None, reason="no g++ on the path")
def test_films_are_timed_both_ways_and_held_to_what_is_wanted(a_standin, monkeypatch, tmp_path):
    monkeypatch.setattr(films, "_WARM_UP", 2)
    with media_standin():
        told, (check,) = films.film_speed(tmp_path, 32, 32, 6)
    assert [(each["film"], each["by_host"]) for each in told] == [
        ("nothing", False), ("nothing", True), ("NVENC", False), ("NVENC", True),
    ]  # fmt: skip
    assert told[2]["way"].endswith("pictures stay on the GPU from NVDEC to NVENC")
    assert not told[3]["way"].endswith("NVENC")
    assert all(each["fps"] > 0 for each in told)
    assert check.passed == (told[0]["fps"] >= 250)
    assert len(list(lines({"backend": "", "seconds": 0, "checks": [], "expected": [],
                           "measured": {"films": told}}))) == 6  # fmt: skip


class Engine:
    """Gives back nearest neighbours, plus `error` in one place."""

    def __init__(self, error):
        self.error = error

    def __call__(self, y, uv, *past):
        twice = np.kron(y, np.ones((2, 2), y.dtype)), uv.repeat(2, 0).repeat(2, 1)
        twice[0][3, 3] += self.error
        return twice


@pytest.mark.parametrize("error", [0, 1])
def test_a_flat_colour_that_changes_is_a_failure(error):
    check = right._flat(Engine(error), zoo.load("x2-realtime"), 16, 16, 10)
    assert check.passed == (not error)


def test_without_a_gpu_it_says_so_and_fails(root):
    if _has_gpu():
        pytest.skip("there is a GPU here")
    command = [sys.executable, "-m", "benchmarks.gpu_check"]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("gpu_check: ")
    assert len(done.stderr.splitlines()) == 1


def _has_gpu() -> bool:
    try:
        import cupy
    except ImportError:
        return False
    return bool(cupy.is_available())


def test_without_torch_for_the_gpu_it_says_so_before_it_begins(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(
        BackendError, match=r"torch .* cannot use this GPU; install a build for CUDA"
    ):
        speed.torch_here()


def test_counts_are_those_of_the_card():
    model = zoo.load("x2-realtime")
    counts = counted(model, 1920, 1080, 8, 227 * 1024)
    assert counts.operations == 2 * model.macs_per_pixel * 1920 * 1080
    assert counts.products > counts.operations
    planes = 1920 * 1080 * (1.5 + 4 + 1 + 6)  # picture, past, trust, enlarged picture
    assert planes < counts.bytes < planes + 50_000
    assert counts.own_seconds(1e15, 1e13) > counts.least_seconds(1e15, 1e13)


def test_what_is_counted_is_marked_as_such():
    report = {"backend": "none", "seconds": 0, "checks": [], "measured": {}, "expected": expected()}
    text = list(lines(report))
    assert "Counted, not measured" in text[1]
    assert all(each["counted_not_measured"] for each in report["expected"])
    assert len(text) == 2 + len(report["expected"])

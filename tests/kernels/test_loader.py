"""vidgen.kernels: where files are found, what is compiled when, and what is said when it cannot."""

import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from vidgen import kernels
from vidgen.errors import BackendError


class CompileError(Exception):
    pass


class DriverError(RuntimeError):
    pass


class FakeCuPy(SimpleNamespace):
    """CuPy as `vidgen.kernels` uses it; `compiled` lists (options, device number)."""

    def __init__(self, devices=1, failure=None):
        super().__init__(__version__="14.0", compiled=[], current=None)
        self.failure = failure
        self.cuda = SimpleNamespace(
            Device=self.device,
            runtime=SimpleNamespace(
                CUDARuntimeError=DriverError,
                getDeviceCount=lambda: self.count(devices),
                runtimeGetVersion=lambda: 13020,
            ),
            compiler=SimpleNamespace(CompileException=CompileError),
        )

    def count(self, devices):
        if devices is None:
            raise DriverError("cudaErrorInsufficientDriver: too old\nmore")
        return devices

    def device(self, number):
        self.current = number
        return nullcontext()

    def RawModule(self, code, options):  # noqa: N802 - CuPy's name
        assert "__global__" in code
        return SimpleNamespace(compile=lambda: self.compile(options))

    def compile(self, options):
        if self.failure is not None:
            raise self.failure
        self.compiled.append((options, self.current))


@pytest.fixture
def cupy(monkeypatch):
    """`cupy(...)`: takes the library's place for one test."""

    def install(**settings):
        fake = FakeCuPy(**settings)
        monkeypatch.setitem(sys.modules, "cupy", fake)
        return fake

    kernels._compiled.cache_clear()
    yield install
    kernels._compiled.cache_clear()


def message(name="warp", device=0) -> str:
    with pytest.raises(BackendError) as caught:
        kernels.load(name, device)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_kernels_of_the_checkout_are_found(root):
    assert kernels.kernels_folder() == root / "kernels"
    assert "warp" in kernels.names()


def test_kernels_of_an_installed_package_are_found_inside_it(monkeypatch, tmp_path):
    inside = tmp_path / "vidgen" / "kernels_cu"
    inside.mkdir(parents=True)
    (inside / "splat.cu").touch()
    monkeypatch.setattr(kernels, "__file__", str(tmp_path / "vidgen" / "kernels.py"))
    assert kernels.kernels_folder() == inside
    assert kernels.names() == ["splat"]


def test_an_unknown_kernel_is_refused_with_the_known_ones():
    text = message("wrap")
    assert "'wrap'" in text
    assert "warp" in text


def test_without_cupy_the_extra_is_named(monkeypatch):
    kernels._compiled.cache_clear()
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert "pip install 'vidgen[cuda]'" in message()


@pytest.mark.parametrize(
    ("devices", "reason"), [(None, "cudaErrorInsufficientDriver"), (0, "none")]
)
def test_without_a_gpu_what_was_looked_for_is_said(cupy, devices, reason):
    cupy(devices=devices)
    text = message()
    assert "CuPy 14.0 looked for an NVIDIA GPU" in text
    assert reason in text
    assert "and CUDA 13 or above: install NVIDIA's driver" in text
    assert "cupy-cuda12x[ctk]" in text  # of an older driver, which cannot be changed


def test_what_is_wrong_with_cupy_is_said_and_not_its_frame():
    error = ImportError("\n====\n  Failed to import CuPy.\n\nOriginal error:\n====\n")
    assert kernels._first_line(error) == "Failed to import CuPy."
    assert kernels._first_line(ImportError("====")) == ""


@pytest.mark.parametrize("device", [-1, 2])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(cupy, device):
    cupy(devices=2)
    assert message(device=device).startswith(f"CUDA device {device}: give 0 to 1")


@pytest.mark.parametrize("failure", [CompileError("error: sm_70\nmore"), DriverError("libnvrtc")])
def test_a_failure_to_compile_names_the_file_and_the_reason(cupy, failure):
    cupy(failure=failure)
    text = message()
    assert text.startswith("warp.cu cannot be compiled for CUDA device 0: ")
    assert str(failure).partition("\n")[0] in text
    assert "7.5" in text


def test_a_kernel_is_compiled_once_for_each_device(cupy):
    fake = cupy(devices=2)
    assert kernels.load("warp") is kernels.load("warp")
    assert kernels.load("warp", 1) is not kernels.load("warp", 0)
    assert fake.compiled == [(kernels.OPTIONS, 0), (kernels.OPTIONS, 1)]


def test_a_text_is_complete(monkeypatch, tmp_path):
    """CuPy's cache sees the text alone: a header that changed must change it."""
    monkeypatch.setattr(kernels, "kernels_folder", lambda: tmp_path)
    (tmp_path / "one.h").write_text("#pragma once\nint one;\n")
    (tmp_path / "two.h").write_text('#include "one.h"\nint two;\n')
    (tmp_path / "own.cu").write_text('// own\n#include "one.h"\n#include "two.h"\nint three = N;\n')
    text = kernels.source("own", {"N": 3})
    lines = [line for line in text.splitlines() if line]
    assert lines == ["#define N 3", "// own", "int one;", "int two;", "int three = N;"]


@pytest.mark.parametrize("name", kernels.names())
def test_no_kernel_needs_a_file_beside_it(name):
    assert "#include" not in kernels.source(name)


def test_other_constants_are_another_module(cupy):
    cupy()
    assert kernels.load("warp", 0, {"N": 1}) is not kernels.load("warp", 0, {"N": 2})


@pytest.mark.parametrize(
    ("size", "grid"), [((1, 1), (1, 1)), ((8, 32), (1, 1)), ((9, 33), (2, 2)), ((0, 5), (1, 0))]
)
def test_grids_cover_each_pixel(size, grid):
    assert kernels.over_pixels(*size) == (grid, kernels.BLOCK)

"""Kernels run on the CPU through `kernels/host.h`, and on a GPU through `vidgen.kernels`."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from collections.abc import Callable

import numpy as np
import pytest

from vidgen import kernels

Launch = Callable[..., None]
"""(file, kernel, grid, block, arguments): arrays are passed by address, integers as int."""


@pytest.fixture(params=["host", pytest.param("cuda", marks=pytest.mark.needs_cuda)])
def launch(request) -> Launch:
    """Runs a kernel to its end; NumPy arrays hold what it wrote."""
    return request.getfixturevalue(f"launch_{request.param}")


@pytest.fixture(scope="session")
def launch_host(tmp_path_factory) -> Launch:
    """Runs a kernel on the CPU; its file is compiled once."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("no g++ on the path to compile kernels for the CPU")
    folder = tmp_path_factory.mktemp("kernels")

    def run(file, kernel, grid, block, arguments):
        library = _built(compiler, file, folder)
        holders = [
            ctypes.c_void_p(each.ctypes.data)
            if isinstance(each, np.ndarray)
            else ctypes.c_int(each)
            for each in arguments
        ]
        pointers = (ctypes.c_void_p * len(holders))(*map(ctypes.addressof, holders))
        getattr(library, f"launch_{kernel}")(_dim3(grid), _dim3(block), pointers)

    return run


@pytest.fixture
def launch_cuda() -> Launch:
    """Runs a kernel on the first GPU."""

    def run(file, kernel, grid, block, arguments):
        import cupy

        on_device = [
            cupy.asarray(each) if isinstance(each, np.ndarray) else np.int32(each)
            for each in arguments
        ]
        kernels.load(file).get_function(kernel)(grid, block, tuple(on_device))
        for given, after in zip(arguments, on_device, strict=True):
            if isinstance(given, np.ndarray):
                given[...] = cupy.asnumpy(after)

    return run


def _built(compiler, file, folder) -> ctypes.CDLL:
    """A library with a launcher for each kernel of `file`, compiled at the first call."""
    library = folder / f"{file}.so"
    if not library.exists():
        text = (kernels.kernels_folder() / f"{file}.cu").read_text("utf-8")
        found = re.findall(r"__global__ void (\w+)\(", text)
        source = "\n".join([text, *(f"HOST_LAUNCHER({each})" for each in found)])
        # As kernels.OPTIONS: no fused multiply-add.
        options = ["-std=c++17", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
        shim = ["-include", str(kernels.kernels_folder() / "host.h"), "-shared", "-fPIC"]
        command = [compiler, *options, *shim, "-x", "c++", "-o", str(library), "-"]
        words = {"capture_output": True, "text": True, "check": False}
        done = subprocess.run(command, input=source, timeout=100, **words)
        assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(library))


def _dim3(size) -> ctypes.Array:
    return (ctypes.c_uint * 3)(*size, *[1] * (3 - len(size)))

"""Kernels run on the CPU through `kernels/host.h`, and on a GPU through `vidgen.kernels`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.shim import Kernels, compiler
from vidgen import kernels

Launch = Callable[..., None]
"""(file, kernel, grid, block, arguments): arrays are passed by address, integers as int."""


@pytest.fixture(params=["host", pytest.param("cuda", marks=pytest.mark.needs_cuda)])
def launch(request) -> Launch:
    """Runs a kernel to its end; NumPy arrays hold what it wrote."""
    return request.getfixturevalue(f"launch_{request.param}")


@pytest.fixture(scope="session")
def launch_host() -> Launch:
    """Runs a kernel on the CPU; its file is compiled once."""
    if compiler() is None:
        pytest.skip("no g++ on the path to compile kernels for the CPU")

    def run(file, kernel, grid, block, arguments):
        Kernels(kernels.source(file)).launch(kernel, grid, block, arguments)

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

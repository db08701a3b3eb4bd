"""Every kernel against its NumPy reference, code for code, over sizes, borders and bit depths."""

import numpy as np
import pytest

from benchmarks.kernel_cases import CASES, SIZES
from tests.kernels.test_compile import OF_NETWORKS
from vidgen import kernels

GUARD = 64  # bytes before and after what a kernel may write, a multiple of every alignment


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[1]}x{size[0]}")
@pytest.mark.parametrize("file", CASES)
def test_every_code_is_that_of_the_reference(launch, rng, file, size):
    for case in CASES[file](rng, *size):
        told, expected = f"{case.kernel}, {case.variant}, {case.tries}", case.expected()
        arguments = list(case.arguments)
        for number in expected:
            arguments[number] = guarded(arguments[number])
        given = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
        launch(file, case.kernel, *case.geometry, arguments)
        for number, made in enumerate(arguments):
            if number in expected:
                np.testing.assert_array_equal(made, expected[number], told)
                assert made.dtype == expected[number].dtype, told
                assert_guarded(made, told)
            else:
                np.testing.assert_array_equal(made, given[number], told)


def test_every_kernel_has_cases(rng):
    assert set(CASES) | OF_NETWORKS == set(kernels.names())
    for file, cases in CASES.items():
        text = (kernels.kernels_folder() / f"{file}.cu").read_text("utf-8")
        for case in cases(rng, 8, 8):
            text = text.replace(f"__global__ void {case.kernel}(", "")
        assert "__global__" not in text, file


def guarded(array: np.ndarray) -> np.ndarray:
    """A copy of `array`, 16-byte aligned; the bytes around it tell a stray write."""
    memory = np.full(array.nbytes + 2 * GUARD + 16, 0xA5, np.uint8)
    start = GUARD + -memory.ctypes.data % 16
    inner = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    inner[...] = array
    return inner


def assert_guarded(inner: np.ndarray, told: str) -> None:
    memory = inner
    while memory.base is not None:
        memory = memory.base
    start = inner.ctypes.data - memory.ctypes.data
    assert (memory[:start] == 0xA5).all(), told
    assert (memory[start + inner.nbytes :] == 0xA5).all(), told

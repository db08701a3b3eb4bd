"""kernels/host.h: blocks, barriers, warps and shared memory do on the CPU what CUDA says."""

import platform
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.shim import Kernels, compiler

pytestmark = pytest.mark.skipif(compiler() is None, reason="no g++ on the path")

REVERSED = """
extern "C" __global__ void reversed(const int* given, int* out, int count)
{
    __shared__ int tile[96];
    DYNAMIC_SHARED(int, again);
    const int thread = threadIdx.x, at = blockIdx.x * blockDim.x + thread;
    if (at < count)
        tile[thread] = given[at];
    __syncthreads();
    again[thread] = tile[blockDim.x - 1 - thread];
    __syncthreads();
    out[at] = again[thread];
}
"""
SUMS = """
extern "C" __global__ void sums(const int* given, int* across, int* total, int* greatest)
{
    const int thread = threadIdx.y * blockDim.x + threadIdx.x;
    int value = given[thread];
    for (int step = 16; step > 0; step /= 2)
        value += __shfl_down_sync(~0u, value, step);
    across[thread] = __shfl_xor_sync(~0u, given[thread], 5);
    if (thread % warpSize == 0) {
        atomicAdd(total, value);
        atomicMax(greatest, value);
    }
    if (threadIdx.y > 2)
        return;  // a thread that has ended holds no one up
    __syncthreads();
}
"""
UNEVEN = """
extern "C" __global__ void uneven(int* out)
{
    if (threadIdx.x < 40)
        __syncthreads();
    else
        __syncwarp();
    __syncwarp();
    if (threadIdx.x < 7)
        __syncwarp();
    else
        __syncthreads();
    out[0] = 1;
}
"""
TINY = """
extern "C" __global__ void tiny(const float* given, float* out)
{
    out[0] = 0.5f * given[0];
    out[1] = given[1] - 1e-7f * given[2];
}
"""


def test_a_tile_written_by_one_thread_is_read_by_another(rng):
    given = rng.integers(-999, 999, 4 * 96, np.int32)
    out = np.zeros_like(given)
    Kernels(REVERSED).launch("reversed", (4,), (96,), (given, out, given.size), 96 * 4)
    np.testing.assert_array_equal(out, given.reshape(4, 96)[:, ::-1].ravel())


def test_shared_memory_that_nobody_wrote_is_no_number():
    out = np.zeros(96, np.int32)
    text = REVERSED.replace("again[thread] = ", "(void)")
    Kernels(text).launch("reversed", (1,), (96,), (out, out, 96), 96 * 4)
    assert (out == -1).all()  # all bits: as float or half it is NaN


def test_lanes_of_a_warp_exchange_values(rng):
    given = rng.integers(-999, 999, 128, np.int32)
    across, total, greatest = np.zeros_like(given), np.zeros(1, np.int32), np.full(1, -(10**6))
    greatest = greatest.astype(np.int32)
    Kernels(SUMS).launch("sums", (1,), (16, 8), (given, across, total, greatest))
    assert total == given.sum()
    assert greatest == given.reshape(4, 32).sum(1).max()
    np.testing.assert_array_equal(across, given[np.arange(128) ^ 5])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="this processor has no such mode here")
def test_what_cupy_has_counted_as_zero_is_zero_and_the_caller_keeps_its_own(rng):
    given, out = np.array([2**-126, 2**-127, 0], np.float32), np.ones(2, np.float32)
    Kernels(TINY).launch("tiny", (1,), (1,), (given, out))
    assert not out.any()
    assert (given[:2] * np.float32(0.5)).all()


def test_a_barrier_that_not_all_reach_ends_the_process(root):
    code = (
        "import numpy as np; from benchmarks.shim import Kernels\n"
        f"Kernels({UNEVEN!r}).launch('uneven', (1,), (64,), (np.zeros(1, np.int32),))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode < 0
    assert "a barrier that not all threads reach" in done.stderr

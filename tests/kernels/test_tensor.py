"""kernels/tensor.h: products of the tensor core and half numbers, against NumPy; on a GPU, too."""

import numpy as np
import pytest

from benchmarks.shim import Kernels, compiler
from vidgen import kernels

PRODUCT = """
extern "C" __global__ void product(const uint4* left, const unsigned short* right, float* out)
{
    DYNAMIC_SHARED(uint4, rows);  // 16 x 16, row by row
    const int lane = threadIdx.x, g = lane / 4, t = lane % 4;
    rows[lane] = left[lane];
    __syncthreads();
    unsigned a[4];
    load_matrices(a, rows + lane % 16 * 2 + lane / 16);
    const auto pair = [&](int row) { return right[row * 8 + g] | right[(row + 1) * 8 + g] << 16; };
    float sum[4] = {1, 1, 1, 1};
    multiply_add(sum, a, make_uint2(pair(2 * t), pair(2 * t + 8)));
    for (int n = 0; n < 4; ++n)
        out[(g + n / 2 * 8) * 8 + 2 * t + n % 2] = sum[n];
}
"""
HALVES = """
extern "C" __global__ void halves(const float* given, unsigned* out)
{
    out[threadIdx.x] = pack_half(given[2 * threadIdx.x], given[2 * threadIdx.x + 1]);
}
"""


@pytest.fixture(params=["host", pytest.param("cuda", marks=pytest.mark.needs_cuda)])
def run(request):
    """Runs one warp or more of a kernel that is written here."""
    if request.param == "host" and compiler() is None:
        pytest.skip("no g++ on the path to compile kernels for the CPU")
    header = (kernels.kernels_folder() / "tensor.h").read_text("utf-8").replace("#pragma once", "")

    def launch(name, body, threads, arrays, shared=0):
        if request.param == "host":
            Kernels(header + body).launch(name, (1,), (threads,), arrays, shared)
            return
        import cupy

        module = cupy.RawModule(code=header + body, options=kernels.OPTIONS)
        given = [cupy.asarray(each) for each in arrays]
        module.get_function(name)((1,), (threads,), tuple(given), shared_mem=shared)
        for array, after in zip(arrays, given, strict=True):
            array[...] = cupy.asnumpy(after)

    return launch


def test_a_product_is_that_of_the_matrices(run, rng):
    left = rng.integers(-64, 65, (16, 16)).astype(np.float16)
    right = rng.integers(-64, 65, (16, 8)).astype(np.float16)
    out = np.zeros((16, 8), np.float32)
    run("product", PRODUCT, 32, [left, right, out], shared=512)
    np.testing.assert_array_equal(out, 1 + left.astype(np.float32) @ right.astype(np.float32))


def test_halves_are_rounded_as_numpy_does(run, rng):
    edges = [0.0, -0.0, 1, 2049, 2051, 65504, 65519.9, 65520, 1e9, -1e9, np.inf, 2**-14, 2**-24]
    edges += [2**-25, 2**-25 * 1.001, 3 * 2**-25, 2**-14 - 2**-25, 1e-9, -6.1e-5, 0.1]
    spread = rng.choice([-1, 1], 236) * 2.0 ** rng.uniform(-26, 17, 236)
    given = np.concatenate([edges, spread]).astype(np.float32)
    out = np.zeros(given.size // 2, np.uint32)
    run("halves", HALVES, out.size, [given, out])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(out.view(np.uint16), given.astype(np.float16).view(np.uint16))

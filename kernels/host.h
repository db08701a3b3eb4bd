// What a kernel needs of CUDA, for a C++17 compiler: the same .cu runs on a CPU, one thread after
// another, so that its arithmetic is tested on machines without a GPU.
//
//     printf '#include "warp.cu"\nHOST_LAUNCHER(warp_u8)\n' | g++ -std=c++17 -O2 -shared -fPIC
//         -ffp-contract=off -include kernels/host.h -I kernels -x c++ -o warp.so -
//
// (one line) makes `launch_warp_u8(grid, block, arguments)`, called as cudaLaunchKernel is:
// `arguments` holds a pointer to each argument. Enough for kernels without shared memory and
// __syncthreads().

#pragma once

#include <cmath>
#include <cstddef>
#include <utility>

#define __global__
#define __device__
#define __forceinline__ inline

struct dim3 {
    unsigned x, y, z;
};

static thread_local dim3 gridDim, blockDim, blockIdx, threadIdx;

using std::size_t;

inline int min(int a, int b) { return b < a ? b : a; }
inline int max(int a, int b) { return a < b ? b : a; }

// Calls `step` with `index` at every position below `size`, x fastest.
template <typename Step>
void host_loop(dim3 size, dim3& index, Step step)
{
    for (index.z = 0; index.z < size.z; ++index.z)
        for (index.y = 0; index.y < size.y; ++index.y)
            for (index.x = 0; index.x < size.x; ++index.x)
                step();
}

template <typename... Arguments, std::size_t... I>
void host_launch(void (*kernel)(Arguments...), dim3 grid, dim3 block, void** arguments,
                 std::index_sequence<I...>)
{
    gridDim = grid;
    blockDim = block;
    host_loop(grid, blockIdx, [&] {
        host_loop(block, threadIdx, [&] { kernel(*static_cast<Arguments*>(arguments[I])...); });
    });
}

template <typename... Arguments>
void host_launch(void (*kernel)(Arguments...), dim3 grid, dim3 block, void** arguments)
{
    host_launch(kernel, grid, block, arguments, std::index_sequence_for<Arguments...>{});
}

#define HOST_LAUNCHER(kernel)                                                              \
    extern "C" void launch_##kernel(const dim3* grid, const dim3* block, void** arguments) \
    {                                                                                      \
        host_launch(kernel, *grid, *block, arguments);                                     \
    }

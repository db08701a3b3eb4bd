// What a kernel needs of CUDA, for a C++17 compiler: the same .cu runs on a CPU, so that its
// arithmetic is tested on machines without a GPU.
//
//     printf '#include "warp.cu"\nHOST_LAUNCHER(warp_u8)\n' | g++ -std=c++17 -O2 -shared -fPIC
//         -U_FORTIFY_SOURCE -ffp-contract=off -include kernels/host.h -I kernels -x c++
//         -o warp.so -
//
// (one line) makes `launch_warp_u8(grid, block, arguments, shared)`, called as cudaLaunchKernel is:
// `arguments` holds a pointer to each argument, `shared` is the dynamic shared memory in bytes.
//
// Blocks run one after another. The threads of a block are fibres of one thread of the CPU: each
// runs until it waits at a barrier, then the next one does. So nothing runs at the same time as
// anything else, atomics are plain, and a missing barrier is not always seen; what is seen is a
// barrier that not all reach (the process ends), and dynamic shared memory read before it was
// written (it is full of 0xFF, which is no number).
//
// On x86, float32 below 2^-126 counts as zero, taken or made, as on a GPU: CuPy adds -ftz=true.

#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)
#define __shared__ static  // one array for all fibres; it keeps its values from block to block
#define DYNAMIC_SHARED(type, name) type* name = reinterpret_cast<type*>(host.shared)

using std::max, std::min, std::size_t;

struct dim3 {
    unsigned x, y, z;
};
struct alignas(4) short2 {
    short x, y;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(8) uint2 {
    unsigned x, y;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

inline unsigned __float_as_uint(float value)
{
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline float __int_as_float(int bits)
{
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

// A number as the bits of half precision, rounded to nearest even, and back.
inline unsigned host_half(float value)
{
    unsigned bits;
    std::memcpy(&bits, &value, 4);
    const unsigned sign = bits >> 16 & 0x8000;
    const float size = std::fabs(value);
    if (std::isnan(value))
        return sign | 0x7E00;
    if (size >= 65520.0f)
        return sign | 0x7C00;
    if (size < 0x1p-14f)  // steps of 2^-24; 0x1p-14 itself is the first normal number
        return sign | unsigned(std::nearbyint(size * 0x1p24f));
    bits &= 0x7FFFFFFF;
    return sign | (((bits + 0xFFF + (bits >> 13 & 1)) >> 13) - (112 << 10));
}

inline float host_float(unsigned bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const float size = exponent == 0    ? std::ldexp(float(fraction), -24)
                       : exponent == 31 ? (fraction ? NAN : INFINITY)
                                        : std::ldexp(float(1024 + fraction), exponent - 25);
    return bits & 0x8000 ? -size : size;
}

// The bits of (high, low) from `shift`, below 32, on.
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift)
{
    return unsigned(((unsigned long long)high << 32 | low) >> shift);
}

// The sum of the absolute differences of two words' parts of so many bits.
template <int bits>
unsigned host_sad(unsigned one, unsigned other)
{
    unsigned sum = 0;
    for (int at = 0; at < 32; at += bits) {
        const int difference = int(one >> at & ((1u << bits) - 1)) - int(other >> at & ((1u << bits) - 1));
        sum += unsigned(std::abs(difference));
    }
    return sum;
}
inline unsigned __vsadu4(unsigned one, unsigned other) { return host_sad<8>(one, other); }
inline unsigned __vsadu2(unsigned one, unsigned other) { return host_sad<16>(one, other); }

static dim3 gridDim, blockDim, blockIdx, threadIdx;
constexpr int warpSize = 32;

// Threads that wait for one another: a block, or a warp of 32 of its threads.
struct HostGroup {
    int first, count;  // the threads that belong to it
    int live, arrived, passed;
    alignas(16) unsigned char lanes[32 * 64];  // what the lanes of a warp bring to a collective
};

struct HostFibre {
    dim3 index;
    jmp_buf state;
    bool done;
};

// The one block that runs.
struct Host {
    std::vector<HostFibre> fibres;
    std::vector<HostGroup> warps;
    HostGroup block;
    unsigned char* shared;
    int now, idle;
    jmp_buf home;
    void (*run)(void*);
    void* job;
};
static Host host;

// Go on with that fibre; back here when another goes on with this one.
__attribute__((noinline)) inline void host_switch(int next)
{
    const int self = host.now;
    if (_setjmp(host.fibres[self].state) == 0) {
        host.now = next;
        threadIdx = host.fibres[next].index;
        _longjmp(host.fibres[next].state, 1);
    }
}

// The next fibre of the group that has not ended.
inline int host_after(const HostGroup& group, int fibre)
{
    do
        fibre = fibre + 1 < group.first + group.count ? fibre + 1 : group.first;
    while (host.fibres[fibre].done);
    return fibre;
}

// Wait until all threads of the group are here; the last one does `last` before any goes on.
template <typename Last>
void host_barrier(HostGroup& group, Last last)
{
    const int passed = group.passed;
    if (++group.arrived < group.live) {
        while (group.passed == passed) {
            if (++host.idle > 4 * int(host.fibres.size())) {
                std::fputs("host.h: a barrier that not all threads reach\n", stderr);
                std::abort();
            }
            host_switch(host_after(host.idle > group.count ? host.block : group, host.now));
        }
        host.idle = 0;
        return;
    }
    last();
    group.arrived = 0;
    ++group.passed;
    host.idle = 0;
}

inline HostGroup& host_warp() { return host.warps[host.now / 32]; }
inline int host_lane() { return host.now % 32; }

inline void __syncthreads() { host_barrier(host.block, [] {}); }
inline void __syncwarp() { host_barrier(host_warp(), [] {}); }

// What the lanes of a warp bring, each in a place of its own: one may be read late.
template <typename Value>
struct HostLanes {
    unsigned char* places;
    Value& operator[](int lane) const { return *reinterpret_cast<Value*>(places + 64 * lane); }
};

// Each lane brings a value; `once` turns the 32 of them into what each takes away.
template <typename Value, typename Once>
Value host_collective(const Value& mine, Once once)
{
    static_assert(sizeof(Value) <= 64 && std::is_trivially_copyable_v<Value>);
    HostGroup& warp = host_warp();
    const HostLanes<Value> values{warp.lanes};
    const int lane = host_lane();
    values[lane] = mine;
    host_barrier(warp, [=] { once(values); });
    return values[lane];
}

template <typename Value>
Value __shfl_down_sync(unsigned, Value mine, unsigned delta)
{
    return host_collective(mine, [=](HostLanes<Value> values) {
        for (unsigned lane = 0; lane + delta < 32; ++lane)
            values[lane] = values[lane + delta];
    });
}

template <typename Value>
Value __shfl_xor_sync(unsigned, Value mine, unsigned mask)
{
    return host_collective(mine, [=](HostLanes<Value> values) {
        for (unsigned lane = 0; lane < 32; ++lane)
            if (lane < (lane ^ mask))
                std::swap(values[lane], values[lane ^ mask]);
    });
}

template <typename Value>
Value atomicAdd(Value* place, Value value)
{
    return std::exchange(*place, *place + value);
}
template <typename Value>
Value atomicMin(Value* place, Value value)
{
    return std::exchange(*place, min(*place, value));
}
template <typename Value>
Value atomicMax(Value* place, Value value)
{
    return std::exchange(*place, max(*place, value));
}

// One thread of every block in turn; a fibre's whole life.
inline void host_live()
{
    HostFibre& self = host.fibres[host.now];
    if (_setjmp(self.state) == 0)
        _longjmp(host.home, 1);
    for (;;) {
        host.run(host.job);
        self.done = true;
        host.idle = 0;
        for (HostGroup* group : {&host_warp(), &host.block})
            if (--group->live > 0 && group->arrived == group->live) {
                group->arrived = 0;
                ++group->passed;
            }
        if (host.block.live == 0) {
            if (_setjmp(self.state) == 0)
                _longjmp(host.home, 1);
        } else {
            host_switch(host_after(host.block, host.now));
        }
    }
}

// Makes the fibres; each waits in `host_live` for its first block.
inline std::unique_ptr<unsigned char[]> host_begin(int threads)
{
    constexpr size_t STACK = 128 * 1024;
    std::unique_ptr<unsigned char[]> stacks(new unsigned char[threads * STACK]);
    host.fibres.assign(threads, {});
    host.warps.assign((threads + 31) / 32, {});
    static ucontext_t context;
    for (host.now = 0; host.now < threads; ++host.now) {
        const unsigned n = host.now, x = blockDim.x, y = blockDim.y;
        host.fibres[n].index = {n % x, n / x % y, n / (x * y)};
        getcontext(&context);
        context.uc_stack.ss_sp = stacks.get() + n * STACK;
        context.uc_stack.ss_size = STACK;
        makecontext(&context, host_live, 0);
        if (_setjmp(host.home) == 0)
            setcontext(&context);
    }
    return stacks;
}

// Runs one block to its end.
__attribute__((noinline)) inline void host_block(size_t shared)
{
    const int threads = int(host.fibres.size());
    std::memset(host.shared, 0xFF, shared);
    host.block.first = host.block.arrived = host.idle = 0;
    host.block.count = host.block.live = threads;
    for (int n = 0; n < int(host.warps.size()); ++n) {
        HostGroup& warp = host.warps[n];
        warp.first = 32 * n;
        warp.count = warp.live = min(32, threads - 32 * n);
        warp.arrived = 0;
    }
    for (HostFibre& fibre : host.fibres)
        fibre.done = false;
    host.now = 0;
    threadIdx = host.fibres[0].index;
    if (_setjmp(host.home) == 0)
        _longjmp(host.fibres[0].state, 1);
}

// What is below 2^-126 counts as zero while this stands.
struct HostFlush {
#ifdef __SSE__
    const unsigned before = _mm_getcsr();
    HostFlush() { _mm_setcsr(before | 0x8040); }  // results, and what is taken
    ~HostFlush() { _mm_setcsr(before); }
#endif
};

template <typename Job>
void host_grid(dim3 grid, dim3 block, size_t shared, Job job)
{
    const HostFlush flush;
    gridDim = grid;
    blockDim = block;
    std::vector<unsigned char> memory(shared + 128);
    void* start = memory.data();
    size_t room = memory.size();
    host.shared = static_cast<unsigned char*>(std::align(128, shared, start, room));
    host.run = [](void* given) { (*static_cast<Job*>(given))(); };
    host.job = &job;
    const auto stacks = host_begin(int(block.x * block.y * block.z));
    for (blockIdx.z = 0; blockIdx.z < grid.z; ++blockIdx.z)
        for (blockIdx.y = 0; blockIdx.y < grid.y; ++blockIdx.y)
            for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x)
                host_block(shared);
}

template <typename... Arguments, size_t... I>
void host_launch(void (*kernel)(Arguments...), dim3 grid, dim3 block, void** arguments,
                 size_t shared, std::index_sequence<I...>)
{
    host_grid(grid, block, shared, [=] { kernel(*static_cast<Arguments*>(arguments[I])...); });
}

template <typename... Arguments>
void host_launch(void (*kernel)(Arguments...), dim3 grid, dim3 block, void** arguments,
                 size_t shared)
{
    host_launch(kernel, grid, block, arguments, shared, std::index_sequence_for<Arguments...>{});
}

#define HOST_LAUNCHER(kernel)                                                               \
    extern "C" void launch_##kernel(const dim3* grid, const dim3* block, void** arguments,  \
                                    size_t shared)                                          \
    {                                                                                       \
        host_launch(kernel, *grid, *block, arguments, shared);                              \
    }

// A chain of 3 x 3 convolutions, ReLU between them, on tiles that stay in shared memory.
//
// A launch does the layers FIRST to LAST - 1 of a chain of LAYERS, each tile with a halo that
// shrinks by a pixel a layer; so nothing but planes goes through global memory, or features where
// a chain is split over launches. Products are half precision, sums float32; features are kept as
// half. What a chain sees and makes is said by the file that includes this one:
//
//     SEEN, MADE    channels that the first layer sees, and that the last one makes
//     Ends          seen(row, column, channels): what is seen there, edges repeated
//                   made(row, column, channel, one, next): takes two channels of the result
//
// and by the constants that vidgen/engines/cuda.py puts in front of the text:
//
//     WIDTH         channels of the features, a multiple of 8
//     SKIP          1: the first features are added to the last ones. They are computed again for
//                   it, which is cheaper than the memory that would hold them
//     RECALL        1: the last layer also sees what the first one saw
//     ROWS, PITCH   rows that a tile makes; columns of a tile with its halo, a multiple of 32
//
// Channels lie in chunks of 8, a chunk of all pixels after another: 16 bytes a pixel. Eight pixels
// in a row are then read by ldmatrix, and written, without a bank conflict. A convolution is
// a product of pixels by (tap, chunk) with (tap, chunk) by outputs, two chunks a step. All layers of
// a tile share its pitch, so the pixel a tap away is a constant away; the outermost columns see
// the neighbouring row instead, and are the halo that is thrown away.
//
// Outside the picture features are zero, as the padding of the networks is.

#pragma once

#include "tensor.h"

constexpr int WARPS = 8;
constexpr int HALO = LAST - FIRST;
constexpr float HEAD_SCALE = 1.0f / 256;  // the first kernel comes 256 times too large, for half

__host__ __device__ constexpr int chunks(int channels) { return (channels + 7) / 8; }
__host__ __device__ constexpr int steps(int inputs) { return (9 * inputs + 1) / 2; }  // of two chunks each

constexpr int SEEN_CHUNKS = chunks(SEEN), CHUNKS = chunks(WIDTH), MADE_CHUNKS = chunks(MADE);
constexpr bool SEES = FIRST == 0 || LAST == LAYERS;

__host__ __device__ constexpr int inputs(int layer) { return layer == 0 ? SEEN_CHUNKS : CHUNKS; }
__host__ __device__ constexpr int outputs(int layer) { return layer == LAYERS - 1 ? MADE_CHUNKS : CHUNKS; }

// Where the weights of a layer begin, in words of 8 bytes: its kernel, then a bias for each output.
// After the last layer lies the kernel of what it recalls.
__host__ __device__ constexpr int kernel_size(int in, int out) { return steps(in) * out * 32; }
__host__ __device__ constexpr int weights_at(int layer)
{
    int at = 0;
    for (int each = 0; each < layer; ++each)
        at += kernel_size(inputs(each), outputs(each)) + 4 * outputs(each);
    return at;
}

// A stage is what a layer of this launch left: 0 what it began with. Each row of both sides less.
__host__ __device__ constexpr int stage_rows(int stage) { return ROWS + 2 * (HALO - stage); }
__host__ __device__ constexpr int stage_plane(int stage) { return stage_rows(stage) * PITCH; }

// Shared memory, in pixels of 16 bytes: one to read before the first, what is seen, even stages,
// odd stages, one to read after the last. vidgen/engines/tiles.py counts the same.
constexpr int EVEN = FIRST > 0 ? stage_plane(0) : HALO > 2 ? stage_plane(2) : 0;
constexpr int SEEN_AT = 1;
constexpr int EVEN_AT = SEEN_AT + (SEES ? SEEN_CHUNKS * stage_plane(0) : 0);
constexpr int ODD_AT = EVEN_AT + CHUNKS * EVEN;

__host__ __device__ constexpr int stage_at(int stage) { return stage % 2 ? ODD_AT : EVEN_AT; }

// Where `half` of a step lies: the tap, row by row, and the chunk. Past the end the weights are
// zero, and any number will do.
__host__ __device__ constexpr int place(int half, int in, int plane)
{
    const int tap = half / in % 9;
    return half % in * plane + tap / 3 * PITCH + tap % 3;
}

// The weights for TILES times 8 outputs, held in registers by a warp.
template <int IN, int TILES>
struct Kernel {
    uint2 part[steps(IN)][TILES];

    __device__ Kernel(const uint2* weights, int out, int first, int lane)
    {
#pragma unroll
        for (int step = 0; step < steps(IN); ++step)
#pragma unroll
            for (int tile = 0; tile < TILES; ++tile)
                part[step][tile] = weights[(step * out + first + tile) * 32 + lane];
    }
};

// Adds to `sum` what the kernel makes of 16 pixels; `corner` is the tap above and left of the
// first, in its first chunk.
template <int IN, int TILES>
__device__ void convolve(float (&sum)[TILES][4], const uint4* corner, int plane,
                         const Kernel<IN, TILES>& kernel, int lane)
{
#pragma unroll
    for (int step = 0; step < steps(IN); ++step) {
        const int low = place(2 * step, IN, plane), high = place(2 * step + 1, IN, plane);
        unsigned pixels[4];
        load_matrices(pixels, corner + lane % 16 + (lane < 16 ? low : high));
#pragma unroll
        for (int tile = 0; tile < TILES; ++tile)
            multiply_add(sum[tile], pixels, kernel.part[step][tile]);
    }
}

// The same for 16 columns and the rows from `first` to `last` - 1, in which `made(row, sum)` takes
// each. A row of pixels is read once for the three rows that it is a tap of: shared memory would
// be slower than the tensor cores otherwise. `corner` is that of row 0; chunks are even in number.
template <int IN, int TILES, typename Made>
__device__ void walk(int first, int last, const uint4* corner, int plane,
                     const Kernel<IN, TILES>& kernel, int lane, Made made)
{
    constexpr int PAIRS = IN / 2;
    float sum[3][TILES][4] = {};  // of rows row - 2, row - 1 and row
    for (int row = first; row < last + 2; ++row) {
        unsigned pixels[3 * PAIRS][4];
#pragma unroll
        for (int n = 0; n < 3 * PAIRS; ++n)
            load_matrices(pixels[n], corner + row * PITCH + n / PAIRS + lane % 16 +
                                         (n % PAIRS * 2 + lane / 16) * plane);
#pragma unroll
        for (int back = 0; back < 3; ++back) {
            if (row - back < first || row - back >= last)
                continue;
#pragma unroll
            for (int n = 0; n < 3 * PAIRS; ++n)
#pragma unroll
                for (int tile = 0; tile < TILES; ++tile)
                    multiply_add(sum[2 - back][tile], pixels[n],
                                 kernel.part[back * 3 * PAIRS + n][tile]);
        }
        if (row - 2 >= first)
            made(row - 2, sum[0]);
#pragma unroll
        for (int n = 0; n < 4 * TILES; ++n) {
            sum[0][n / 4][n % 4] = sum[1][n / 4][n % 4];
            sum[1][n / 4][n % 4] = sum[2][n / 4][n % 4];
            sum[2][n / 4][n % 4] = 0;
        }
    }
}

// Where a block's tile lies, and who this thread is.
struct Tile {
    int height, width;  // of the picture
    int top, left;      // its first pixel with the halo; may lie outside the picture
    int lane, warp;

    __device__ Tile(int height, int width)
        : height(height), width(width), top(int(blockIdx.y) * ROWS - HALO),
          left(int(blockIdx.x) * (PITCH - 2 * HALO) - HALO), lane(threadIdx.x % 32),
          warp(threadIdx.x / 32)
    {
    }

    __device__ bool holds(int row, int column) const
    {
        return row >= 0 && row < height && column >= 0 && column < width;
    }
};

template <typename Ends>
__device__ void see(const Tile& tile, uint4* memory, const Ends& ends)
{
    for (int pixel = threadIdx.x; pixel < stage_plane(0); pixel += WARPS * 32) {
        float channels[8 * SEEN_CHUNKS] = {};
        ends.seen(tile.top + pixel / PITCH, tile.left + pixel % PITCH, channels);
#pragma unroll
        for (int chunk = 0; chunk < SEEN_CHUNKS; ++chunk) {
            const float* eight = channels + 8 * chunk;
            memory[SEEN_AT + chunk * stage_plane(0) + pixel] =
                make_uint4(pack_half(eight[0], eight[1]), pack_half(eight[2], eight[3]),
                           pack_half(eight[4], eight[5]), pack_half(eight[6], eight[7]));
        }
    }
}

// The features that the launch before has left: (CHUNKS, height, width) of 16 bytes.
__device__ void fetch(const Tile& tile, uint4* memory, const uint4* before)
{
    for (int n = threadIdx.x; n < CHUNKS * stage_plane(0); n += WARPS * 32) {
        const int chunk = n / stage_plane(0), pixel = n % stage_plane(0);
        const int row = tile.top + pixel / PITCH, column = tile.left + pixel % PITCH;
        uint4 eight = make_uint4(0, 0, 0, 0);
        if (tile.holds(row, column))
            eight = before[(size_t(chunk) * tile.height + row) * tile.width + column];
        memory[EVEN_AT + n] = eight;
    }
}

__host__ __device__ constexpr int common_divisor(int a, int b)
{
    return b == 0 ? a : common_divisor(b, a % b);
}

// A warp holds the weights for some of the outputs, and takes some strips of 16 columns, or parts
// of their rows, so that all warps have as much to do.
template <int LAYER, typename Ends>
__device__ void layer(const Tile& tile, uint4* memory, uint4* after, const uint2* weights,
                      const Ends& ends)
{
    constexpr int STAGE = LAYER - FIRST + 1, HEIGHT = stage_rows(STAGE);
    constexpr int IN = inputs(LAYER), OUT = outputs(LAYER), TILES = OUT % 2 || IN > 6 ? 1 : 2;
    constexpr int GROUPS = OUT / TILES, SLICES = WARPS / GROUPS, STRIPS = PITCH / 16;
    constexpr int PARTS = SLICES / common_divisor(SLICES, STRIPS);
    constexpr bool TAIL = LAYER == LAYERS - 1, ADDS_FIRST = SKIP && LAYER == LAYERS - 2;
    constexpr bool SIDE = (TAIL && RECALL) || ADDS_FIRST;  // looks at what was seen, too
    const int lane = tile.lane, group = tile.warp % GROUPS, slice = tile.warp / GROUPS;
    if (slice >= SLICES)
        return;

    const uint2* own = weights + weights_at(LAYER);
    const uint2* other = ADDS_FIRST ? weights : weights + weights_at(LAYERS);
    const float* bias = reinterpret_cast<const float*>(own + kernel_size(IN, OUT));
    const float* first_bias =
        reinterpret_cast<const float*>(weights + kernel_size(SEEN_CHUNKS, CHUNKS));
    const Kernel<IN, TILES> kernel(own, OUT, group * TILES, lane);
    const Kernel<SIDE ? SEEN_CHUNKS : 1, TILES> side(SIDE ? other : own, OUT, group * TILES, lane);
    const uint4* input = memory + (LAYER == 0 ? SEEN_AT : stage_at(STAGE - 1)) - 1;
    const uint4* seen = memory + SEEN_AT - 1 + (STAGE - 1) * PITCH;
    unsigned* result = reinterpret_cast<unsigned*>(memory + stage_at(STAGE));

    for (int task = slice; task < STRIPS * PARTS; task += SLICES) {
        const int strip = task % STRIPS * 16, part = task / STRIPS;
        const int begin = part * HEIGHT / PARTS, end = (part + 1) * HEIGHT / PARTS;

        const auto made = [&](int own_row, const float(&sum)[TILES][4]) {
            float more[TILES][4] = {};
            if constexpr (SIDE)
                convolve(more, seen + own_row * PITCH + strip, stage_plane(0), side, lane);
#pragma unroll
            for (int n = 0; n < 2 * TILES; ++n) {  // 8 pixels by 8 channels each
                const int eight = n / 2, lower = n % 2;
                const int chunk = group * TILES + eight, channel = 8 * chunk + lane % 4 * 2;
                const int column = strip + 8 * lower + lane / 4;
                const int y = tile.top + STAGE + own_row, x = tile.left + column;
                const bool inside = tile.holds(y, x);
                const bool kept = inside && column >= HALO && column < PITCH - HALO;
                float value[2];
#pragma unroll
                for (int odd = 0; odd < 2; ++odd) {
                    const float own_sum = sum[eight][2 * lower + odd];
                    const float side_sum = more[eight][2 * lower + odd];
                    const float scaled = LAYER == 0 ? own_sum * HEAD_SCALE : own_sum;
                    value[odd] = scaled + (TAIL ? side_sum : bias[channel + odd]);
                    if (!TAIL)
                        value[odd] = fmaxf(value[odd], 0.0f);
                    if (ADDS_FIRST)
                        value[odd] +=
                            fmaxf(side_sum * HEAD_SCALE + first_bias[channel + odd], 0.0f);
                }
                if constexpr (TAIL) {
                    if (kept)
                        ends.made(y, x, channel, value[0], value[1]);
                } else if constexpr (LAYER < LAST - 1) {
                    const int pixel = chunk * stage_plane(STAGE) + own_row * PITCH + column;
                    result[4 * pixel + lane % 4] = inside ? pack_half(value[0], value[1]) : 0;
                } else if (kept) {
                    uint4* to = after + (size_t(chunk) * tile.height + y) * tile.width + x;
                    reinterpret_cast<unsigned*>(to)[lane % 4] = pack_half(value[0], value[1]);
                }
            }
            __syncwarp();  // lanes may have parted, and the next product needs all of them
        };

        if constexpr (IN % 2 == 0)
            walk(begin, end, input + strip, stage_plane(STAGE - 1), kernel, lane, made);
        else
            for (int row = begin; row < end; ++row) {
                float sum[TILES][4] = {};
                const uint4* corner = input + row * PITCH + strip;
                convolve(sum, corner, stage_plane(STAGE - 1), kernel, lane);
                made(row, sum);
            }
    }
}

template <int LAYER, typename Ends>
__device__ void layers(const Tile& tile, uint4* memory, uint4* after, const uint2* weights,
                       const Ends& ends)
{
    layer<LAYER>(tile, memory, after, weights, ends);
    if constexpr (LAYER + 1 < LAST) {
        __syncthreads();
        layers<LAYER + 1>(tile, memory, after, weights, ends);
    }
}

// A block's whole work. `before` and `after` are features; unused where the chain begins or ends.
template <typename Ends>
__device__ void chain(int height, int width, const uint4* before, uint4* after,
                      const uint2* weights, const Ends& ends)
{
    DYNAMIC_SHARED(uint4, memory);
    const Tile tile(height, width);
    if constexpr (SEES)
        see(tile, memory, ends);
    if constexpr (FIRST > 0)
        fetch(tile, memory, before);
    __syncthreads();
    layers<FIRST>(tile, memory, after, weights, ends);
}

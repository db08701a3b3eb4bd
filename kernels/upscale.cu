// The luma or the chroma of a picture at SCALE times its size, by a chain of 3 x 3 convolutions:
// what vidgen/train/graph.py writes as ONNX, for one of its two chains.
//
//     out = round(clamp(repeated plane + residual, 0, PEAK))
//
// Beside the plane the chain may see the past, (history - plane) * confidence / 255; zero outside
// the picture. Rounded half to even. Flat planes come out as they went in: their codes and the first
// kernel are exact in half precision and sum to zero, and zero stays zero.
//
//     plane         (GRID height, GRID width, PLANES) codes; PLANES 1 is Y, 2 is U and V
//     history       (SCALE SCALE, GRID height, GRID width) codes, with PAST
//     confidence    (GRID height, GRID width) bytes, with PAST
//     before        (WIDTH / 8, height, width) of 8 halves: the features that the launch before has
//                   left, if FIRST > 0
//     after         the same, for the launch after, if LAST < LAYERS
//     out           (SCALE GRID height, SCALE GRID width, PLANES) codes, if LAST == LAYERS
//     weights       packed by vidgen/engines/packed.py
//
// Codes are bytes, or 16 bits with the value in the low ones where PEAK > 255. The convolutions run
// on blocks of GRID x GRID pixels. Constants: see chain.h.
//
// Launch: block 256; grid (ceil(width / (PITCH - 2 (LAST - FIRST))), ceil(height / ROWS)); dynamic
// shared memory as vidgen/engines/tiles.py counts.

constexpr int BLOCK_PIXELS = GRID * GRID, POSITIONS = SCALE * SCALE;
constexpr int SEEN = BLOCK_PIXELS * (PLANES + PAST * POSITIONS);
constexpr int MADE = BLOCK_PIXELS * PLANES * POSITIONS;
#define RECALL PAST

#include "chain.h"
#include "codes.h"

struct Upscale {
    const Sample* plane;
    const Sample* history;
    const unsigned char* confidence;
    Sample* out;
    int height, width;  // in blocks

    // Of plane `number` of one of the pixels of a block.
    __device__ size_t at(int row, int column, int position, int number = 0) const
    {
        const size_t y = size_t(row) * GRID + position / GRID;
        return (y * width * GRID + column * GRID + position % GRID) * PLANES + number;
    }

    __device__ void seen(int row, int column, float* channels) const
    {
        const int y = max(min(row, height - 1), 0), x = max(min(column, width - 1), 0);
        const bool inside = y == row && x == column;
#pragma unroll
        for (int position = 0; position < BLOCK_PIXELS; ++position) {
#pragma unroll
            for (int number = 0; number < PLANES; ++number)
                channels[position * PLANES + number] = plane[at(y, x, position, number)];
            if (!PAST || !inside)
                continue;
            const size_t pixel = at(y, x, position), all = size_t(height) * width * BLOCK_PIXELS;
            const float own = channels[position], trust = confidence[pixel] * (1.0f / 255);
#pragma unroll
            for (int k = 0; k < POSITIONS; ++k)
                channels[BLOCK_PIXELS + k * BLOCK_PIXELS + position] =
                    (float(history[k * all + pixel]) - own) * trust;
        }
    }

    // Channel: with one plane, the position in the enlarged pixel, then in the block; with two, the
    // position in the enlarged pixel, then the plane.
    __device__ void made(int row, int column, int channel, float one, float next) const
    {
        constexpr int INNER = BLOCK_PIXELS * PLANES;
        const float residual[2] = {one, next};
        size_t places[2];
        Sample codes[2];
#pragma unroll
        for (int odd = 0; odd < 2; ++odd) {
            const int c = channel + odd, large = c / INNER;
            if (c >= MADE)
                return;
            const int position = PLANES == 1 ? c % INNER : 0, number = PLANES == 1 ? 0 : c % INNER;
            const size_t y = (size_t(row) * GRID + position / GRID) * SCALE + large / SCALE;
            const size_t x = (column * GRID + position % GRID) * SCALE + large % SCALE;
            places[odd] = (y * width * GRID * SCALE + x) * PLANES + number;
            codes[odd] = code(float(plane[at(row, column, position, number)]) + residual[odd]);
            if (GRID > 1)
                out[places[odd]] = codes[odd];
        }
        if (GRID == 1)  // then they are neighbours, and the first is at an even place
            reinterpret_cast<Pair*>(out)[places[0] / 2] =
                Pair(codes[0] | Pair(codes[1]) << 8 * sizeof(Sample));
    }
};

extern "C" __global__ void __launch_bounds__(256)
    upscale(const Sample* plane, const Sample* history, const unsigned char* confidence,
            const uint4* before, uint4* after, Sample* out, const uint2* weights, int height,
            int width)
{
    const Upscale ends{plane, history, confidence, out, height, width};
    chain(height, width, before, after, weights, ends);
}

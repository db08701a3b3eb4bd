// One picture of two candidates, by a chain of 3 x 3 convolutions on blocks of 2 x 2 pixels: what
// vidgen/train/fusion_graph.py writes as ONNX.
//
//     luma   = first + clamp(share + weight, 0, 1) * (last - first) + residual * gate
//     chroma = first + weight * (last - first)
//
// clamped to codes and rounded half to even. Weight and gate are the first and the last number of
// the guide over 255; share and residual are what the chain makes of a pixel, one after the other.
//
//     y_first, y_last      (height, width, 4) codes: the luma of blocks, row by row
//     uv_first, uv_last    (height, width, 2) codes
//     guide                (height, width, 4) bytes
//     before, after        features between launches, as in upscale.cu
//     y_out                (2 height, 2 width) codes
//     uv_out               (height, width, 2) codes
//     weights              packed by vidgen/engines/packed.py
//
// Codes are bytes, or 16 bits with the value in the low ones where PEAK > 255.
//
// Launch: as upscale.cu.

constexpr int LUMA = 4, CHROMA = 2, GUIDES = 4;
constexpr int SEEN = 2 * (LUMA + CHROMA) + GUIDES;
constexpr int MADE = 2 * LUMA;
#define RECALL 0

#include "chain.h"
#include "codes.h"

struct Fusion {
    const Sample* y_first;
    const Sample* uv_first;
    const Sample* y_last;
    const Sample* uv_last;
    const unsigned char* guide;
    Sample* y_out;
    Sample* uv_out;
    int height, width;  // in blocks

    __device__ void seen(int row, int column, float* channels) const
    {
        const size_t y = max(min(row, height - 1), 0), x = max(min(column, width - 1), 0);
        const size_t block = y * width + x;
        constexpr int STEP = LUMA + CHROMA;
#pragma unroll
        for (int n = 0; n < LUMA; ++n) {
            const float first = y_first[LUMA * block + n];
            channels[n] = first;
            channels[STEP + n] = y_last[LUMA * block + n] - first;
        }
#pragma unroll
        for (int n = 0; n < CHROMA; ++n) {
            const float first = uv_first[CHROMA * block + n];
            channels[LUMA + n] = first;
            channels[STEP + LUMA + n] = uv_last[CHROMA * block + n] - first;
        }
#pragma unroll
        for (int n = 0; n < GUIDES; ++n)
            channels[2 * STEP + n] = guide[GUIDES * block + n];
    }

    __device__ void made(int row, int column, int channel, float share, float residual) const
    {
        const size_t block = size_t(row) * width + column;
        const int n = channel / 2;  // which pixel of the block
        const float weight = guide[GUIDES * block] * (1.0f / 255);
        const float gate = guide[GUIDES * block + GUIDES - 1] * (1.0f / 255);
        const float first = y_first[LUMA * block + n];
        const float step = y_last[LUMA * block + n] - first;
        const float part = fminf(fmaxf(share + weight, 0.0f), 1.0f);
        const size_t y = 2 * size_t(row) + n / 2, x = 2 * size_t(column) + n % 2;
        y_out[y * 2 * width + x] = code(first + part * step + residual * gate);
        if (n < CHROMA) {
            const float own = uv_first[CHROMA * block + n];
            const float way = uv_last[CHROMA * block + n] - own;
            uv_out[CHROMA * block + n] = code(own + weight * way);
        }
    }
};

extern "C" __global__ void __launch_bounds__(256)
    fusion(const Sample* y_first, const Sample* uv_first, const Sample* y_last,
           const Sample* uv_last, const unsigned char* guide, const uint4* before, uint4* after,
           Sample* y_out, Sample* uv_out, const uint2* weights, int height, int width)
{
    const Fusion ends{y_first, uv_first, y_last, uv_last, guide, y_out, uv_out, height, width};
    chain(height, width, before, after, weights, ends);
}

// Backward warp of one plane by a dense flow field, or by one vector for each block of it.
//
//     out(y, x, c) = plane(y + v, x + u, c)
//
// bilinear between the four samples around; coordinates are clamped to [0, height - 1] x
// [0, width - 1] first, which replicates the edges; rounded half up. Coordinates and weights are
// float32 and each operation is rounded by itself (compile without fused multiply-add), so every
// code is that of `warp_reference` and `warp_blocks_reference` of vidgen/reference/sampling.py, and
// flat colours stay exact.
//
//     plane, out   (height, width, channels) contiguous; _u8: 8 bit, _u16: the value in the low
//                  bits (10 bit); channels 1 (Y) or 2 (U and V interleaved)
//     flow         (height, width) of float2: (u, v) in pixels of `plane`; an infinite one reads
//                  the edge, NaN the first row or column: never out of bounds
//     vectors      (rows, columns) of short2: (u, v) in 1 / 2^unit_log2 pixels of `plane`, each
//                  for a square of 2^block_log2 pixels; what lies beyond the last moves as that one
//
// Launch: one thread a pixel, x along the row: block (32, 8), grid (ceil(width / 32),
// ceil(height / 8)). A warp of 32 threads reads flow and writes `out` in whole lines. No shared
// memory. `out` must not overlap what is read.

#include "bilinear.h"
#include "part.h"

// The pixel (column, row) of `out`, from (x, y) of `plane`.
template <int channels, typename Sample>
__device__ void take(const Sample* __restrict__ plane, Sample* __restrict__ out, int height,
                     int width, int column, int row, float x, float y)
{
    const unsigned stride = width * channels;
    float moved[channels];
    for (int c = 0; c < channels; ++c)
        moved[c] = bilinear(plane + c, height, width, stride, channels, x, y);
    Sample* pixel = out + size_t(row) * stride + column * channels;
    for (int c = 0; c < channels; ++c)
        pixel[c] = Sample(int(moved[c] + 0.5f));  // it is >= 0, so this is floor
}

template <typename Sample>
__device__ void take(const Sample* __restrict__ plane, Sample* __restrict__ out, int height,
                     int width, int channels, int column, int row, float x, float y)
{
    if (channels == 1)
        take<1>(plane, out, height, width, column, row, x, y);
    else
        take<2>(plane, out, height, width, column, row, x, y);
}

template <typename Sample>
__device__ void warp(const Sample* __restrict__ plane, const float2* __restrict__ flow,
                     Sample* __restrict__ out, int height, int width, int channels)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height)
        return;
    const float2 step = flow[size_t(row) * width + column];
    take(plane, out, height, width, channels, column, row, column + step.x, row + step.y);
}

template <typename Sample>
__device__ void warp_blocks(const Sample* __restrict__ plane, const short2* __restrict__ vectors,
                            Sample* __restrict__ out, int height, int width, int channels,
                            int rows, int columns, int block_log2, int unit_log2)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height)
        return;
    const int above = min(row >> block_log2, rows - 1);
    const int before = min(column >> block_log2, columns - 1);
    const short2 step = vectors[size_t(above) * columns + before];
    const float unit = part(unit_log2), x = column + step.x * unit, y = row + step.y * unit;
    take(plane, out, height, width, channels, column, row, x, y);
}

extern "C" __global__ void warp_u8(const unsigned char* plane, const float2* flow,
                                   unsigned char* out, int height, int width, int channels)
{
    warp(plane, flow, out, height, width, channels);
}

extern "C" __global__ void warp_u16(const unsigned short* plane, const float2* flow,
                                    unsigned short* out, int height, int width, int channels)
{
    warp(plane, flow, out, height, width, channels);
}

extern "C" __global__ void warp_blocks_u8(const unsigned char* plane, const short2* vectors,
                                          unsigned char* out, int height, int width, int channels,
                                          int rows, int columns, int block_log2, int unit_log2)
{
    warp_blocks(plane, vectors, out, height, width, channels, rows, columns, block_log2, unit_log2);
}

extern "C" __global__ void warp_blocks_u16(const unsigned short* plane, const short2* vectors,
                                           unsigned short* out, int height, int width,
                                           int channels, int rows, int columns, int block_log2,
                                           int unit_log2)
{
    warp_blocks(plane, vectors, out, height, width, channels, rows, columns, block_log2, unit_log2);
}

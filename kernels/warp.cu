// Backward warp of one plane by a dense flow field.
//
//     out(y, x, c) = plane(y + flow_y(y, x), x + flow_x(y, x), c)
//
// bilinear between the four samples around; coordinates are clamped to [0, height - 1] x
// [0, width - 1] first, which replicates the edges; rounded half up. Coordinates and weights are
// float32 and each operation is rounded by itself (compile without fused multiply-add), so every
// code equals that of the NumPy reference, `warp_reference` of vidgen/motion/warp.py, and flat
// colours stay exact.
//
//     plane, out   (height, width, channels) contiguous; warp_u8: 8 bit, warp_u16: the value in
//                  the low bits (10 bit); channels 1 (Y) or 2 (U and V interleaved)
//     flow         (height, width, 2) float32, (x, y) displacements in pixels of `plane`; an
//                  infinite one reads the edge, NaN the first row or column: never out of bounds
//
// Launch: one thread a pixel, x along the row: block (32, 8), grid (ceil(width / 32),
// ceil(height / 8)). A warp of 32 threads reads flow and writes `out` in whole lines. No shared
// memory. `out` must not overlap `plane` or `flow`.

#include "bilinear.h"

template <typename Sample>
__device__ void warp(const Sample* __restrict__ plane, const float* __restrict__ flow,
                     Sample* __restrict__ out, int height, int width, int channels)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height)
        return;

    const size_t pixel = size_t(row) * width + column, stride = size_t(width) * channels;
    const float x = column + flow[2 * pixel], y = row + flow[2 * pixel + 1];
    for (int c = 0; c < channels; ++c) {
        const float moved = bilinear(plane + c, height, width, stride, channels, x, y);
        out[pixel * channels + c] = Sample(floorf(moved + 0.5f));
    }
}

extern "C" __global__ void warp_u8(const unsigned char* plane, const float* flow,
                                   unsigned char* out, int height, int width, int channels)
{
    warp(plane, flow, out, height, width, channels);
}

extern "C" __global__ void warp_u16(const unsigned short* plane, const float* flow,
                                    unsigned short* out, int height, int width, int channels)
{
    warp(plane, flow, out, height, width, channels);
}

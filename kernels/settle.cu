// What was drawn before, where the picture has not changed around: a network that sees its own output
// of the same picture over and over drifts.
//
//     made(s y + a, s x + b) = output(s y + a, s x + b)   for a, b in [0, s)
//
// where `before` and `now` are the same, to the code, at all of the 5 x 5 pixels around (y, x) that
// exist; elsewhere `made` stays as it is. The codes are those of `settled_reference` of
// vidgen/reference/history.py.
//
//     before, now     (height, width) contiguous; settle_u8: 8 bit, settle_u16: 16 bit, settle_f16:
//                     in half precision, none of them NaN
//     output, made    (scale height, scale width), as `now`
//
// Launch: one thread a pixel of `now`, x along the row: block (32, 8), grid (ceil(width / 32),
// ceil(height / 8)). No shared memory.

#include "float16.h"

constexpr int AROUND = 2;

template <typename Sample>
__device__ bool same(const Sample* __restrict__ before, const Sample* __restrict__ now, int row,
                     int column, int height, int width)
{
    for (int y = max(row - AROUND, 0); y <= min(row + AROUND, height - 1); ++y)
        for (int x = max(column - AROUND, 0); x <= min(column + AROUND, width - 1); ++x) {
            const size_t pixel = size_t(y) * width + x;
            if (int(before[pixel]) != int(now[pixel]))
                return false;
        }
    return true;
}

template <typename Sample>
__device__ void settle(const Sample* __restrict__ before, const Sample* __restrict__ now,
                       const Sample* __restrict__ output, Sample* __restrict__ made, int height,
                       int width, int scale)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height || !same(before, now, row, column, height, width))
        return;
    for (int a = 0; a < scale; ++a)
        for (int b = 0; b < scale; ++b) {
            const size_t at = (size_t(scale) * row + a) * scale * width + scale * column + b;
            made[at] = output[at];
        }
}

extern "C" __global__ void settle_u8(const unsigned char* before, const unsigned char* now,
                                     const unsigned char* output, unsigned char* made, int height,
                                     int width, int scale)
{
    settle(before, now, output, made, height, width, scale);
}

extern "C" __global__ void settle_u16(const unsigned short* before, const unsigned short* now,
                                      const unsigned short* output, unsigned short* made,
                                      int height, int width, int scale)
{
    settle(before, now, output, made, height, width, scale);
}

extern "C" __global__ void settle_f16(const Float16* before, const Float16* now,
                                      const Float16* output, Float16* made, int height, int width,
                                      int scale)
{
    settle(before, now, output, made, height, width, scale);
}

// Luma at half its size and in 8 bits, as which pictures are compared.
//
//     half(y, x) = (sum of the 2 x 2 codes there + 2) / 4, rounded down
//
// where an odd last row or column counts twice; of 10 bits a fourth of that, rounded half to even.
// The codes are those of `halve_reference` of vidgen/reference/history.py.
//
//     y       (height, width) contiguous; halve_u8: 8 bit, halve_u16: the value in the low bits,
//             halve_f16: in half precision, both of 10 bits
//     half    (ceil(height / 2), ceil(width / 2)) 8 bit
//
// Launch: one thread a pixel of `half`, x along the row: block (32, 8), grid (ceil(width / 64),
// ceil(height / 16)). No shared memory.

#include "float16.h"

template <bool deep, typename Sample>
__device__ void halve(const Sample* __restrict__ y, unsigned char* __restrict__ half, int height,
                      int width)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    const int left = 2 * column, top = 2 * row;
    if (left >= width || top >= height)
        return;
    const int right = min(left + 1, width - 1), bottom = min(top + 1, height - 1);
    const Sample *upper = y + size_t(top) * width, *lower = y + size_t(bottom) * width;
    const int sum = int(upper[left]) + int(upper[right]) + int(lower[left]) + int(lower[right]);
    const int mean = (sum + 2) / 4;
    const size_t pixel = size_t(row) * ((width + 1) / 2) + column;
    half[pixel] = deep ? min(int(rintf(mean * 0.25f)), 255) : mean;
}

extern "C" __global__ void halve_u8(const unsigned char* y, unsigned char* half, int height,
                                    int width)
{
    halve<false>(y, half, height, width);
}

extern "C" __global__ void halve_u16(const unsigned short* y, unsigned char* half, int height,
                                     int width)
{
    halve<true>(y, half, height, width);
}

extern "C" __global__ void halve_f16(const Float16* y, unsigned char* half, int height, int width)
{
    halve<true>(y, half, height, width);
}

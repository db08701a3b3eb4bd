// Luma at half its size and in 8 bits, as which pictures are compared.
//
//     half(y, x) = (sum of the 2 x 2 codes there + 2) / 4, rounded down
//
// and of 10 bits a fourth of that, rounded half to even. The codes are those of `halve_reference`
// of vidgen/reference/history.py.
//
//     y       (2 height, 2 width) contiguous; halve_u8: 8 bit, halve_u16: the value in the low
//             bits, halve_f16: in half precision, both of 10 bits
//     half    (height, width) 8 bit
//
// Launch: one thread a pixel of `half`, x along the row: block (32, 8), grid (ceil(width / 32),
// ceil(height / 8)). No shared memory.

#include "float16.h"

template <bool deep, typename Sample>
__device__ void halve(const Sample* __restrict__ y, unsigned char* __restrict__ half, int height,
                      int width)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height)
        return;
    const Sample* upper = y + 4 * size_t(row) * width + 2 * column;
    const Sample* lower = upper + 2 * width;
    const int mean = (int(upper[0]) + int(upper[1]) + int(lower[0]) + int(lower[1]) + 2) / 4;
    half[size_t(row) * width + column] = deep ? min(int(rintf(mean * 0.25f)), 255) : mean;
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

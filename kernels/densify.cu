// Dense flow from one vector a block, by blocks that overlap.
//
// Each block reaches to the centres of its neighbours, with a weight that falls in a straight line
// from its own centre to theirs (the triangular window of overlapped block motion compensation), so
// that up to four meet at a pixel. A block that is not trusted gives way to those that are:
//
//     flow(y, x) = sum of w_b v_b / sum of w_b / 2^unit_log2,  w_b = window_b(y, x) (trust_b + 1)
//
// Before the first and behind the last centre of a row or column there is one block less. It is
// summed as the difference from the upper left vector, so one motion of all stays exact. Every
// value is that of `densify_reference` of vidgen/reference/blocks.py, float32 without fused
// multiply-add.
//
//     vectors      (rows, columns) of short2: (u, v) in 1 / 2^unit_log2 pixels
//     trust        (rows, columns) 8 bit; 0 still counts, 1/256 as much as 255, so that where
//                  nothing is trusted there is some motion
//     flow         (height, width) of float2, (u, v) in pixels; a vector for each square of
//                  2^block_log2 of its pixels, half as many a side as in the picture where flow is
//                  half as large
//
// Launch: one thread a pixel, x along the row: block (32, 8), grid (ceil(width / 32),
// ceil(height / 8)). A warp writes 256 bytes in a row. No shared memory: the vectors that a warp
// reads are few and stay in the cache.

#include "part.h"

// A block's vector and weight.
struct Moved {
    float u, v, weight;
};

__device__ Moved moved(const short2* vectors, const unsigned char* trust, unsigned at, float window)
{
    const short2 vector = vectors[at];
    return {float(vector.x), float(vector.y), window * (trust[at] + 1.0f)};
}

// Where a pixel lies between the centres of blocks, in blocks.
__device__ float between(int pixel, float block, int count)
{
    return fminf(fmaxf((pixel + 0.5f) * block - 0.5f, 0.0f), float(count - 1));
}

extern "C" __global__ void densify(const short2* vectors, const unsigned char* trust, float2* flow,
                                   int height, int width, int rows, int columns, int block_log2,
                                   int unit_log2)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height)
        return;
    const float block = part(block_log2), unit = part(unit_log2);
    const float x = between(column, block, columns), y = between(row, block, rows);
    const unsigned left = unsigned(x), top = unsigned(y);
    const unsigned right = min(left + 1, unsigned(columns - 1));
    const unsigned bottom = min(top + 1, unsigned(rows - 1));
    const float over = x - float(left), down = y - float(top);
    const unsigned upper = top * columns, lower = bottom * columns;

    const Moved a = moved(vectors, trust, upper + left, (1.0f - down) * (1.0f - over));
    const Moved b = moved(vectors, trust, upper + right, (1.0f - down) * over);
    const Moved c = moved(vectors, trust, lower + left, down * (1.0f - over));
    const Moved d = moved(vectors, trust, lower + right, down * over);
    const float all = 1.0f / (a.weight + b.weight + c.weight + d.weight);
    const float u = b.weight * (b.u - a.u) + c.weight * (c.u - a.u) + d.weight * (d.u - a.u);
    const float v = b.weight * (b.v - a.v) + c.weight * (c.v - a.v) + d.weight * (d.v - a.v);
    flow[size_t(row) * width + column] = {(a.u + u * all) * unit, (a.v + v * all) * unit};
}

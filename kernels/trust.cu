// How far to trust motion, by whether both pictures look alike where it leads; rest where that
// explains the picture as well.
//
//     moved(y, x) = |previous(y + v / 2, x + u / 2) - current(y, x)|   bilinear, rounded half up
//     still(y, x) = |previous(y, x) - current(y, x)|
//
// where (u, v) is `flow` enlarged by `factor`, bilinear between pixel centres, edges replicated;
// both summed over the 3 x 3 pixels around, mirrored at the outermost pixels. Then
//
//     trust(y, x) = 255 / (1 + (min(moved, still) / 22.5)^2), rounded half to even
//     rested(y, x) = (0, 0) where still <= moved, else (u, v)
//
// 22.5 is a mean difference of 2.5. Each operation is rounded by itself (compile without fused
// multiply-add), so both are those of `trusted_reference` of vidgen/reference/history.py.
//
//     previous, current   (height, width) 8 bit: luma at half its resolution
//     flow                (flow_height, flow_width, 2) float32: (x, y) displacements in pixels of
//                         the picture `factor` times smaller, at its full resolution
//     rested              (height, width) of float2: (u, v) in pixels of the full resolution
//     trust               (height, width) 8 bit
//
// Launch: one thread a pixel, x along the row: block (32, 8), grid (ceil(width / 32),
// ceil(height / 8)). The differences of the block and of one pixel around it lie in shared memory
// (680 bytes), so that previous is sampled 1.3 times a pixel and not 9 times.

#include "bilinear.h"

constexpr int COLUMNS = 32, ROWS = 8, WIDE = COLUMNS + 2, HIGH = ROWS + 2;

// A place from -1 on, brought into the picture by mirroring it at the outermost pixels.
__device__ int mirrored(int place, int length)
{
    const int inside = place < 0 ? -place : place;
    return max(inside < length ? inside : 2 * (length - 1) - inside, 0);
}

__device__ int around(const unsigned char (&tile)[HIGH][WIDE], int row, int column)
{
    int sum = 0;
    for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 3; ++x)
            sum += tile[row + y][column + x];
    return sum;
}

// A flow field, and by how much to enlarge it.
struct Flow {
    const float* field;
    int height, width;
    float factor;

    __device__ float2 at(int row, int column) const
    {
        const float x = (column + 0.5f) / factor - 0.5f, y = (row + 0.5f) / factor - 0.5f;
        const unsigned stride = 2 * width;
        return {factor * bilinear(field, height, width, stride, 2, x, y),
                factor * bilinear(field + 1, height, width, stride, 2, x, y)};
    }
};

extern "C" __global__ void trust(const unsigned char* __restrict__ previous,
                                 const unsigned char* __restrict__ current,
                                 const float* __restrict__ field, float2* __restrict__ rested,
                                 unsigned char* __restrict__ trusted, int height, int width,
                                 int flow_height, int flow_width, int factor)
{
    __shared__ unsigned char moved[HIGH][WIDE], still[HIGH][WIDE];
    const Flow flow{field, flow_height, flow_width, float(factor)};
    const int left = blockIdx.x * COLUMNS, top = blockIdx.y * ROWS;
    const int thread = threadIdx.y * COLUMNS + threadIdx.x;
    for (int at = thread; at < HIGH * WIDE; at += ROWS * COLUMNS) {
        const int row = mirrored(top + at / WIDE - 1, height);
        const int column = mirrored(left + at % WIDE - 1, width);
        const size_t pixel = size_t(row) * width + column;
        const float2 motion = flow.at(row, column);
        const float x = column + 0.5f * motion.x, y = row + 0.5f * motion.y;
        const float seen = floorf(bilinear(previous, height, width, width, 1, x, y) + 0.5f);
        const int now = current[pixel];
        moved[at / WIDE][at % WIDE] = fabsf(seen - float(now));
        still[at / WIDE][at % WIDE] = fabsf(float(previous[pixel]) - float(now));
    }
    __syncthreads();

    const int column = left + threadIdx.x, row = top + threadIdx.y;
    if (column >= width || row >= height)
        return;
    const int by_motion = around(moved, threadIdx.y, threadIdx.x);
    const int by_rest = around(still, threadIdx.y, threadIdx.x);
    const size_t pixel = size_t(row) * width + column;
    const float ratio = float(min(by_motion, by_rest)) * (1.0f / 22.5f);
    trusted[pixel] = rintf(255.0f / (1.0f + ratio * ratio));
    rested[pixel] = by_rest <= by_motion ? float2{0.0f, 0.0f} : flow.at(row, column);
}

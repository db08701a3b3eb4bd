// Sample (x, y) of a plane of height x width samples, `step` apart, its rows `stride` apart.
//
// Bilinear between the four samples around; coordinates are clamped to the plane first, which
// replicates its edges; a coordinate that is no number is 0. Each operation is rounded by itself
// (compile without fused multiply-add), as in `bilinear_reference` of vidgen/reference/sampling.py.

#pragma once

template <typename Sample>
__device__ float bilinear(const Sample* __restrict__ plane, int height, int width, unsigned stride,
                          int step, float x, float y)
{
    x = fminf(fmaxf(x, 0.0f), float(width - 1));
    y = fminf(fmaxf(y, 0.0f), float(height - 1));
    const unsigned left = unsigned(x), top = unsigned(y);  // both are >= 0, so this is floor
    const unsigned right = min(left + 1, unsigned(width - 1));
    const unsigned bottom = min(top + 1, unsigned(height - 1));
    const float over = x - float(left), down = y - float(top);

    const Sample* upper_row = plane + size_t(top) * stride;
    const Sample* lower_row = plane + size_t(bottom) * stride;
    const float upper_left = upper_row[left * step], lower_left = lower_row[left * step];
    const float upper = upper_left + over * (upper_row[right * step] - upper_left);
    const float lower = lower_left + over * (lower_row[right * step] - lower_left);
    return upper + down * (lower - upper);
}

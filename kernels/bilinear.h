// Sample (x, y) of a plane of height x width samples, `step` apart, its rows `stride` apart.
//
// Bilinear between the four samples around; coordinates are clamped to the plane first, which
// replicates its edges; a coordinate that is no number is 0. Each operation is rounded by itself
// (compile without fused multiply-add), as in `bilinear_reference` of vidgen/reference/sampling.py.

#pragma once

template <typename Sample>
__device__ float bilinear(const Sample* __restrict__ plane, int height, int width, size_t stride,
                          int step, float x, float y)
{
    x = fminf(fmaxf(x, 0.0f), float(width - 1));
    y = fminf(fmaxf(y, 0.0f), float(height - 1));
    const int left = int(x), top = int(y);  // both are >= 0, so this is floor
    const int right = min(left + 1, width - 1), bottom = min(top + 1, height - 1);
    const float over = x - float(left), down = y - float(top);

    const Sample* upper_row = plane + top * stride;
    const Sample* lower_row = plane + bottom * stride;
    const float upper_left = upper_row[left * step], lower_left = lower_row[left * step];
    const float upper = upper_left + over * (upper_row[right * step] - upper_left);
    const float lower = lower_left + over * (lower_row[right * step] - lower_left);
    return upper + down * (lower - upper);
}

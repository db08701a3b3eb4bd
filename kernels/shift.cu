// Chroma read beside its place, after networks have enlarged it with its edges kept.
//
//     shifted(y, x) = sum over j of down[j] * (sum over i of across[i] * uv(y + j - b, x + i - a))
//
// in that order, in float32, rounded half to even and kept in [0, top]; a and b are half the taps,
// and edges repeat. The codes are those of `shifted_reference` of vidgen/reference/shift.py.
//
//     uv, shifted      (height, width, 2) contiguous; shift_u8: 8 bit, shift_u16: the value in the
//                      low bits
//     across, down     `2 * a + 1` and `2 * b + 1` weights, float32, of sum 1
//
// Launch: one thread a pixel of both channels, x along the row: block (32, 8), grid (ceil(width /
// 32), ceil(height / 8)). No shared memory: the rows that a block reads stay in the cache.

template <typename Sample>
__device__ Sample nearest(float value, int top)
{
    return Sample(rintf(fminf(fmaxf(value, 0.0f), float(top))));
}

template <typename Sample>
__device__ void shift(const Sample* __restrict__ uv, Sample* __restrict__ shifted,
                      const float* __restrict__ across, const float* __restrict__ down, int height,
                      int width, int reach_across, int reach_down, int top)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row >= height || column >= width)
        return;
    float u = 0.0f, v = 0.0f;
    for (int j = -reach_down; j <= reach_down; ++j) {
        const Sample* line = uv + size_t(2) * width * min(max(row + j, 0), height - 1);
        float u_here = 0.0f, v_here = 0.0f;
        for (int i = -reach_across; i <= reach_across; ++i) {
            const Sample* pixel = line + 2 * min(max(column + i, 0), width - 1);
            const float weight = across[i + reach_across];
            u_here += weight * float(pixel[0]);
            v_here += weight * float(pixel[1]);
        }
        u += down[j + reach_down] * u_here;
        v += down[j + reach_down] * v_here;
    }
    Sample* made = shifted + (size_t(row) * width + column) * 2;
    made[0] = nearest<Sample>(u, top);
    made[1] = nearest<Sample>(v, top);
}

extern "C" __global__ void shift_u8(const unsigned char* uv, unsigned char* shifted,
                                    const float* across, const float* down, int height, int width,
                                    int reach_across, int reach_down, int top)
{
    shift(uv, shifted, across, down, height, width, reach_across, reach_down, top);
}

extern "C" __global__ void shift_u16(const unsigned short* uv, unsigned short* shifted,
                                     const float* across, const float* down, int height, int width,
                                     int reach_across, int reach_down, int top)
{
    shift(uv, shifted, across, down, height, width, reach_across, reach_down, top);
}

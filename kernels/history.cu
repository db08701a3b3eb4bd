// The engine's previous output at the pixels of the next input, clamped to what is around each, and
// how far to trust it.
//
//     out(s * a + b, y, x) = clamp(previous(s * (y + v) + a, s * (x + u) + b), low, high)
//
// for a, b in [0, s), where (u, v) is `flow` enlarged to the input's size, bilinear between pixel
// centres, and `previous` is read bilinear with edges replicated and rounded half up. With `least`
// and `most` those of the 3 x 3 input pixels around that exist:
//
//     margin = (peak + 1) / 32 + (most - least) / 2, rounded half to even
//     low    = max(least - margin, 0),  high = min(most + margin, peak)
//
// `confidence` is `trust` enlarged as the flow is, rounded half up.
//
// Coordinates and weights are float32 and each operation is rounded by itself (compile without
// fused multiply-add), so every code is that of `align_reference` and `widened_reference` of
// vidgen/reference/history.py.
//
//     previous     (scale height, scale width) contiguous; history_u8: 8 bit, history_u16: the
//                  value in the low bits, history_f16: in half precision; peak is 255 or 1023
//     input        (height, width), as `previous`
//     flow         (flow_height, flow_width, 2) float32, (x, y) displacements in input pixels; one
//                  that is no number reads the first row or column, never out of bounds
//     trust        (flow_height, flow_width) 8 bit
//     out          (scale scale, height, width), as `previous`
//     confidence   (height, width) 8 bit
//
// Launch: one thread an input pixel, x along the row: block (32, 8), grid (ceil(width / 32),
// ceil(height / 8)). No shared memory. What is written must not overlap what is read.

#include "bilinear.h"
#include "float16.h"

template <typename Sample>
__device__ void history(const Sample* __restrict__ previous, const Sample* __restrict__ input,
                        const float* __restrict__ flow, const unsigned char* __restrict__ trust,
                        Sample* __restrict__ out, unsigned char* __restrict__ confidence,
                        int height, int width, int flow_height, int flow_width, int scale, int peak)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height)
        return;

    int least = peak, most = 0;
    for (int y = max(row - 1, 0); y <= min(row + 1, height - 1); ++y)
        for (int x = max(column - 1, 0); x <= min(column + 1, width - 1); ++x) {
            const int code = input[size_t(y) * width + x];
            least = min(least, code);
            most = max(most, code);
        }
    const int half = (most - least) / 2;
    const int margin = (peak + 1) / 32 + half + ((most - least) & half & 1);
    const int low = max(least - margin, 0), high = min(most + margin, peak);

    const float flow_x = (column + 0.5f) * (float(flow_width) / float(width)) - 0.5f;
    const float flow_y = (row + 0.5f) * (float(flow_height) / float(height)) - 0.5f;
    const float trusted =
        bilinear(trust, flow_height, flow_width, flow_width, 1, flow_x, flow_y);
    confidence[size_t(row) * width + column] = floorf(trusted + 0.5f);
    const unsigned flow_row = 2 * flow_width, wide = scale * width;
    const float u = bilinear(flow, flow_height, flow_width, flow_row, 2, flow_x, flow_y);
    const float v = bilinear(flow + 1, flow_height, flow_width, flow_row, 2, flow_x, flow_y);
    const float x = scale * u + float(scale * column), y = scale * v + float(scale * row);
    for (int a = 0; a < scale; ++a)
        for (int b = 0; b < scale; ++b) {
            const float moved = bilinear(previous + a * wide + b, scale * height - a,
                                         scale * width - b, wide, 1, x, y);
            const int code = min(max(int(floorf(moved + 0.5f)), low), high);
            out[(size_t(scale * a + b) * height + row) * width + column] = Sample(code);
        }
}

extern "C" __global__ void history_u8(const unsigned char* previous, const unsigned char* input, const float* flow,
    const unsigned char* trust, unsigned char* out, unsigned char* confidence, int height, int width,
    int flow_height, int flow_width, int scale, int peak)
{
    history(previous, input, flow, trust, out, confidence, height, width, flow_height, flow_width,
            scale, peak);
}

extern "C" __global__ void history_u16(const unsigned short* previous, const unsigned short* input, const float* flow,
    const unsigned char* trust, unsigned short* out, unsigned char* confidence, int height, int width,
    int flow_height, int flow_width, int scale, int peak)
{
    history(previous, input, flow, trust, out, confidence, height, width, flow_height, flow_width,
            scale, peak);
}

extern "C" __global__ void history_f16(const Float16* previous, const Float16* input, const float* flow,
    const unsigned char* trust, Float16* out, unsigned char* confidence, int height, int width,
    int flow_height, int flow_width, int scale, int peak)
{
    history(previous, input, flow, trust, out, confidence, height, width, flow_height, flow_width,
            scale, peak);
}

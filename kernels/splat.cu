// Forward splat: values where motion carries them; where several land on a pixel, one is shown.
//
// Each source is written to the four pixels around the place where its step leads. `splat_claim`
// lets them claim those with a key, the greatest of which wins, in whatever order threads come:
//
//     the upper left of its four pixels wins over the upper right, that over the lower left, that
//     over the lower right; then the step that is least like the motion of the whole, by the sum
//     of both distances (what is in front moves otherwise); then the source that comes last
//
//     key = corner << 62 | 1 << 61 | bits of the distance as float32 << 30 | number of the source
//
// `splat_take` then brings each pixel the values of its winner; where none claimed it, zeros, and
// `seen` is 0. Keys and values are those of `claims_reference` and `splat_reference` of
// vidgen/reference/splat.py.
//
//     steps        (height, width) of float2, in pixels; what leads nowhere (no number, infinity)
//                  claims nothing; below 2^-126 is zero, as kernels are compiled
//     whole        one float2: the motion of the whole, finite
//     claims       (height, width) 64 bit, all 0 before; fewer than 2^30 pixels
//     values, out  (height, width, channels) float32
//     seen         (height, width) 8 bit: 0, or 255 where something landed
//
// Launch, of both: one thread a pixel, x along the row: block (32, 8), grid (ceil(width / 32),
// ceil(height / 8)). No shared memory: neighbours claim neighbours, and atomics on different words
// of a line run side by side in the L2 cache.

typedef unsigned long long Key;

extern "C" __global__ void splat_claim(const float2* steps, const float2* whole, Key* claims,
                                       int height, int width)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height)
        return;
    const size_t source = size_t(row) * width + column;
    const float2 step = steps[source];
    const float apart = fabsf(step.x - whole->x) + fabsf(step.y - whole->y);
    const Key own = Key(1) << 61 | Key(__float_as_uint(apart)) << 30 | source;
    const float left = floorf(column + step.x), top = floorf(row + step.y);
    for (int corner = 0; corner < 4; ++corner) {
        const float x = left + float(1 - corner % 2), y = top + float(1 - corner / 2);
        if (x >= 0 && x < width && y >= 0 && y < height)
            atomicMax(claims + size_t(y) * width + size_t(x), Key(corner) << 62 | own);
    }
}

extern "C" __global__ void splat_take(const Key* claims, const float* values, float* out,
                                      unsigned char* seen, int height, int width, int channels)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= width || row >= height)
        return;
    const size_t pixel = size_t(row) * width + column;
    const Key claim = claims[pixel];
    const size_t source = claim & ((Key(1) << 30) - 1);
    for (int c = 0; c < channels; ++c)
        out[pixel * channels + c] = claim ? values[source * channels + c] : 0.0f;
    seen[pixel] = claim ? 255 : 0;
}

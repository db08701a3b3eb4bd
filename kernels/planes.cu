// NV12 and P010 surfaces, as video decoders and encoders of GPUs use them, to planes and back.
//
//     surface      rows `pitch` bytes apart: `height` of luma; from row `chroma_row` on
//                  ceil(height / 2) of chroma, U and V interleaved. 8 bit (NV12), or 16 bit with 10
//                  in the high ones (P010). What lies between and beside the rows is not written.
//     y, uv        (height, width) and (ceil(height / 2), ceil(width / 2), 2) contiguous; 8 bit, or
//                  16 bit with the value in the low ones
//
// To planes: a right shift by 6 of P010, whose low bits are dropped; to a surface: a left shift.
// The codes are those of `unpacked_reference` and `packed_reference` of
// vidgen/reference/surfaces.py.
//
// Launch: one thread for 16 bytes of a row, x along it: block (32, 8), grid (ceil(row / 512),
// ceil(rows / 8)) where `row` is the bytes of the longer of both planes' rows and `rows` those of
// both planes. They move as one access where both rows lie on 16 bytes there (`surface` aligned,
// `pitch` and the bytes of a plane's row multiples of 16), else sample by sample. No shared memory.

__device__ bool is_aligned(const void* place) { return reinterpret_cast<size_t>(place) % 16 == 0; }

// NV12 has nothing to shift.
template <bool to_planes>
__device__ unsigned char shifted(unsigned char sample)
{
    return sample;
}
template <bool to_planes>
__device__ unsigned short shifted(unsigned short sample)
{
    return to_planes ? sample >> 6 : sample << 6;
}

// All samples of a word at once.
template <bool to_planes, typename Sample>
__device__ unsigned shifted_word(unsigned word, Sample)
{
    if (sizeof(Sample) == 1)
        return word;
    return to_planes ? (word >> 6) & 0x03FF03FFu : (word << 6) & 0xFFC0FFC0u;
}

// `count` samples of a row from `at` on, at most 16 bytes of them.
template <bool to_planes, typename Sample>
__device__ void move(const Sample* __restrict__ from, Sample* __restrict__ to, int count)
{
    constexpr int WHOLE = 16 / sizeof(Sample);
    if (count >= WHOLE && is_aligned(from) && is_aligned(to)) {
        uint4 words = *reinterpret_cast<const uint4*>(from);
        words.x = shifted_word<to_planes>(words.x, Sample());
        words.y = shifted_word<to_planes>(words.y, Sample());
        words.z = shifted_word<to_planes>(words.z, Sample());
        words.w = shifted_word<to_planes>(words.w, Sample());
        *reinterpret_cast<uint4*>(to) = words;
        return;
    }
    for (int each = 0; each < min(count, WHOLE); ++each)
        to[each] = shifted<to_planes>(from[each]);
}

template <bool to_planes, typename Sample>
__device__ void planes(Sample* surface, Sample* y, Sample* uv, int height, int width, int pitch,
                       int chroma_row)
{
    const int row = blockIdx.y * blockDim.y + threadIdx.y;
    const int at = (blockIdx.x * blockDim.x + threadIdx.x) * int(16 / sizeof(Sample));
    const int below = row - height;  // rows of chroma above this one, if it is one
    const int length = below < 0 ? width : (width + 1) / 2 * 2;
    if (below >= (height + 1) / 2 || at >= length)
        return;
    Sample* plane_row = below < 0 ? y + size_t(row) * length : uv + size_t(below) * length;
    const size_t line = size_t(pitch) / sizeof(Sample);
    Sample* surface_row = surface + line * (below < 0 ? row : chroma_row + below);
    if (to_planes)
        move<to_planes>(surface_row + at, plane_row + at, length - at);
    else
        move<to_planes>(plane_row + at, surface_row + at, length - at);
}

extern "C" __global__ void nv12_to_planes(unsigned char* surface, unsigned char* y,
                                          unsigned char* uv, int height, int width, int pitch,
                                          int chroma_row)
{
    planes<true>(surface, y, uv, height, width, pitch, chroma_row);
}

extern "C" __global__ void planes_to_nv12(unsigned char* surface, unsigned char* y,
                                          unsigned char* uv, int height, int width, int pitch,
                                          int chroma_row)
{
    planes<false>(surface, y, uv, height, width, pitch, chroma_row);
}

extern "C" __global__ void p010_to_planes(unsigned short* surface, unsigned short* y,
                                          unsigned short* uv, int height, int width, int pitch,
                                          int chroma_row)
{
    planes<true>(surface, y, uv, height, width, pitch, chroma_row);
}

extern "C" __global__ void planes_to_p010(unsigned short* surface, unsigned short* y,
                                          unsigned short* uv, int height, int width, int pitch,
                                          int chroma_row)
{
    planes<false>(surface, y, uv, height, width, pitch, chroma_row);
}

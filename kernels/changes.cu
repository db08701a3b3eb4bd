// How much two pictures differ: what decides whether a new shot begins, in one pass over both.
//
//     histograms   (2, 32) 32 bit, of `previous` and of `current`: codes in each 32nd of the range
//     difference   (2,) 64 bit: sum and greatest of the absolute differences, in codes
//
// Both are added to, so they are zero before. The numbers are those of `histogram_reference` and
// `difference_reference` of vidgen/reference/changes.py.
//
//     previous, current   `count` codes each, contiguous; changes_u8: 8 bit, changes_u16: the value
//                         in the low bits; `shift` takes a code to its 32nd: 3 for 8 bit, 5 for 10
//
// Launch: block (256), any grid; two blocks a multiprocessor keep the memory busy. Threads stride
// over 16 bytes of both at once where both start on 16 bytes, else over single codes. Each warp
// counts in shared memory of its own (two histograms, 2 KB a block), since pictures are smooth and
// one histogram would be written at the same place by all; a block then adds to global memory once.

typedef unsigned long long Count;

constexpr int WARPS = 8, BINS = 32;

// What a thread has seen so far.
struct Seen {
    unsigned* bins;  // its warp's: those of `previous`, then those of `current`
    int shift;
    Count sum;
    int greatest;

    __device__ void pair(int before, int now)
    {
        atomicAdd(&bins[before >> shift], 1u);
        atomicAdd(&bins[BINS + (now >> shift)], 1u);
        const int apart = before < now ? now - before : before - now;
        sum += Count(apart);
        greatest = max(greatest, apart);
    }

    // All codes of a word.
    template <typename Sample>
    __device__ void words(unsigned before, unsigned now, Sample)
    {
        constexpr int BITS = 8 * sizeof(Sample);
        for (int at = 0; at < 32; at += BITS)
            pair(Sample(before >> at), Sample(now >> at));
    }
};

// What the whole block has seen of `previous` and `current`, `count` codes.
template <typename Sample>
__device__ void look(Seen& seen, const Sample* __restrict__ previous,
                     const Sample* __restrict__ current, int count)
{
    constexpr int WHOLE = 16 / sizeof(Sample);
    const bool aligned =
        (reinterpret_cast<size_t>(previous) | reinterpret_cast<size_t>(current)) % 16 == 0;
    const int first = blockIdx.x * blockDim.x + threadIdx.x, step = gridDim.x * blockDim.x;
    const int wholes = aligned ? count / WHOLE : 0;
    for (int at = first; at < wholes; at += step) {
        const uint4 before = reinterpret_cast<const uint4*>(previous)[at];
        const uint4 now = reinterpret_cast<const uint4*>(current)[at];
        seen.words(before.x, now.x, Sample());
        seen.words(before.y, now.y, Sample());
        seen.words(before.z, now.z, Sample());
        seen.words(before.w, now.w, Sample());
    }
    for (int at = wholes * WHOLE + first; at < count; at += step)
        seen.pair(previous[at], current[at]);
}

template <typename Sample>
__device__ void changes(const Sample* __restrict__ previous, const Sample* __restrict__ current,
                        unsigned* histograms, Count* difference, int count, int shift)
{
    __shared__ unsigned bins[WARPS][2 * BINS];
    __shared__ Count sums[WARPS];
    __shared__ int most[WARPS];
    const int thread = threadIdx.x, warp = thread / warpSize, lane = thread % warpSize;
    bins[warp][lane] = bins[warp][BINS + lane] = 0;
    __syncwarp();
    Seen seen = {bins[warp], shift, 0, 0};
    look(seen, previous, current, count);
    for (int half = warpSize / 2; half > 0; half /= 2) {
        seen.sum += __shfl_down_sync(~0u, seen.sum, half);
        seen.greatest = max(seen.greatest, __shfl_down_sync(~0u, seen.greatest, half));
    }
    if (lane == 0) {
        sums[warp] = seen.sum;
        most[warp] = seen.greatest;
    }
    __syncthreads();
    if (thread < 2 * BINS) {
        unsigned all = 0;
        for (int each = 0; each < WARPS; ++each)
            all += bins[each][thread];
        atomicAdd(&histograms[thread], all);
    } else if (thread < 2 * BINS + WARPS) {
        atomicAdd(&difference[0], sums[thread - 2 * BINS]);
        atomicMax(&difference[1], Count(most[thread - 2 * BINS]));
    }
}

extern "C" __global__ void changes_u8(const unsigned char* previous, const unsigned char* current,
                                      unsigned* histograms, Count* difference, int count, int shift)
{
    changes(previous, current, histograms, difference, count, shift);
}

extern "C" __global__ void changes_u16(const unsigned short* previous,
                                       const unsigned short* current, unsigned* histograms,
                                       Count* difference, int count, int shift)
{
    changes(previous, current, histograms, difference, count, shift);
}

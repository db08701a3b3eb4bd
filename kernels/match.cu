// Block matching: better vectors of blocks, from those that a decoder or a coarser picture gives.
//
//     cost(d) = sum of |current(y, x) - previous(y + v + d_y, x + u + d_x)|
//
// over the pixels of the block and `around` more on each side, as far as they lie inside the
// picture, for whole (d_x, d_y) from -reach to reach; (u, v) is the given vector in whole pixels,
// half rounded up. Of `previous` edges are replicated. The least cost wins, then the shortest
// |d_x| + |d_y|, then the first, row by row. Where it lies within the reach, each axis goes on to
// the sixteenth of a pixel at which two lines of equal slope through its cost C and those of its
// neighbours L and R meet, which suits sums of absolute differences better than a parabola
// (M. Shimizu and M. Okutomi, "Sub-pixel estimation error cancellation on area-based matching",
// IJCV 2005):
//
//     sixteenths = floor(8 (L - R) / (max(L, R) - C) + 1/2)
//
// All is in whole numbers, those of `match_reference` of vidgen/reference/match.py.
//
//     current, previous  (height, width) contiguous; match_u8: 8 bit, match_u16: the value in the
//                        low bits (10 bit)
//     found              (rows, columns) of short2, (x, y) in sixteenths of a pixel, of squares of
//                        `block` pixels
//     given              the same; with `coarser` 1, that of a picture half as large, with half as
//                        many blocks each way, rounded up: each starts from twice the vector there
//     costs              (rows, columns) 32 bit: that of the winner in whole pixels
//
// Launch: one block of threads for one of the picture: block (32 to 128), grid (columns, rows), as
// many threads as there are (d_x, d_y), or less; reach at most 7, block + 2 around at most 16, in
// whole words. What is compared and all that it can meet lie in shared memory, four codes of 8 bit
// or two of 16 in a word; a thread takes one (d_x, d_y) and compares whole words, which are cut out
// of two neighbours where they start between them.

constexpr int SEEN = 16, REACH = 7, SIDE = 2 * REACH + 1, WINDOW = SEEN + 2 * REACH;
constexpr int UNIT_LOG2 = 4, UNIT = 1 << UNIT_LOG2;  // vectors count these parts of a pixel

// Rows of 16-bit codes take this many words; one more is touched by cuts at the end of a row.
constexpr int SEEN_WORDS = SEEN / 2, WINDOW_WORDS = WINDOW / 2 + 1;

// A rectangle of a picture, from (left, top); edges are replicated.
template <typename Sample>
struct Source {
    const Sample* plane;
    int height, width, left, top;

    // The codes of a row that make up a word, the first in its low bits.
    __device__ unsigned word(int row, int number) const
    {
        constexpr int EACH = 4 / sizeof(Sample);
        const Sample* line = plane + size_t(min(max(top + row, 0), height - 1)) * width;
        unsigned codes = 0;
        for (int each = 0; each < EACH; ++each) {
            const int column = left + number * EACH + each;
            const unsigned code = line[min(max(column, 0), width - 1)];
            codes |= code << (8 * int(sizeof(Sample)) * each);
        }
        return codes;
    }
};

// The bits of a word whose first code is number `first` that hold codes below `count`.
template <typename Sample>
__device__ unsigned inside(int first, int count, Sample)
{
    const int bits = 8 * int(sizeof(Sample)) * (count - first);
    return bits >= 32 ? ~0u : bits <= 0 ? 0u : (1u << bits) - 1;
}

__device__ unsigned apart(unsigned one, unsigned other, unsigned char) { return __vsadu4(one, other); }
__device__ unsigned apart(unsigned one, unsigned other, unsigned short) { return __vsadu2(one, other); }

// Parts of a pixel from the middle of three neighbouring costs, which is their least, to the bottom.
__device__ int parts(int before, int here, int behind)
{
    const int rise = max(before, behind) - here;
    if (rise == 0)
        return 0;
    const int numerator = UNIT * (before - behind) + rise;
    return (numerator + UNIT * rise) / (2 * rise) - UNIT / 2;  // a floor: the first is positive
}

__device__ short fitting(int vector) { return short(min(max(vector, -32768), 32767)); }

template <typename Sample>
__device__ void match(const Sample* __restrict__ current, const Sample* __restrict__ previous,
                      const short2* __restrict__ given, short2* __restrict__ found,
                      int* __restrict__ costs, int height, int width, int block, int around,
                      int reach, int coarser)
{
    __shared__ unsigned own[SEEN][SEEN_WORDS], window[WINDOW][WINDOW_WORDS], best;
    __shared__ int cost[SIDE * SIDE];
    constexpr int EACH = 4 / sizeof(Sample);
    const int thread = threadIdx.x, threads = blockDim.x, seen = block + 2 * around;
    const int left = blockIdx.x * block - around, top = blockIdx.y * block - around;
    const int first_row = max(-top, 0), last_row = min(seen, height - top);
    const int first_column = max(-left, 0), last_column = min(seen, width - left);
    const int words = seen / EACH, window_words = (seen + 2 * reach + EACH - 1) / EACH + 1;
    const size_t number = size_t(blockIdx.y) * gridDim.x + blockIdx.x;
    const unsigned given_columns = (gridDim.x + coarser) >> coarser;
    const short2 start =
        given[size_t(blockIdx.y >> coarser) * given_columns + (blockIdx.x >> coarser)];
    const int u = (start.x * (1 << coarser) + UNIT / 2) >> UNIT_LOG2;
    const int v = (start.y * (1 << coarser) + UNIT / 2) >> UNIT_LOG2;

    const Source<Sample> mine = {current, height, width, left, top};
    for (int at = thread; at < seen * words; at += threads)
        own[at / words][at % words] = mine.word(at / words, at % words);
    const Source<Sample> theirs = {previous, height, width, left + u - reach, top + v - reach};
    for (int at = thread; at < (seen + 2 * reach) * window_words; at += threads)
        window[at / window_words][at % window_words] =
            theirs.word(at / window_words, at % window_words);
    if (thread == 0)
        best = ~0u;
    __syncthreads();

    const int side = 2 * reach + 1;
    for (int at = thread; at < side * side; at += threads) {
        const int x = at % side, y = at / side, first = x / EACH;
        const unsigned cut = 8 * unsigned(sizeof(Sample)) * (x % EACH);
        unsigned sum = 0;
        for (int word = 0; word < words; ++word) {
            const unsigned mask = inside(word * EACH, last_column, Sample()) &
                                  ~inside(word * EACH, first_column, Sample());
            for (int row = first_row; row < last_row; ++row) {
                const unsigned* codes = window[y + row] + first + word;
                const unsigned there = __funnelshift_r(codes[0], codes[1], cut);
                sum += apart(own[row][word] & mask, there & mask, Sample());
            }
        }
        cost[at] = int(sum);
        const int length = abs(x - reach) + abs(y - reach);
        atomicMin(&best, sum << 12 | unsigned(length) << 8 | unsigned(at));
    }
    __syncthreads();
    if (thread > 0)
        return;

    const int at = best & 0xFF, x = at % side, y = at / side;
    int across = UNIT * (u + x - reach), down = UNIT * (v + y - reach);
    if (x > 0 && x < side - 1)
        across += parts(cost[at - 1], cost[at], cost[at + 1]);
    if (y > 0 && y < side - 1)
        down += parts(cost[at - side], cost[at], cost[at + side]);
    found[number] = {fitting(across), fitting(down)};
    costs[number] = cost[at];
}

extern "C" __global__ void match_u8(const unsigned char* current, const unsigned char* previous,
                                    const short2* given, short2* found, int* costs, int height,
                                    int width, int block, int around, int reach, int coarser)
{
    match(current, previous, given, found, costs, height, width, block, around, reach, coarser);
}

extern "C" __global__ void match_u16(const unsigned short* current,
                                     const unsigned short* previous, const short2* given,
                                     short2* found, int* costs, int height, int width, int block,
                                     int around, int reach, int coarser)
{
    match(current, previous, given, found, costs, height, width, block, around, reach, coarser);
}

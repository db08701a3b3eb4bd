// The tensor core, as far as the networks need it: products of half-precision matrices, 16 x 16
// times 16 x 8, summed in float32. Each function is done by all 32 lanes of a warp together.
//
// The layouts are those of PTX (ISA 8.x, "Matrix fragments for mma.m16n8k16" and "ldmatrix"). With
// g = lane / 4 and t = lane % 4, a lane holds, two neighbours in a word:
//
//     a[0..3]     rows g, g + 8, g, g + 8, columns 2t, 2t, 2t + 8, 2t + 8 and the next, of 16 x 16
//     b.x, b.y    rows 2t and 2t + 8 and the next, column g, of 16 x 8
//     sum[0..3]   row g columns 2t and 2t + 1, row g + 8 columns 2t and 2t + 1, of 16 x 8
//
// Half numbers are kept as their bits, so that no header of CUDA is needed.

#pragma once

#ifdef __CUDACC__

#define DYNAMIC_SHARED(type, name) extern __shared__ __align__(128) type name[]

// Two numbers as half, rounded to nearest even; `low` in the low bits.
__device__ unsigned pack_half(float low, float high)
{
    unsigned packed;
#if __CUDA_ARCH__ >= 800
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
#else
    asm("{ .reg .f16 l, h; cvt.rn.f16.f32 l, %1; cvt.rn.f16.f32 h, %2; mov.b32 %0, {l, h}; }"
        : "=r"(packed)
        : "f"(low), "f"(high));
#endif
    return packed;
}

// Four 8 x 8 matrices from shared memory: lane n gives the address of row n % 8 of matrix n / 8.
__device__ void load_matrices(unsigned (&a)[4], const uint4* row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3])
                 : "r"(unsigned(__cvta_generic_to_shared(row)))
                 : "memory");
}

// sum += a b
__device__ void multiply_add(float (&sum)[4], const unsigned (&a)[4], uint2 b)
{
#if __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.x), "r"(b.y));
#else  // Turing: eight columns of a at a time
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(b.x));
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[2]), "r"(a[3]), "r"(b.y));
#endif
}

#else  // on the CPU, with host.h

// Every half number, since converting one takes longer than all else here.
inline const float* host_halves()
{
    static const std::vector<float> all = [] {
        std::vector<float> values(65536);
        for (unsigned bits = 0; bits < 65536; ++bits)
            values[bits] = host_float(bits);
        return values;
    }();
    return all.data();
}

inline unsigned pack_half(float low, float high) { return host_half(high) << 16 | host_half(low); }

inline void load_matrices(unsigned (&a)[4], const uint4* row)
{
    struct Lane {
        const uint4* row;
        unsigned a[4];
    };
    const Lane taken = host_collective(Lane{row, {}}, [](HostLanes<Lane> lanes) {
        for (int lane = 0; lane < 32; ++lane)
            for (int matrix = 0; matrix < 4; ++matrix) {
                const uint4* from = lanes[8 * matrix + lane / 4].row;
                lanes[lane].a[matrix] = reinterpret_cast<const unsigned*>(from)[lane % 4];
            }
    });
    std::memcpy(a, taken.a, sizeof(a));
}

inline void multiply_add(float (&sum)[4], const unsigned (&a)[4], uint2 b)
{
    struct Lane {
        float sum[4];
        unsigned a[4], b[2];
    };
    Lane mine{{sum[0], sum[1], sum[2], sum[3]}, {a[0], a[1], a[2], a[3]}, {b.x, b.y}};
    mine = host_collective(mine, [](HostLanes<Lane> lanes) {
        const float* halves = host_halves();
        float left[16][16], right[16][8];
        for (int lane = 0; lane < 32; ++lane) {
            const int g = lane / 4, t = lane % 4;
            for (int odd = 0; odd < 2; ++odd) {
                for (int n = 0; n < 4; ++n)
                    left[g + n % 2 * 8][2 * t + n / 2 * 8 + odd] =
                        halves[lanes[lane].a[n] >> 16 * odd & 0xFFFF];
                for (int n = 0; n < 2; ++n)
                    right[2 * t + 8 * n + odd][g] = halves[lanes[lane].b[n] >> 16 * odd & 0xFFFF];
            }
        }
        float product[16][8] = {};
        for (int row = 0; row < 16; ++row)
            for (int k = 0; k < 16; ++k)
                for (int column = 0; column < 8; ++column)
                    product[row][column] += left[row][k] * right[k][column];
        for (int lane = 0; lane < 32; ++lane)
            for (int n = 0; n < 4; ++n)
                lanes[lane].sum[n] += product[lane / 4 + n / 2 * 8][lane % 4 * 2 + n % 2];
    });
    std::memcpy(sum, mine.sum, sizeof(sum));
}

#endif

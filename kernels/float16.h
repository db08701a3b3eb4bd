// A code in half precision, as which TensorRT takes and gives those of 10 bits: each is exact.
//
// Kept as its bits, so that no header of CUDA is needed.

#pragma once

struct Float16 {
    unsigned short bits;

    Float16() = default;

    explicit __device__ Float16(int code)
    {
#ifdef __CUDACC__
        asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(float(code)));
#else
        bits = static_cast<unsigned short>(host_half(float(code)));
#endif
    }

    __device__ operator float() const
    {
#ifdef __CUDACC__
        float value;
        asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
        return value;
#else
        return host_float(bits);
#endif
    }
};

// Samples of a plane whose highest code is PEAK: bytes, or 16 bits with the value in the low ones.

#pragma once

template <bool WIDE>
struct Codes {
    using Type = unsigned char;
    using Pair = unsigned short;
};
template <>
struct Codes<true> {
    using Type = unsigned short;
    using Pair = unsigned;
};
using Sample = Codes<(PEAK > 255)>::Type;
using Pair = Codes<(PEAK > 255)>::Pair;  // two of them, the first in the low bits

// The nearest code, halves to even.
__device__ Sample code(float value)
{
    return Sample(rintf(fminf(fmaxf(value, 0.0f), float(PEAK))));
}

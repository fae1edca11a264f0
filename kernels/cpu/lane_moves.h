// Packing the lanes of a mask to the front of a vector, and spreading them from there: how triples get into flat arrays
// and back.
#ifndef NNP_CPU_LANE_MOVES_H
#define NNP_CPU_LANE_MOVES_H

#include "simd.h"

namespace nnp::NNP_TARGET
{

// Lane orders per mask, for packing and spreading. The instructions that do it from a mask (AVX-512's compress and
// expand) take five cycles each on AMD's Zen 5, permutations by a stored order half a cycle.
#if NNP_AVX512
typedef uint8_t order_part;  // lanes
constexpr int ORDER_LANES = 8, ORDER_PARTS = 8;
constexpr order_part NOWHERE = 0;  // masked instructions
#elif NNP_AVX2
typedef int32_t order_part;  // 32-bit parts of lanes
constexpr int ORDER_LANES = W, ORDER_PARTS = 8;
constexpr order_part NOWHERE = -1;
#else
typedef lane_int order_part;  // lanes
constexpr int ORDER_LANES = W, ORDER_PARTS = W;
constexpr order_part NOWHERE = 0;  // `there` says so
#endif

struct LaneTables {
    alignas(64) order_part pack[1 << ORDER_LANES][ORDER_PARTS];
    alignas(64) order_part spread[1 << ORDER_LANES][ORDER_PARTS];  // NOWHERE without a lane
#if !NNP_AVX2 && !NNP_AVX512
    alignas(64) lane_int there[1 << W][W];  // -1, and 0 without a lane
#endif
};

constexpr LaneTables make_lane_tables()
{
    LaneTables t = {};
    constexpr int parts = ORDER_PARTS / ORDER_LANES;  // per lane
    for (int mask = 0; mask < 1 << ORDER_LANES; ++mask) {
        for (int i = 0; i < ORDER_PARTS; ++i)
            t.spread[mask][i] = NOWHERE;
        int n = 0;
        for (int l = 0; l < ORDER_LANES; ++l) {
            if (!((mask >> l) & 1))
                continue;
            for (int p = 0; p < parts; ++p) {
                t.pack[mask][n * parts + p] = (order_part)(l * parts + p);
                t.spread[mask][l * parts + p] = (order_part)(n * parts + p);
            }
#if !NNP_AVX2 && !NNP_AVX512
            t.there[mask][l] = -1;
#endif
            ++n;
        }
    }
    return t;
}

static constexpr LaneTables lane_tables = make_lane_tables();

// How lanes move when those of a mask are packed to the front, or spread from there; made once, used for many vectors.
#if NNP_AVX512
struct LaneMove {
    __m512i order;
    Mask mask;
};

// Eight lane numbers as one integer, the first lane lowest.
NNP_INLINE uint64_t order_bytes(const order_part* order)
{
    uint64_t bytes;
    std::memcpy(&bytes, order, 8);
    return bytes;
}

NNP_INLINE __m512i order_of(uint64_t low, uint64_t high)
{
#if NNP_SINGLE
    return _mm512_cvtepu8_epi32(_mm_set_epi64x((long long)high, (long long)low));
#else
    (void)high;
    return _mm512_cvtepu8_epi64(_mm_cvtsi64_si128((long long)low));
#endif
}

constexpr uint64_t EACH_BYTE = 0x0101010101010101;
#elif NNP_AVX2
struct LaneMove {
    __m256i order;
};
#else
struct LaneMove {
    Mask mask;
    const order_part* order;
};
#endif

NNP_INLINE LaneMove packing(Mask mask)
{
#if NNP_AVX512 && NNP_SINGLE
    // the upper half's lanes follow the lower half's
    __extension__ unsigned __int128 low = order_bytes(lane_tables.pack[mask & 255]);
    __extension__ unsigned __int128 high = order_bytes(lane_tables.pack[mask >> 8]) + 8 * EACH_BYTE;
    low |= high << (8 * __builtin_popcount(mask & 255));
    return {order_of((uint64_t)low, (uint64_t)(low >> 64)), mask};
#elif NNP_AVX512
    return {order_of(order_bytes(lane_tables.pack[mask]), 0), mask};
#elif NNP_AVX2
    return {_mm256_load_si256(reinterpret_cast<const __m256i*>(lane_tables.pack[mask]))};
#else
    return {mask, lane_tables.pack[mask]};
#endif
}

NNP_INLINE LaneMove spreading(Mask mask)
{
#if NNP_AVX512 && NNP_SINGLE
    uint64_t high = order_bytes(lane_tables.spread[mask >> 8]) + (uint64_t)__builtin_popcount(mask & 255) * EACH_BYTE;
    return {order_of(order_bytes(lane_tables.spread[mask & 255]), high), mask};
#elif NNP_AVX512
    return {order_of(order_bytes(lane_tables.spread[mask]), 0), mask};
#elif NNP_AVX2
    return {_mm256_load_si256(reinterpret_cast<const __m256i*>(lane_tables.spread[mask]))};
#else
    return {mask, lane_tables.spread[mask]};
#endif
}

// Writes the packed lanes of `v` to p, p+1, ...; what lies behind them up to p + W may be overwritten.
NNP_INLINE void store_packed(nnp_scalar* p, const LaneMove& move, real v)
{
#if NNP_AVX512 && NNP_SINGLE
    _mm512_storeu_ps(p, _mm512_permutexvar_ps(move.order, (__m512)v));
#elif NNP_AVX512
    _mm512_storeu_pd(p, _mm512_permutexvar_pd(move.order, (__m512d)v));
#elif NNP_AVX2
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_permutevar8x32_epi32((__m256i)v, move.order));
#else
    for (int l = 0; l < W; ++l) {
        *p = v[l];
        p += (move.mask >> l) & 1;
    }
#endif
}

// The inverse: p[0], p[1], ... into the lanes of the mask, 0 into the others. Reads up to p + W.
NNP_INLINE real load_spread(const nnp_scalar* p, const LaneMove& move)
{
#if NNP_AVX512 && NNP_SINGLE
    return (real)_mm512_maskz_permutexvar_ps((__mmask16)move.mask, move.order, _mm512_loadu_ps(p));
#elif NNP_AVX512
    return (real)_mm512_maskz_permutexvar_pd((__mmask8)move.mask, move.order, _mm512_loadu_pd(p));
#elif NNP_AVX2
    __m256i moved = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), move.order);
    return (real)_mm256_andnot_si256(_mm256_srai_epi32(move.order, 31), moved);
#else
    real out;
    for (int l = 0; l < W; ++l)
        out[l] = p[move.order[l]];
    real_int there;
    std::memcpy(&there, lane_tables.there[move.mask], sizeof there);
    return (real)((real_int)out & there);
#endif
}

// Lane l becomes v[order[l]]; of a negative order 0.
NNP_INLINE real pick_lanes(real v, real_int order)
{
#if defined(__clang__)
    real out;
    for (int l = 0; l < W; ++l)
        out[l] = v[order[l] & (W - 1)];
#else
    real out = __builtin_shuffle(v, order);
#endif
    return order < 0 ? real{} : out;
}

// W orders of lanes.
NNP_INLINE real_int load_order(const int32_t* order)
{
    typedef int32_t numbers __attribute__((vector_size(4 * W), aligned(4)));
    return __builtin_convertvector(*reinterpret_cast<const numbers*>(order), real_int);
}

// base + l for the lanes l of the mask, packed; may overwrite out up to out + 8.
NNP_INLINE void store_lane_numbers(int32_t* out, Mask mask, int32_t base)
{
#if NNP_AVX512
    __m128i lanes = _mm_cvtsi64_si128((long long)order_bytes(lane_tables.pack[mask & 255]));
    __m256i numbers = _mm256_add_epi32(_mm256_cvtepu8_epi32(lanes), _mm256_set1_epi32(base));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), numbers);
#else
    for (int l = 0; l < W; ++l) {
        *out = base + l;
        out += (mask >> l) & 1;
    }
#endif
}

}  // namespace nnp::NNP_TARGET

#endif

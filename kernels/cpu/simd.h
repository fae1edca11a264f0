// SIMD vectors of one translation unit: the number type `real` of the formula headers and its elementary functions.
// Built several times: NNP_SINGLE picks float or double, the target flags of the compiler the width. Everything but
// roots, masks, sums and lane moves is GCC/Clang vector-extension code and compiles for any target.
#ifndef NNP_CPU_SIMD_H
#define NNP_CPU_SIMD_H

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define NNP_AVX512 1
#define NNP_VECTOR_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define NNP_AVX2 1
#define NNP_VECTOR_BYTES 32
#else
#define NNP_VECTOR_BYTES 16
#endif
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define NNP_INLINE static inline __attribute__((always_inline))

namespace nnp::NNP_TARGET
{

#if NNP_SINGLE
typedef float nnp_scalar;
typedef int32_t lane_int;
#else
typedef double nnp_scalar;
typedef int64_t lane_int;
#endif
typedef nnp_scalar real __attribute__((vector_size(NNP_VECTOR_BYTES)));
typedef lane_int real_int __attribute__((vector_size(NNP_VECTOR_BYTES)));
typedef nnp_scalar real_unaligned __attribute__((vector_size(NNP_VECTOR_BYTES), aligned(sizeof(nnp_scalar))));
constexpr int W = NNP_VECTOR_BYTES / sizeof(nnp_scalar);
typedef uint32_t Mask;  // bit l = lane l
constexpr Mask ALL_LANES = W == 32 ? ~0u : (1u << W) - 1u;

NNP_INLINE real splat(nnp_scalar x)
{
    return x - real{};
}
NNP_INLINE real load(const nnp_scalar* p)
{
    return *reinterpret_cast<const real_unaligned*>(p);
}
NNP_INLINE void store(nnp_scalar* p, real v)
{
    *reinterpret_cast<real_unaligned*>(p) = v;
}

template <class F>
NNP_INLINE real each_lane(real x, F f)
{
    real out;
    for (int l = 0; l < W; ++l)
        out[l] = f(x[l]);
    return out;
}

NNP_INLINE real square_root(real x)
{
#if NNP_AVX512 && NNP_SINGLE
    return (real)_mm512_sqrt_ps((__m512)x);
#elif NNP_AVX512
    return (real)_mm512_sqrt_pd((__m512d)x);
#elif NNP_AVX2 && NNP_SINGLE
    return (real)_mm256_sqrt_ps((__m256)x);
#elif NNP_AVX2
    return (real)_mm256_sqrt_pd((__m256d)x);
#else
    return each_lane(x, [](nnp_scalar v) { return std::sqrt(v); });
#endif
}

#if NNP_SINGLE
constexpr nnp_scalar EXP_LOW = -87.0f, EXP_HIGH = 88.0f;
#else
constexpr nnp_scalar EXP_LOW = -708.0, EXP_HIGH = 709.0;
#endif

// exp(x) for x <= EXP_HIGH: 2^n (1 + r + r^2 p(r)), |r| <= ln(2)/2; p interpolates at Chebyshev nodes (error 1e-17,
// single 8e-9). 0 below EXP_LOW; NaN stays NaN.
NNP_INLINE real exponential_below(real x)
{
#if NNP_SINGLE
    const nnp_scalar magic = 12582912.0f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    constexpr int mantissa_bits = 23;
#else
    const nnp_scalar magic = 6755399441055744.0;
    const nnp_scalar ln2_high = 6.93145751953125e-1, ln2_low = 1.42860682030941723212e-6;
    constexpr int mantissa_bits = 52;
#endif
    real bounded = x < splat(EXP_LOW) ? splat(EXP_LOW) : x;
    real shifted = bounded * (nnp_scalar)1.4426950408889634 + magic;
    real n = shifted - magic;
    real r = bounded - n * ln2_high - n * ln2_low;
#if NNP_SINGLE
    real p = splat(0.0013926183587713494541f);
    p = p * r + 0.0083631790527225773697f;
    p = p * r + 0.041666554617204574203f;
    p = p * r + 0.16666576969898775683f;
    p = p * r + 0.5f;
#else
    real p = splat(2.5100385495510319077e-8);
    p = p * r + 2.762008844540974816e-7;
    p = p * r + 2.7557268459997064772e-6;
    p = p * r + 0.000024801521295954375131;
    p = p * r + 0.00019841269863053616878;
    p = p * r + 0.0013888888917213716901;
    p = p * r + 0.0083333333333300618325;
    p = p * r + 0.041666666666624127873;
    p = p * r + 0.16666666666666667453;
    p = p * r + 0.50000000000000010221;
#endif
    real mantissa = (nnp_scalar)1 + (r + r * r * p);
    real_int bits = (real_int)mantissa + ((real_int)shifted << mantissa_bits);
    return x < splat(EXP_LOW) ? real{} : (real)bits;
}

// exp(x) for any x; infinite above EXP_HIGH.
NNP_INLINE real exponential(real x)
{
    real value = exponential_below(x > splat(EXP_HIGH) ? splat(EXP_HIGH) : x);
    return x > splat(EXP_HIGH) ? splat((nnp_scalar)HUGE_VAL) : value;
}

// tanh(x) = 1 - 2/(exp(2x) + 1): absolute error of one rounding.
NNP_INLINE real hyperbolic_tangent(real x)
{
    real bounded = x > splat(EXP_HIGH / 2) ? splat(EXP_HIGH / 2) : x;
    return (nnp_scalar)1 - (nnp_scalar)2 / (exponential_below((nnp_scalar)2 * bounded) + (nnp_scalar)1);
}

// c[0] + c[1] u + c[2] u^2 + ...
template <int N>
NNP_INLINE real polynomial(real u, const double (&c)[N])
{
    real p = splat((nnp_scalar)c[N - 1]);
    for (int i = N - 2; i >= 0; --i)
        p = p * u + (nnp_scalar)c[i];
    return p;
}

// cos(pi x / 2) and sin(pi x / 2) / x from u = x^2 <= 1, interpolated at Chebyshev nodes (errors 4e-18 and 3e-19,
// single 2e-10).
NNP_INLINE real cos_half_pi_root(real u)
{
#if NNP_SINGLE
    constexpr double c[] = {0.99999999977915403194,   -1.2337005342322364093,    0.25366932217269589086,
                            -0.020862686709227349038, 0.00091772292419955667977, -0.000023824152439014105931};
#else
    constexpr double c[] = {0.99999999999999999608,   -1.2337005501361691918,    0.25366950790103106247,
                            -0.020863480763178860834, 0.00091926027394348771058, -0.000025202039782228714131,
                            4.7108307433635574908e-7, -6.3822359245292591363e-9, 6.3317327178079002567e-11};
#endif
    return polynomial(u, c);
}

NNP_INLINE real sin_half_pi_root(real u)
{
#if NNP_SINGLE
    constexpr double c[] = {1.5707963267680660157,     -0.64596409557412500244,   0.079692603685575840881,
                            -0.0046816577072779920347, 0.00016025459023725092803, -3.4317889917983867137e-6};
#else
    constexpr double c[] = {1.5707963267948966189,     -0.64596409750624620097,   0.079692626246165639827,
                            -0.0046817541353042553228, 0.00016044118471309159184, -3.5988430204672575218e-6,
                            5.6921364280986252458e-8,  -6.684416831856084348e-10, 5.8729757447999501384e-12};
#endif
    return polynomial(u, c);
}

// tanh(x) for |x| <= 1: x times an even polynomial (relative error 1.4e-16, single 5e-8).
NNP_INLINE real tanh_unit(real x)
{
#if NNP_SINGLE
    constexpr double c[] = {0.99999994864556959668,   -0.33332827978598838705, 0.13325076146099151836,
                            -0.053451646369658043136, 0.020279708285517720072, -0.006194324833570898415,
                            0.0010380250966943723324};
#else
    constexpr double c[] = {0.99999999999999986196,     -0.33333333333327115792,    0.13333333332866988112,
                            -0.053968253829690073479,   0.021869486371314824557,    -0.0088632150652075579199,
                            0.003592001031526688417,    -0.0014552898065417584505,  0.00058836028268867612188,
                            -0.00023540928172731117176, 0.000090793484484327758952, -0.000031803378030411943533,
                            9.1259535962648350922e-6,   -1.8226646212654275973e-6,  1.8286257399789470053e-7};
#endif
    return x * polynomial(x * x, c);
}

// acos(x) for -1 <= x <= 1: asin(u)/u as a polynomial of u^2 <= 1/4 (error 1e-18, single 5e-9), of x itself in the
// middle, of sin(acos(|x|)/2) = sqrt((1 - |x|)/2) outside.
NNP_INLINE real arc_cosine(real x)
{
#if NNP_SINGLE
    constexpr double c[] = {0.99999999598373804059,  0.16666782005775338157, 0.074946966874239719953,
                            0.045520635631714569799, 0.02399399965364758959, 0.042417373759799842833};
#else
    constexpr double c[] = {0.99999999999999999918,   0.16666666666666795465,   0.074999999999666105963,
                            0.044642857176863219311,  0.030381942642327186119,  0.022372216106072146375,
                            0.017351600625343434802,  0.013980882992171009717,  0.011398850408440755826,
                            0.010778675120995992488,  0.0037180577483250539143, 0.02166805885905635856,
                            -0.020930658315182449668, 0.032579347966928419977};
#endif
    const real half = splat((nnp_scalar)0.5), size = x < real{} ? -x : x;
    real outside = half - half * size;
    real u = size < half ? x * x : outside;
    real root = size < half ? size : square_root(outside);
    real angle = root * polynomial(u, c);  // asin(root)
    real from_zero = size < half ? splat((nnp_scalar)1.5707963267948966) - angle : angle + angle;
    return x < real{} ? splat((nnp_scalar)3.141592653589793) - from_zero : from_zero;
}

// 1/sqrt(x): the hardware's estimate and Newton steps where there is one, to about two units in the last place.
NNP_INLINE real inverse_square_root(real x)
{
#if NNP_AVX512 && NNP_SINGLE
    real y = (real)_mm512_rsqrt14_ps((__m512)x);
    return y + y * ((nnp_scalar)0.5 - (nnp_scalar)0.5 * x * y * y);
#elif NNP_AVX512
    real y = (real)_mm512_rsqrt14_pd((__m512d)x), half = (nnp_scalar)0.5 * x;
    y = y + y * ((nnp_scalar)0.5 - half * y * y);
    return y + y * ((nnp_scalar)0.5 - half * y * y);
#elif NNP_AVX2 && NNP_SINGLE
    real y = (real)_mm256_rsqrt_ps((__m256)x);
    return y + y * ((nnp_scalar)0.5 - (nnp_scalar)0.5 * x * y * y);
#else
    return (nnp_scalar)1 / square_root(x);
#endif
}

// Bits of the lanes where a < b.
NNP_INLINE Mask lanes_less(real a, real b)
{
#if NNP_AVX512 && NNP_SINGLE
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ);
#elif NNP_AVX512
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ);
#elif NNP_AVX2 && NNP_SINGLE
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_LT_OQ));
#elif NNP_AVX2
    return _mm256_movemask_pd(_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_LT_OQ));
#else
    real_int less = a < b;
    Mask bits = 0;
    for (int l = 0; l < W; ++l)
        bits |= (Mask)(less[l] & 1) << l;
    return bits;
#endif
}

NNP_INLINE nnp_scalar sum_lanes(real v)
{
#if NNP_AVX512 && NNP_SINGLE
    return _mm512_reduce_add_ps((__m512)v);
#elif NNP_AVX512
    return _mm512_reduce_add_pd((__m512d)v);
#else
    for (int half = W / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; ++l)
            v[l] += v[l + half];
    }
    return v[0];
#endif
}

#if NNP_AVX512
// to[0..3] += the lane sums of four vectors of doubles.
NNP_INLINE void add_sums_of(double* to, __m512d x, __m512d y, __m512d z, __m512d w)
{
    __m512d xy = _mm512_add_pd(_mm512_unpacklo_pd(x, y), _mm512_unpackhi_pd(x, y));
    __m512d zw = _mm512_add_pd(_mm512_unpacklo_pd(z, w), _mm512_unpackhi_pd(z, w));
    __m256d p = _mm256_add_pd(_mm512_castpd512_pd256(xy), _mm512_extractf64x4_pd(xy, 1));
    __m256d q = _mm256_add_pd(_mm512_castpd512_pd256(zw), _mm512_extractf64x4_pd(zw, 1));
    __m256d sum = _mm256_add_pd(_mm256_permute2f128_pd(p, q, 0x20), _mm256_permute2f128_pd(p, q, 0x31));
    _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), sum));
}
#endif

// to[0..3] += the lane sums of four vectors.
NNP_INLINE void add_lane_sums(nnp_scalar* to, real a, real b, real c, real d)
{
#if NNP_AVX512 && !NNP_SINGLE
    add_sums_of(to, (__m512d)a, (__m512d)b, (__m512d)c, (__m512d)d);
#elif NNP_AVX512 || (NNP_AVX2 && NNP_SINGLE)
#if NNP_AVX512
    auto half = [](real v) {
        return _mm256_add_ps(_mm512_castps512_ps256((__m512)v), _mm512_extractf32x8_ps((__m512)v, 1));
    };
#else
    auto half = [](real v) { return (__m256)v; };
#endif
    __m256 xy = _mm256_hadd_ps(half(a), half(b)), zw = _mm256_hadd_ps(half(c), half(d));
    __m256 all = _mm256_hadd_ps(xy, zw);
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
    _mm_storeu_ps(to, _mm_add_ps(_mm_loadu_ps(to), sum));
#elif NNP_AVX2
    __m256d p = _mm256_hadd_pd((__m256d)a, (__m256d)b), q = _mm256_hadd_pd((__m256d)c, (__m256d)d);
    __m256d sum = _mm256_add_pd(_mm256_permute2f128_pd(p, q, 0x20), _mm256_permute2f128_pd(p, q, 0x31));
    _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), sum));
#else
    to[0] += sum_lanes(a);
    to[1] += sum_lanes(b);
    to[2] += sum_lanes(c);
    to[3] += sum_lanes(d);
#endif
}

#if NNP_AVX512 && NNP_SINGLE
NNP_INLINE __m512d add_halves(real v)
{
    __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256((__m512)v));
    return _mm512_add_pd(low, _mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)v, 1)));
}
#endif

NNP_INLINE double sum_lanes_double(real v)
{
#if NNP_AVX512 && NNP_SINGLE
    return _mm512_reduce_add_pd(add_halves(v));
#elif NNP_AVX2 && NNP_SINGLE
    __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128((__m256)v));
    __m256d sum = _mm256_add_pd(low, _mm256_cvtps_pd(_mm256_extractf128_ps((__m256)v, 1)));
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
#elif NNP_SINGLE
    return ((double)v[0] + (double)v[1]) + ((double)v[2] + (double)v[3]);
#else
    return sum_lanes(v);
#endif
}

// to[0..3] += the lane sums of four vectors, summed as doubles.
NNP_INLINE void add_lane_sums_double(double* to, real a, real b, real c, real d)
{
#if NNP_AVX512 && NNP_SINGLE
    add_sums_of(to, add_halves(a), add_halves(b), add_halves(c), add_halves(d));
#elif NNP_SINGLE
    to[0] += sum_lanes_double(a);
    to[1] += sum_lanes_double(b);
    to[2] += sum_lanes_double(c);
    to[3] += sum_lanes_double(d);
#else
    add_lane_sums(to, a, b, c, d);
#endif
}

}  // namespace nnp::NNP_TARGET

// The formula headers over `real`.
#define NNP_REAL_PROVIDED
#define NNP_FN NNP_INLINE
#define NNP_C(x) ((nnp_scalar)(x))
#define NNP_SPLAT(x) splat((nnp_scalar)(x))
#define NNP_SELECT(mask, a, b) ((mask) ? (a) : (b))
#define NNP_SQRT(x) square_root(x)
#define NNP_EXP(x) exponential(x)
#define NNP_TANH(x) hyperbolic_tangent(x)
#define NNP_SIN(x) each_lane(x, [](nnp_scalar v) { return std::sin(v); })
#define NNP_COS(x) each_lane(x, [](nnp_scalar v) { return std::cos(v); })
#define NNP_COS_HALF_PI_ROOT(u) cos_half_pi_root(u)
#define NNP_SIN_HALF_PI_ROOT(u) sin_half_pi_root(u)
#define NNP_INVERSE_SQRT(x) inverse_square_root(x)
#define NNP_TANH_UNIT(x) tanh_unit(x)
#define NNP_ACOS(x) arc_cosine(x)
#define NNP_POW(x, y) each_lane(x, [exponent = y](nnp_scalar v) { return std::pow(v, exponent); })
#define NNP_LOG1P(x) each_lane(x, [](nnp_scalar v) { return std::log1p(v); })

namespace nnp::NNP_TARGET
{
#include "nnp/activation.h"
#include "nnp/angular.h"
#include "nnp/chebyshev.h"
#include "nnp/cutoff.h"
#include "nnp/harmonics.h"
#include "nnp/radial.h"
#include "nnp/zbl.h"
}  // namespace nnp::NNP_TARGET

#endif

/* The number type the formula headers are written over, and the few functions they need.
 *
 * Every formula header compiles as C99, C++, CUDA and OpenCL C. It uses `real` for a value (a scalar, or a SIMD vector
 * of scalars), `nnp_scalar` for a parameter shared by all lanes, and the NNP_* macros below for everything a vector
 * does differently. Who wants another number type defines NNP_REAL_PROVIDED and all of these before including.
 */
#ifndef NNP_REAL_H
#define NNP_REAL_H

/* Before a loop with constant bounds that has to disappear, so that its arrays become registers. */
#ifndef NNP_UNROLL
#if defined(__GNUC__) && !defined(__clang__)
#define NNP_UNROLL _Pragma("GCC unroll 32")
#elif defined(__clang__) || defined(__CUDACC__)
#define NNP_UNROLL _Pragma("unroll")
#else
#define NNP_UNROLL
#endif
#endif

#ifndef NNP_REAL_PROVIDED
#include <math.h>
typedef double real;
typedef double nnp_scalar;
#define NNP_FN static inline
#define NNP_C(x) ((nnp_scalar)(x)) /* a literal */
#define NNP_SPLAT(x) ((real)(x))   /* one scalar in every lane */
#define NNP_SELECT(mask, a, b) ((mask) ? (a) : (b))
#define NNP_SQRT(x) sqrt(x)
#define NNP_EXP(x) exp(x)
#define NNP_TANH(x) tanh(x)
#define NNP_SIN(x) sin(x)
#define NNP_COS(x) cos(x)
#define NNP_INVERSE_SQRT(x) (1.0 / sqrt(x))
#define NNP_TANH_UNIT(x) tanh(x)                                  /* for 0 <= x <= 1 */
#define NNP_COS_HALF_PI_ROOT(u) cos(1.5707963267948966 * sqrt(u)) /* cos(pi sqrt(u) / 2) for 0 <= u <= 1 */
#define NNP_SIN_HALF_PI_ROOT(u) \
    ((u) > 0 ? sin(1.5707963267948966 * sqrt(u)) / sqrt(u) : 1.5707963267948966) /* sin(pi sqrt(u) / 2) / sqrt(u) */
#define NNP_ACOS(x) acos(x)
#define NNP_POW(x, y) pow(x, y)
#define NNP_LOG1P(x) log1p(x)
#endif

#define NNP_PI NNP_C(3.14159265358979323846)

#endif

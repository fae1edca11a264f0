/* Radial functions as Chebyshev series: g_n(r) = f_c(r) sum_k c_nk T_k(x(r)).
 *
 *   argument 0  x = 2 (r/r_c - 1)^2 - 1    NEP: 1 at r = 0, -1 at r_c, and even about r_c
 *   argument 1  x = 1 - 2 r/r_c            ours
 *   argument 2  x = 2 r/r_c - 1            aenet
 * Reference: Z. Fan et al., Phys. Rev. B 104, 104309 (2021), eq. 13; N. Artrith et al., Phys. Rev. B 96, 014112 (2017),
 * eq. 7.
 */
#ifndef NNP_CHEBYSHEV_H
#define NNP_CHEBYSHEV_H
#include "real.h"

enum { NNP_ARGUMENT_SQUARE = 0, NNP_ARGUMENT_FALLING = 1, NNP_ARGUMENT_RISING = 2, NNP_ARGUMENT_COUNT = 3 };

/* x and dx/dr; beyond r_c those of r_c, so that no power of x can overflow where f_c is 0. */
NNP_FN void nnp_chebyshev_argument(int kind, real r, nnp_scalar r_c, real* x, real* dx_dr)
{
    nnp_scalar inverse = NNP_C(1) / r_c;
    real s = NNP_SELECT(r < NNP_SPLAT(r_c), r * inverse, NNP_SPLAT(1));
    if (kind == NNP_ARGUMENT_SQUARE) {
        real t = s - NNP_C(1);
        *x = NNP_C(2) * t * t - NNP_C(1);
        *dx_dr = NNP_C(4) * inverse * t;
    } else if (kind == NNP_ARGUMENT_FALLING) {
        *x = NNP_C(1) - NNP_C(2) * s;
        *dx_dr = NNP_SPLAT(NNP_C(-2) * inverse);
    } else {
        *x = NNP_C(2) * s - NNP_C(1);
        *dx_dr = NNP_SPLAT(NNP_C(2) * inverse);
    }
}

/* From T_k-1 and T_k to T_k and T_k+1, and their slopes. T_-1 = x and T_-1' = 1 begin. */
NNP_FN void nnp_chebyshev_next(real two_x, real* t_before, real* t, real* dt_before, real* dt)
{
    real t_next = two_x * *t - *t_before, dt_next = NNP_C(2) * *t + two_x * *dt - *dt_before;
    *t_before = *t;
    *dt_before = *dt;
    *t = t_next;
    *dt = dt_next;
}

/* T_k and T_k' of all k < count. */
NNP_FN void nnp_chebyshev(int count, real x, real* t, real* dt)
{
    real two_x = NNP_C(2) * x, t_before = x, dt_before = NNP_SPLAT(1), t_now = NNP_SPLAT(1), dt_now = NNP_SPLAT(0);
    for (int k = 0; k < count; ++k) {
        t[k] = t_now;
        dt[k] = dt_now;
        nnp_chebyshev_next(two_x, &t_before, &t_now, &dt_before, &dt_now);
    }
}

#endif

/* Core functions on [0, 1]: 1 at 0, 0 at 1, flat at both ends. The cutoffs 4..8 and the compact functions share them.
 *   exponential: exp(1 - 1/(1 - x^2));  poly1..poly4: the polynomials of degree 3, 5, 7, 9.
 * Reference: M. P. Bircher, A. Singraber, C. Dellago, Mach. Learn.: Sci. Technol. 2, 035026 (2021).
 */
#ifndef NNP_CORE_H
#define NNP_CORE_H
#include "real.h"

enum { NNP_CORE_EXP = 0, NNP_CORE_POLY1 = 1, NNP_CORE_POLY2 = 2, NNP_CORE_POLY3 = 3, NNP_CORE_POLY4 = 4 };

/* Core for 0 <= x < 1, value and slope. Lanes outside may hold anything finite or not: the caller selects them away.
 * The polynomials are factored, (1 - x)^(n+1) times positive terms: the expanded ones cancel near x = 1. */
NNP_FN void nnp_core(int kind, real x, real* value, real* slope)
{
    real y = NNP_C(1) - x, y2 = y * y, xy = x * y;
    if (kind == NNP_CORE_EXP) {
        real inverse = NNP_C(1) / (y * (NNP_C(1) + x));
        real e = NNP_EXP(NNP_C(1) - inverse);
        *value = NNP_SELECT(x < NNP_SPLAT(1), e, NNP_SPLAT(0));
        *slope = NNP_SELECT(x < NNP_SPLAT(1), NNP_C(-2) * x * inverse * inverse * e, NNP_SPLAT(0));
    } else if (kind == NNP_CORE_POLY1) {
        *value = y2 * (NNP_C(1) + NNP_C(2) * x);
        *slope = NNP_C(-6) * xy;
    } else if (kind == NNP_CORE_POLY2) {
        *value = y2 * y * (NNP_C(1) + x * (NNP_C(3) + NNP_C(6) * x));
        *slope = NNP_C(-30) * xy * xy;
    } else if (kind == NNP_CORE_POLY3) {
        *value = y2 * y2 * (NNP_C(1) + x * (NNP_C(4) + x * (NNP_C(10) + NNP_C(20) * x)));
        *slope = NNP_C(-140) * xy * xy * xy;
    } else {
        real p = NNP_C(1) + x * (NNP_C(5) + x * (NNP_C(15) + x * (NNP_C(35) + NNP_C(70) * x)));
        *value = y2 * y2 * y * p;
        *slope = NNP_C(-630) * (xy * xy) * (xy * xy);
    }
}

/* Compact bump C(t; left, right): core(|t - centre| / width), zero outside. `asymmetric` replaces x by (2 - x) x. */
NNP_FN void nnp_compact(int kind, int asymmetric, real t, nnp_scalar left, nnp_scalar right, real* value, real* slope)
{
    nnp_scalar width = NNP_C(0.5) * (right - left);
    real u = (t - NNP_C(0.5) * (left + right)) * (NNP_C(1) / width);
    real x = NNP_SELECT(u < NNP_SPLAT(0), -u, u);
    real dx = NNP_SELECT(u < NNP_SPLAT(0), NNP_SPLAT(-1), NNP_SPLAT(1)) * (NNP_C(1) / width);
    real argument = x, chain = dx, c, dc;
    if (asymmetric) {
        argument = (NNP_C(2) - x) * x;
        chain = NNP_C(2) * (NNP_C(1) - x) * dx;
    }
    nnp_core(kind, argument, &c, &dc);
    *value = NNP_SELECT(x < NNP_SPLAT(1), c, NNP_SPLAT(0));
    *slope = NNP_SELECT(x < NNP_SPLAT(1), dc * chain, NNP_SPLAT(0));
}

#endif

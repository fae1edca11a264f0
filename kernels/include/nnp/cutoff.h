/* Cutoff functions f_c(r), numbered as n2p2 numbers them.
 *   x = (r - a r_c) / (r_c - a r_c), f_c = 1 below the inner radius a r_c and 0 beyond r_c
 *   0 hard: 1            1 cosine: (1 + cos pi x)/2 = cos^2(pi x/2)
 *   2 tanh^3(1 - r/r_c)  3 the same over tanh^3(1)           4 core exponential   5..8 core polynomials 1..4
 */
#ifndef NNP_CUTOFF_H
#define NNP_CUTOFF_H
#include "core.h"

enum {
    NNP_CUTOFF_HARD = 0,
    NNP_CUTOFF_COSINE = 1,
    NNP_CUTOFF_TANH = 2,
    NNP_CUTOFF_TANH_NORMED = 3,
    NNP_CUTOFF_EXP = 4,
    NNP_CUTOFF_POLY1 = 5,
    NNP_CUTOFF_POLY4 = 8
};

/* (1 + cos pi x)/2 and its slope over x, from u = x^2: both are even in x, so that no root is needed. */
NNP_FN void nnp_cosine_decay(real u, real* value, real* slope_over_x)
{
    real c = NNP_COS_HALF_PI_ROOT(u);
    *value = c * c;
    *slope_over_x = -NNP_PI * c * NNP_SIN_HALF_PI_ROOT(u);
}

NNP_FN void nnp_cutoff(int kind, real r, nnp_scalar r_c, nnp_scalar inner_fraction, real* f_c, real* df_c_dr)
{
    nnp_scalar inner = inner_fraction * r_c;
    nnp_scalar inverse_width = NNP_C(1) / (r_c - inner);
    real f = NNP_SPLAT(1), df = NNP_SPLAT(0);
    if (kind == NNP_CUTOFF_TANH || kind == NNP_CUTOFF_TANH_NORMED) {
        nnp_scalar scale = NNP_C(1);
        real t = NNP_TANH_UNIT(NNP_C(1) - r * (NNP_C(1) / r_c));
        if (kind == NNP_CUTOFF_TANH_NORMED)
            scale = NNP_C(2.2637537952253513); /* 1 / tanh(1)^3 */
        f = scale * t * t * t;
        df = (NNP_C(-3) * scale / r_c) * t * t * (NNP_C(1) - t * t);
    } else if (kind != NNP_CUTOFF_HARD) {
        real x = (r - inner) * inverse_width;
        if (kind == NNP_CUTOFF_COSINE) {
            nnp_cosine_decay(x * x, &f, &df);
            df = df * x;
        } else {
            nnp_core(kind - NNP_CUTOFF_EXP, x, &f, &df);
        }
        f = NNP_SELECT(x < NNP_SPLAT(0), NNP_SPLAT(1), f);
        df = NNP_SELECT(x < NNP_SPLAT(0), NNP_SPLAT(0), df * inverse_width);
    }
    *f_c = NNP_SELECT(r < NNP_SPLAT(r_c), f, NNP_SPLAT(0));
    *df_c_dr = NNP_SELECT(r < NNP_SPLAT(r_c), df, NNP_SPLAT(0));
}

/* f_c and (df_c/dr)/r from r^2. */
NNP_FN void nnp_cutoff_by_square(int kind, real r2, nnp_scalar r_c, nnp_scalar inner_fraction, real* f_c,
                                 real* df_c_dr_over_r)
{
    if (kind == NNP_CUTOFF_COSINE && inner_fraction == 0) {
        nnp_scalar inverse2 = NNP_C(1) / (r_c * r_c);
        real u = r2 * inverse2, f, df;
        nnp_cosine_decay(u, &f, &df);
        *f_c = NNP_SELECT(u < NNP_SPLAT(1), f, NNP_SPLAT(0));
        *df_c_dr_over_r = NNP_SELECT(u < NNP_SPLAT(1), df * inverse2, NNP_SPLAT(0));
    } else {
        real inverse = NNP_INVERSE_SQRT(r2), df;
        nnp_cutoff(kind, r2 * inverse, r_c, inner_fraction, f_c, &df);
        *df_c_dr_over_r = df * inverse;
    }
}

#endif

/* Radial parts, without cutoff. Reference: J. Behler, J. Chem. Phys. 134, 074106 (2011), G1, G2, G3. Compact ones are
 * in core.h. */
#ifndef NNP_RADIAL_H
#define NNP_RADIAL_H
#include "core.h"
#include "real.h"

/* The formula of every family with NNP_LOOP_RADIAL, as F(NUMBER, call): the call sets g and its slope dg from the
 * distance r; P(name) is the function's parameter of this name in families.h. The CPU's pass compiles the calls, the
 * GPU's writer writes them with numbers in place of P(name): nothing else there knows a radial family.
 */
#define NNP_RADIAL_FORMULAS(F)                                    \
    F(NNP_RADIAL, nnp_gaussian(r, P(eta), P(r_shift), &g, &dg))   \
    F(NNP_RADIAL_COSINE, nnp_radial_cosine(r, P(kappa), &g, &dg)) \
    F(NNP_COMPACT_RADIAL, nnp_compact(P(core), P(asymmetric), r, P(r_left), P(r_right), &g, &dg))

/* exp(-eta (r - r_shift)^2); eta = 0 is Behler's G1. */
NNP_FN void nnp_gaussian(real r, nnp_scalar eta, nnp_scalar r_shift, real* g, real* dg_dr)
{
    real d = r - r_shift;
    *g = NNP_EXP(-eta * d * d);
    *dg_dr = NNP_C(-2) * eta * d * *g;
}

/* cos(kappa r), Behler's G3. */
NNP_FN void nnp_radial_cosine(real r, nnp_scalar kappa, real* g, real* dg_dr)
{
    *g = NNP_COS(kappa * r);
    *dg_dr = -kappa * NNP_SIN(kappa * r);
}

#endif

/* Radial parts, without cutoff. Reference: J. Behler, J. Chem. Phys. 134, 074106 (2011), G1, G2, G3. */
#ifndef NNP_RADIAL_H
#define NNP_RADIAL_H
#include "real.h"

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

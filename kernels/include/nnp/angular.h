/* Angular parts as functions of cos(theta), and how cos(theta) follows the three distances of a triple.
 * Reference: J. Behler, J. Chem. Phys. 134, 074106 (2011), G4 (narrow) and G5 (wide).
 */
#ifndef NNP_ANGULAR_H
#define NNP_ANGULAR_H
#include "core.h"

/* (1 + lambda cos)/2, and 0 where that is negative: 2^(1-zeta) (1 + lambda cos)^zeta = 2 base^zeta. */
NNP_FN real nnp_angular_base(real cosine, nnp_scalar lambda)
{
    real base = NNP_C(0.5) + NNP_C(0.5) * lambda * cosine;
    return NNP_SELECT(base > NNP_SPLAT(0), base, NNP_SPLAT(0));
}

/* d base / d cos, for the chain rule: lambda/2 where the base is positive. */
NNP_FN real nnp_angular_base_slope(real base, nnp_scalar lambda)
{
    return NNP_SELECT(base > NNP_SPLAT(0), NNP_SPLAT(NNP_C(0.5) * lambda), NNP_SPLAT(0));
}

/* base^exponent for any real exponent; 0 where the base is 0. Whoever needs small integers multiplies instead. */
NNP_FN real nnp_angular_power(real base, nnp_scalar exponent)
{
    real safe = NNP_SELECT(base > NNP_SPLAT(0), base, NNP_SPLAT(1));
    return NNP_SELECT(base > NNP_SPLAT(0), NNP_POW(safe, exponent), NNP_SPLAT(0));
}

/* Compact bump of the angle theta = acos(cos), limits in radians; the slope is by cos and is 0 at exact collinearity.
 */
NNP_FN void nnp_compact_angle(int kind, real cosine, nnp_scalar left, nnp_scalar right, real* value, real* slope)
{
    real above = NNP_SELECT(cosine < NNP_SPLAT(-1), NNP_SPLAT(-1), cosine);
    real c = NNP_SELECT(above > NNP_SPLAT(1), NNP_SPLAT(1), above);
    real sine2 = (NNP_C(1) - c) * (NNP_C(1) + c);
    real guarded = NNP_SELECT(sine2 > NNP_SPLAT(0), sine2, NNP_SPLAT(1));
    real dtheta = NNP_SELECT(sine2 > NNP_SPLAT(0), NNP_C(-1) / NNP_SQRT(guarded), NNP_SPLAT(0));
    real dvalue;
    nnp_compact(kind, 0, NNP_ACOS(c), left, right, value, &dvalue);
    *slope = dvalue * dtheta;
}

/* (1 + cos(theta - shift))/2 with theta = acos(cos), from cosine and sine of the shift; the slope is by cos(theta).
 * cos(theta - shift) = cos(theta) cos(shift) + sin(theta) sin(shift); at exact collinearity, where the function has an
 * edge, the slope is that of the first part. Reference: J. S. Smith, O. Isayev, A. E. Roitberg, Chem. Sci. 8, 3192
 * (2017), eq. 4. */
NNP_FN void nnp_shifted_angle(real cosine, nnp_scalar cos_shift, nnp_scalar sin_shift, real* value, real* slope)
{
    real above = NNP_SELECT(cosine < NNP_SPLAT(-1), NNP_SPLAT(-1), cosine);
    real c = NNP_SELECT(above > NNP_SPLAT(1), NNP_SPLAT(1), above);
    real sine2 = (NNP_C(1) - c) * (NNP_C(1) + c);
    real guarded = NNP_SELECT(sine2 > NNP_SPLAT(0), sine2, NNP_SPLAT(1));
    real root = NNP_SQRT(guarded);
    real sine = NNP_SELECT(sine2 > NNP_SPLAT(0), root, NNP_SPLAT(0));
    real cotangent = NNP_SELECT(sine2 > NNP_SPLAT(0), c / root, NNP_SPLAT(0));
    *value = NNP_C(0.5) + NNP_C(0.5) * (c * cos_shift + sine * sin_shift);
    *slope = NNP_C(0.5) * (cos_shift - cotangent * sin_shift);
}

/* cos(theta_jik) = (r_ij^2 + r_ik^2 - r_jk^2) / (2 r_ij r_ik). Its derivatives by the distances, each over its
 * distance (so that they multiply the difference vectors):
 *   (dcos/dr_ij)/r_ij = 1/(r_ij r_ik) - cos/r_ij^2   and the same for r_ik;   (dcos/dr_jk)/r_jk = -1/(r_ij r_ik)
 * inverse_ij = 1/r_ij, inverse_ik = 1/r_ik. */
NNP_FN real nnp_cosine_by_side(real cosine, real inverse_ij, real inverse_ik)
{
    return inverse_ij * (inverse_ik - cosine * inverse_ij);
}

NNP_FN real nnp_cosine_by_opposite(real inverse_ij, real inverse_ik)
{
    return -(inverse_ij * inverse_ik);
}

#endif

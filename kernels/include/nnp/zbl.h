/* ZBL's screened repulsion of two nuclei, switched off from r_inner to r_outer:
 *   V(r) = scale / r * phi(r) * s(r),   scale = NNP_ZBL_COULOMB Z_1 Z_2
 *   phi(r) = sum over k of c_k exp(-d_k r / a),   1 / a = (Z_1^p + Z_2^p) NNP_ZBL_SCREENING,   p = NNP_ZBL_POWER
 *   s is the cosine cutoff of cutoff.h with r_c = r_outer, inner_fraction = r_inner / r_outer
 * Ziegler, Biersack and Littmark, The Stopping and Range of Ions in Solids (1985). Energies in eV, lengths in angstrom;
 * the constants have the digits of NEP's programs, as nnp/terms/repulsion.py.
 */
#ifndef NNP_ZBL_H
#define NNP_ZBL_H
#include "cutoff.h"

#define NNP_ZBL_COULOMB 14.399645  /* e^2 / (4 pi epsilon_0), eV angstrom */
#define NNP_ZBL_SCREENING 2.134563 /* 1 / (0.8854 bohr), 1 / angstrom */
#define NNP_ZBL_POWER 0.23

/* Adds one exponential to phi and its slope; decay = d_k / a. */
NNP_FN void nnp_zbl_exponential(real r, nnp_scalar amplitude, nnp_scalar decay, real* phi, real* d_phi)
{
    real part = amplitude * NNP_EXP(r * (-decay));
    *phi = *phi + part;
    *d_phi = *d_phi - decay * part;
}

/* V and dV/dr from phi and its slope; exactly 0 from r_outer on. */
NNP_FN void nnp_zbl(real r, nnp_scalar scale, nnp_scalar r_outer, nnp_scalar inner_fraction, real phi, real d_phi,
                    real* v, real* dv_dr)
{
    real inverse = NNP_C(1) / r, s, ds;
    nnp_cutoff(NNP_CUTOFF_COSINE, r, r_outer, inner_fraction, &s, &ds);
    real bare = scale * phi * inverse;
    real d_bare = scale * (d_phi - phi * inverse) * inverse;
    *v = NNP_SELECT(r < NNP_SPLAT(r_outer), bare * s, NNP_SPLAT(0));
    *dv_dr = NNP_SELECT(r < NNP_SPLAT(r_outer), d_bare * s + bare * ds, NNP_SPLAT(0));
}

#endif

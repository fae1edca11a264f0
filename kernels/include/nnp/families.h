/* The families of functions: one table for C, C++ and (through nnp_family) Python.
 *
 * NNP_FAMILIES(F) lists F(NUMBER, name, loop, INTEGERS, REALS); INTEGERS(P) and REALS(P) list P(parameter, meaning) in
 * the order in which they travel in the flat arrays of nnp.h.
 *   loop      NNP_LOOP_RADIAL sums over neighbours j, NNP_LOOP_ANGULAR over unordered pairs j < k, NNP_LOOP_MOMENT is a
 *             polynomial in the moments of one of the element's radial series (NNP_BLOCK_SERIES; plan/moments.h)
 *   integers  "element": an atomic number, 0 = any, each term weighted by Z_j (Z_j Z_k); "cutoff": number of cutoff.h;
 *             "core": number of core.h; "flag": 0 or 1 (narrow: r_jk takes part too; asymmetric: see core.h;
 *             legacy: the angle of aenet before 2.0.4);
 *             "count": a number of a series, a radial function, or a degree l
 *   reals     their unit, in powers of the model's length; "1": none
 * A family ends at r_cutoff, or where it has none at r_right. Formulas: radial.h, angular.h, core.h.
 */
#ifndef NNP_FAMILIES_H
#define NNP_FAMILIES_H

enum nnp_loop { NNP_LOOP_RADIAL = 1, NNP_LOOP_ANGULAR = 2, NNP_LOOP_MOMENT = 3 };

enum nnp_family_number {
    NNP_RADIAL = 1,
    NNP_RADIAL_COSINE = 2,
    NNP_ANGULAR = 3,
    NNP_COMPACT_RADIAL = 4,
    NNP_COMPACT_ANGULAR = 5,
    NNP_ANGULAR_SHIFTED = 6,
    NNP_MOMENT_SUM = 16,
    NNP_MOMENT_PAIR = 17,
    NNP_MOMENT_TRIPLE = 18,
    NNP_MOMENT_QUARTIC = 19,
    NNP_MOMENT_CHEBYSHEV = 20
};

/* Names of all parameters but the neighbours'; families share them. */
/* clang-format off */
#define NNP_INTEGER_NAMES(P) \
    P(cutoff) P(core) P(asymmetric) P(narrow) P(series) P(n_1) P(n_2) P(n_3) P(l_1) P(l_2) P(l_3) P(legacy)
#define NNP_REAL_NAMES(P) \
    P(eta) P(r_shift) P(kappa) P(lambda) P(zeta) P(r_cutoff) P(inner_fraction) P(r_left) P(r_right) \
    P(theta_left) P(theta_right) P(theta_shift) P(coefficient)
/* clang-format on */

#define NNP_RADIAL_INTEGERS(P) P(neighbor_1, "element") P(cutoff, "cutoff")
#define NNP_RADIAL_REALS(P) P(eta, "length^-2") P(r_shift, "length") P(r_cutoff, "length") P(inner_fraction, "1")

#define NNP_RADIAL_COSINE_REALS(P) P(kappa, "length^-1") P(r_cutoff, "length") P(inner_fraction, "1")

#define NNP_ANGULAR_INTEGERS(P) P(neighbor_1, "element") P(neighbor_2, "element") P(cutoff, "cutoff") P(narrow, "flag")
#define NNP_ANGULAR_REALS(P) NNP_RADIAL_REALS(P) P(lambda, "1") P(zeta, "1")

#define NNP_COMPACT_RADIAL_INTEGERS(P) P(neighbor_1, "element") P(core, "core") P(asymmetric, "flag")
#define NNP_COMPACT_RADIAL_REALS(P) P(r_left, "length") P(r_right, "length")

#define NNP_COMPACT_ANGULAR_INTEGERS(P) \
    P(neighbor_1, "element") P(neighbor_2, "element") P(core, "core") P(asymmetric, "flag") P(narrow, "flag")
#define NNP_COMPACT_ANGULAR_REALS(P) NNP_COMPACT_RADIAL_REALS(P) P(theta_left, "radian") P(theta_right, "radian")

#define NNP_ANGULAR_SHIFTED_INTEGERS(P) P(neighbor_1, "element") P(neighbor_2, "element") P(cutoff, "cutoff")
#define NNP_ANGULAR_SHIFTED_REALS(P) NNP_RADIAL_REALS(P) P(theta_shift, "radian") P(zeta, "1")

#define NNP_MOMENT_SUM_INTEGERS(P) P(series, "count") P(n_1, "count")
#define NNP_MOMENT_PAIR_INTEGERS(P) P(series, "count") P(n_1, "count") P(n_2, "count") P(l_1, "count")
#define NNP_MOMENT_TRIPLE_INTEGERS(P) \
    P(series, "count")                \
    P(n_1, "count") P(n_2, "count") P(n_3, "count") P(l_1, "count") P(l_2, "count") P(l_3, "count")
#define NNP_MOMENT_CHEBYSHEV_INTEGERS(P) NNP_MOMENT_PAIR_INTEGERS(P) P(legacy, "flag")
#define NNP_MOMENT_REALS(P) P(coefficient, "1")

#define NNP_FAMILIES(F)                                                                                                \
    F(NNP_RADIAL, radial, NNP_LOOP_RADIAL, NNP_RADIAL_INTEGERS, NNP_RADIAL_REALS)                                      \
    F(NNP_RADIAL_COSINE, radial_cosine, NNP_LOOP_RADIAL, NNP_RADIAL_INTEGERS, NNP_RADIAL_COSINE_REALS)                 \
    F(NNP_ANGULAR, angular, NNP_LOOP_ANGULAR, NNP_ANGULAR_INTEGERS, NNP_ANGULAR_REALS)                                 \
    F(NNP_COMPACT_RADIAL, compact_radial, NNP_LOOP_RADIAL, NNP_COMPACT_RADIAL_INTEGERS, NNP_COMPACT_RADIAL_REALS)      \
    F(NNP_COMPACT_ANGULAR, compact_angular, NNP_LOOP_ANGULAR, NNP_COMPACT_ANGULAR_INTEGERS, NNP_COMPACT_ANGULAR_REALS) \
    F(NNP_ANGULAR_SHIFTED, angular_shifted, NNP_LOOP_ANGULAR, NNP_ANGULAR_SHIFTED_INTEGERS, NNP_ANGULAR_SHIFTED_REALS) \
    F(NNP_MOMENT_SUM, moment_sum, NNP_LOOP_MOMENT, NNP_MOMENT_SUM_INTEGERS, NNP_MOMENT_REALS)                          \
    F(NNP_MOMENT_PAIR, moment_pair, NNP_LOOP_MOMENT, NNP_MOMENT_PAIR_INTEGERS, NNP_MOMENT_REALS)                       \
    F(NNP_MOMENT_TRIPLE, moment_triple, NNP_LOOP_MOMENT, NNP_MOMENT_TRIPLE_INTEGERS, NNP_MOMENT_REALS)                 \
    F(NNP_MOMENT_QUARTIC, moment_quartic, NNP_LOOP_MOMENT, NNP_MOMENT_SUM_INTEGERS, NNP_MOMENT_REALS)                  \
    F(NNP_MOMENT_CHEBYSHEV, moment_chebyshev, NNP_LOOP_MOMENT, NNP_MOMENT_CHEBYSHEV_INTEGERS, NNP_MOMENT_REALS)

#endif

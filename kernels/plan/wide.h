// Behler's wide angular functions as functions of moments. With the factors of r_ij and r_ik alone, no r_jk,
//
//   G = sum_{j<k} g(r_ij) g(r_ik) 2 ((1 + lambda cos)/2)^zeta,    2 ((1 + lambda cos)/2)^zeta = sum_l c_l P_l(cos)
//     = sum_l c_l 4 pi/(2l + 1) sum_m A_nlm A_n'lm                two elements; of one, and of all weighted by Z:
//     = 1/2 (the same - sum_j g_j^2 sum_l c_l)                    each pair stands there twice, and j with itself
//
// Which of them go this way is decided in cost.h.
#ifndef NNP_PLAN_WIDE_H
#define NNP_PLAN_WIDE_H

#include "moments.h"

namespace nnp
{

// Whether moments can make it: wide, zeta a whole number from 1 to NNP_MOST_L, |lambda| <= 1.
bool has_moments(const Function& f);

// The groups that make these functions of an element, given by their positions: one per cutoff, weighted ones apart.
std::vector<MomentGroup> wide_groups(const Model& model, const Element& element, const std::vector<int>& functions);

// 2 ((1 + lambda t)/2)^zeta = sum_l c_l P_l(t), l <= zeta.
std::vector<double> power_in_legendre(double lambda, int zeta);

}  // namespace nnp

#endif

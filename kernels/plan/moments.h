// Functions of one atom that need no pairs of neighbours: polynomials in the moments of its neighbourhood,
//
//   A_nlm = sum_j g_n(r_ij) Y_lm(r_ij / |r_ij|),    g_n(r) = f_c(r) sum_k c_nk T_k(x(r)),  c by the neighbour's element
//
//   sum       coefficient * A_n00                      (2-body: sqrt(4 pi) A_n00 = sum_j g_n)
//   pair      coefficient * sum_m A_nlm A_n'lm         (3-body: the power spectrum)
//   triple    a short list of c A_nam A_n'bm' A_n''cm''  (4-body: the bispectrum)
//   quartic   coefficient * (sum_m A_n1m^2)^2          (5-body)
//   chebyshev a sum of pairs of rising l, and one sum  (3-body: aenet's T_n of the angle)
//   square    coefficient * sum_j g_n(r_ij)^2          (a neighbour with itself, which pairs of moments count too)
//
// Functions of one element that share their radial series are one group: one pass over the neighbours makes the
// moments, one pass takes the derivatives back. Several sums and pairs may belong to one function: they add up.
#ifndef NNP_PLAN_MOMENTS_H
#define NNP_PLAN_MOMENTS_H

#include "model.h"

#include <cstdint>
#include <vector>

namespace nnp
{

struct MomentSum {
    int n;
    double coefficient;
    int index;  // position among the element's functions
};

struct MomentPair {
    int n_1, n_2, l;
    double coefficient;
    int index;
};

// One product of three moments; rows count Y_lm as harmonics.h does.
struct TripleTerm {
    int row_1, row_2, row_3;
    double value;
};

struct MomentTriple {
    int n_1, n_2, n_3;
    int first_term, n_terms;  // of the group's list
    int index;
};

struct MomentQuartic {
    int n;
    double coefficient;
    int index;
};

struct MomentSquare {
    int n;
    double coefficient;
    int index;
};

// A radial function of its own in the place of a series: f_c(r) exp(-eta (r - shift)^2).
struct Gaussian {
    double eta, shift;
};

struct FunctionRange {
    int begin, end;
};

struct MomentGroup {
    RadialSeries series;
    // Where there are any they are the radial functions; the series then has one term, a weight, and the cutoff.
    std::vector<Gaussian> gaussians;
    std::vector<FunctionRange> seen;         // [element of the neighbour] radial functions that see it
    std::vector<float> coefficients_single;  // the series' in float32
    int l_min = 0, l_max = 0;                // of the moments that any member needs; l_max as a kernel has it
    std::vector<MomentSum> sums;
    std::vector<MomentPair> pairs;  // multiples of one product stand together
    std::vector<MomentTriple> triples;
    std::vector<TripleTerm> terms;
    std::vector<MomentQuartic> quartics;
    std::vector<MomentSquare> squares;  // sorted by n
    std::vector<double> norms;          // [(l_max + 1)^2] of the harmonics
    std::vector<int> indices;           // of the functions that all these make

    bool only_sums() const { return pairs.empty() && triples.empty() && quartics.empty(); }
    bool sees_all() const;  // every radial function every element
};

// The functions of moments of one element, a group per series.
std::vector<MomentGroup> moment_groups(const Element& element);

// For those that fill a group by themselves: a member's degree; and, once all are there, what follows from them.
void need_degree(MomentGroup& group, int l);
void finish_group(MomentGroup& group);

// Norm of Y_lm, which harmonics.h leaves out.
double harmonic_norm(int l, int m);

// The coupling of three moments of degrees a, b and c to a number that no rotation changes: the terms of
//   sum_m (a b c; m_a m_b m_c) A_n1 A_n2 A_n3   (Wigner's 3j symbol, complex moments)
// for real ones; moments that may change places because n and l are the same stand in one order only. Empty where
// a + b + c is odd or the degrees make no triangle: nothing is left then.
std::vector<TripleTerm> coupling(int n_1, int a, int n_2, int b, int n_3, int c);

// T_order(x(t)) = sum_l c_l P_l(t), l <= order; x = t, or x = (2 t - pi)/pi where legacy.
std::vector<double> chebyshev_in_legendre(int order, bool legacy);

// P_l(cos) = weight sum_m Y_lm Y_lm of the two unit vectors.
double legendre_weight(int l);

// (shift + slope t) times sum_l values_l P_l(t), as coefficients of P_l.
std::vector<double> times_linear(const std::vector<double>& values, double shift, double slope);

// The degree up to which kernels are made: l itself up to 8, then in steps.
int kernel_degree(int l);

}  // namespace nnp

#endif

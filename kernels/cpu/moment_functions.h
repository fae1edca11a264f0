// The functions of a group of moments, and their derivatives, once the moments of an atom are known.
#ifndef NNP_CPU_MOMENT_FUNCTIONS_H
#define NNP_CPU_MOMENT_FUNCTIONS_H

#include "atom.h"
#include "moments.h"

namespace nnp::NNP_TARGET
{

// What lives from the forward to the backward pass. Moments have their norms inside.
struct Moments {
    int n, rows, first_row;  // of Y_lm: rows first_row .. first_row + rows - 1
    nnp_scalar *g, *dg;      // [n][lane] g_n and dg_n/dr
    double* a;               // [n][rows]
};

// The functions of a group from its moments.
static void functions_of_moments(const MomentGroup& group, const Moments& m, double* descriptors)
{
    auto at = [&](int n, int row) { return m.a[n * m.rows + row - m.first_row]; };
    for (size_t i = 0; i < group.sums.size(); ++i)
        descriptors[group.sums[i].index] = group.sums[i].coefficient * at(group.sums[i].n, 0);
    for (size_t i = 0; i < group.pairs.size(); ++i) {
        const MomentPair& p = group.pairs[i];
        double sum = 0;
        for (int row = p.l * p.l; row < (p.l + 1) * (p.l + 1); ++row)
            sum += at(p.n_1, row) * at(p.n_2, row);
        descriptors[p.index] = p.coefficient * sum;
    }
    for (size_t i = 0; i < group.triples.size(); ++i) {
        const MomentTriple& t = group.triples[i];
        double sum = 0;
        for (int k = t.first_term; k < t.first_term + t.n_terms; ++k) {
            const TripleTerm& c = group.terms[k];
            sum += c.value * at(t.n_1, c.row_1) * at(t.n_2, c.row_2) * at(t.n_3, c.row_3);
        }
        descriptors[t.index] = sum;
    }
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        double sum = 0;
        for (int row = 1; row < 4; ++row)
            sum += at(q.n, row) * at(q.n, row);
        descriptors[q.index] = q.coefficient * sum * sum;
    }
}

// dL/dA_nlm from dL/dG.
static void pull_moments(const MomentGroup& group, const Moments& m, const double* dl_dg, double* dl_da)
{
    auto at = [&](int n, int row) { return m.a[n * m.rows + row - m.first_row]; };
    auto to = [&](int n, int row) -> double& { return dl_da[n * m.rows + row - m.first_row]; };
    for (size_t i = 0; i < group.sums.size(); ++i)
        to(group.sums[i].n, 0) += dl_dg[group.sums[i].index] * group.sums[i].coefficient;
    for (size_t i = 0; i < group.pairs.size(); ++i) {
        const MomentPair& p = group.pairs[i];
        double weight = dl_dg[p.index] * p.coefficient;
        for (int row = p.l * p.l; row < (p.l + 1) * (p.l + 1); ++row) {
            double first = at(p.n_1, row), second = at(p.n_2, row);
            to(p.n_1, row) += weight * second;
            to(p.n_2, row) += weight * first;
        }
    }
    for (size_t i = 0; i < group.triples.size(); ++i) {
        const MomentTriple& t = group.triples[i];
        for (int k = t.first_term; k < t.first_term + t.n_terms; ++k) {
            const TripleTerm& c = group.terms[k];
            double weight = dl_dg[t.index] * c.value;
            double first = at(t.n_1, c.row_1), second = at(t.n_2, c.row_2), third = at(t.n_3, c.row_3);
            to(t.n_1, c.row_1) += weight * second * third;
            to(t.n_2, c.row_2) += weight * first * third;
            to(t.n_3, c.row_3) += weight * first * second;
        }
    }
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        double sum = 0;
        for (int row = 1; row < 4; ++row)
            sum += at(q.n, row) * at(q.n, row);
        for (int row = 1; row < 4; ++row)
            to(q.n, row) += 4 * dl_dg[q.index] * q.coefficient * sum * at(q.n, row);
    }
}

// dG from dA: what pull_moments transposes.
static void push_moments(const MomentGroup& group, const Moments& m, const double* da, double* descriptors)
{
    auto at = [&](int n, int row) { return m.a[n * m.rows + row - m.first_row]; };
    auto change = [&](int n, int row) { return da[n * m.rows + row - m.first_row]; };
    for (size_t i = 0; i < group.sums.size(); ++i)
        descriptors[group.sums[i].index] = group.sums[i].coefficient * change(group.sums[i].n, 0);
    for (size_t i = 0; i < group.pairs.size(); ++i) {
        const MomentPair& p = group.pairs[i];
        double sum = 0;
        for (int row = p.l * p.l; row < (p.l + 1) * (p.l + 1); ++row)
            sum += at(p.n_1, row) * change(p.n_2, row) + change(p.n_1, row) * at(p.n_2, row);
        descriptors[p.index] = p.coefficient * sum;
    }
    for (size_t i = 0; i < group.triples.size(); ++i) {
        const MomentTriple& t = group.triples[i];
        double sum = 0;
        for (int k = t.first_term; k < t.first_term + t.n_terms; ++k) {
            const TripleTerm& c = group.terms[k];
            double first = at(t.n_1, c.row_1), second = at(t.n_2, c.row_2), third = at(t.n_3, c.row_3);
            sum += c.value * (change(t.n_1, c.row_1) * second * third + first * change(t.n_2, c.row_2) * third +
                              first * second * change(t.n_3, c.row_3));
        }
        descriptors[t.index] = sum;
    }
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        double sum = 0, along = 0;
        for (int row = 1; row < 4; ++row) {
            sum += at(q.n, row) * at(q.n, row);
            along += at(q.n, row) * change(q.n, row);
        }
        descriptors[q.index] = 4 * q.coefficient * sum * along;
    }
}

}  // namespace nnp::NNP_TARGET

#endif

// The functions of a group of moments, their pull-back and their change, once the moments of an atom are known. Moments
// stand [row of Y_lm][n, whole vectors], so that loops over n are vectors.
#ifndef NNP_CPU_MOMENT_FUNCTIONS_H
#define NNP_CPU_MOMENT_FUNCTIONS_H

#include "atom.h"
#include "moments.h"

namespace nnp::NNP_TARGET
{

// What lives from the forward to the backward pass. Moments have their norms inside.
struct Moments {
    int n, stride;        // radial functions, and whole vectors of them
    int rows, first_row;  // of Y_lm: first_row .. first_row + rows - 1
    nnp_scalar *g, *dg;   // [n][lane] g_n and dg_n/dr
    nnp_scalar* a;        // [rows][stride]

    int64_t at(int n_, int row) const { return (int64_t)(row - first_row) * stride + n_; }
};

// A matrix over (n, n') for each l, as vectors over n': sum_m A_nlm A_n'lm, or weights of these.
NNP_INLINE nnp_scalar* take_matrices(Arena& arena, const MomentGroup& group, const Moments& m)
{
    return take<nnp_scalar>(arena, (int64_t)(group.l_max + 1) * m.n * m.stride);
}

NNP_INLINE int64_t matrix_place(const Moments& m, int l, int n_1, int n_2)
{
    return ((int64_t)l * m.n + n_1) * m.stride + n_2;
}

// products[l][n][n'] = sum_m a_nlm b_n'lm
static void multiply_moments(const MomentGroup& group, const Moments& m, const nnp_scalar* a, const nnp_scalar* b,
                             nnp_scalar* products)
{
    for (int l = group.l_min; l <= group.l_max; ++l) {
        for (int i = 0; i < m.n; ++i) {
            for (int j = 0; j < m.stride; j += W) {
                real sum = {};
                for (int row = l * l; row < (l + 1) * (l + 1); ++row)
                    sum += a[m.at(i, row)] * load(b + m.at(j, row));
                store(products + matrix_place(m, l, i, j), sum);
            }
        }
    }
}

static double triple_value(const MomentGroup& group, const Moments& m, const MomentTriple& t)
{
    double sum = 0;
    for (int k = t.first_term; k < t.first_term + t.n_terms; ++k) {
        const TripleTerm& c = group.terms[k];
        sum += c.value * (double)m.a[m.at(t.n_1, c.row_1)] * (double)m.a[m.at(t.n_2, c.row_2)] *
               (double)m.a[m.at(t.n_3, c.row_3)];
    }
    return sum;
}

// sum_m A_n1m b_n1m
static double along_dipole(const Moments& m, int n, const nnp_scalar* b)
{
    double sum = 0;
    for (int row = 1; row < 4; ++row)
        sum += (double)m.a[m.at(n, row)] * (double)b[m.at(n, row)];
    return sum;
}

static void functions_of_moments(const MomentGroup& group, const Moments& m, Arena& arena, double* descriptors)
{
    for (size_t i = 0; i < group.indices.size(); ++i)
        descriptors[group.indices[i]] = 0;
    for (size_t i = 0; i < group.sums.size(); ++i)
        descriptors[group.sums[i].index] += group.sums[i].coefficient * (double)m.a[m.at(group.sums[i].n, 0)];
    if (!group.pairs.empty()) {
        nnp_scalar* products = take_matrices(arena, group, m);
        multiply_moments(group, m, m.a, m.a, products);
        for (size_t i = 0; i < group.pairs.size(); ++i) {
            const MomentPair& p = group.pairs[i];
            descriptors[p.index] += p.coefficient * (double)products[matrix_place(m, p.l, p.n_1, p.n_2)];
        }
    }
    for (size_t i = 0; i < group.triples.size(); ++i)
        descriptors[group.triples[i].index] = triple_value(group, m, group.triples[i]);
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        double square = along_dipole(m, q.n, m.a);
        descriptors[q.index] = q.coefficient * square * square;
    }
}

// d [rows][stride] += weights of the pairs: d_nlm = sum_n' (w_nn' + w_n'n) A_n'lm.
static void pull_pairs(const MomentGroup& group, const Moments& m, Arena& arena, const double* dl_dg, nnp_scalar* d)
{
    nnp_scalar* weights = take_matrices(arena, group, m);
    std::memset(weights, 0, (int64_t)(group.l_max + 1) * m.n * m.stride * sizeof(nnp_scalar));
    for (size_t i = 0; i < group.pairs.size(); ++i) {
        const MomentPair& p = group.pairs[i];
        nnp_scalar weight = (nnp_scalar)(dl_dg[p.index] * p.coefficient);
        weights[matrix_place(m, p.l, p.n_1, p.n_2)] += weight;
        weights[matrix_place(m, p.l, p.n_2, p.n_1)] += weight;
    }
    for (int l = group.l_min; l <= group.l_max; ++l) {
        for (int row = l * l; row < (l + 1) * (l + 1); ++row) {
            for (int j = 0; j < m.stride; j += W) {
                real sum = load(d + m.at(j, row));
                for (int i = 0; i < m.n; ++i)
                    sum += m.a[m.at(i, row)] * load(weights + matrix_place(m, l, i, j));
                store(d + m.at(j, row), sum);
            }
        }
    }
}

static void pull_triple(const MomentGroup& group, const Moments& m, const MomentTriple& t, double weight, nnp_scalar* d)
{
    for (int k = t.first_term; k < t.first_term + t.n_terms; ++k) {
        const TripleTerm& c = group.terms[k];
        int64_t p = m.at(t.n_1, c.row_1), q = m.at(t.n_2, c.row_2), r = m.at(t.n_3, c.row_3);
        double value = weight * c.value, first = m.a[p], second = m.a[q], third = m.a[r];
        d[p] += (nnp_scalar)(value * second * third);
        d[q] += (nnp_scalar)(value * first * third);
        d[r] += (nnp_scalar)(value * first * second);
    }
}

// d [rows][stride] = dL/dA_nlm from dL/dG.
static void pull_moments(const MomentGroup& group, const Moments& m, Arena& arena, const double* dl_dg, nnp_scalar* d)
{
    std::memset(d, 0, (int64_t)m.rows * m.stride * sizeof(nnp_scalar));
    if (!group.pairs.empty())
        pull_pairs(group, m, arena, dl_dg, d);
    for (size_t i = 0; i < group.sums.size(); ++i)
        d[m.at(group.sums[i].n, 0)] += (nnp_scalar)(dl_dg[group.sums[i].index] * group.sums[i].coefficient);
    for (size_t i = 0; i < group.triples.size(); ++i)
        pull_triple(group, m, group.triples[i], dl_dg[group.triples[i].index], d);
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        double weight = 4 * dl_dg[q.index] * q.coefficient * along_dipole(m, q.n, m.a);
        for (int row = 1; row < 4; ++row)
            d[m.at(q.n, row)] += (nnp_scalar)(weight * (double)m.a[m.at(q.n, row)]);
    }
}

// dG from dA [rows][stride].
static void push_moments(const MomentGroup& group, const Moments& m, Arena& arena, const nnp_scalar* da,
                         double* descriptors)
{
    for (size_t i = 0; i < group.indices.size(); ++i)
        descriptors[group.indices[i]] = 0;
    for (size_t i = 0; i < group.sums.size(); ++i)
        descriptors[group.sums[i].index] += group.sums[i].coefficient * (double)da[m.at(group.sums[i].n, 0)];
    if (!group.pairs.empty()) {
        nnp_scalar* products = take_matrices(arena, group, m);
        multiply_moments(group, m, m.a, da, products);
        for (size_t i = 0; i < group.pairs.size(); ++i) {
            const MomentPair& p = group.pairs[i];
            descriptors[p.index] += p.coefficient * ((double)products[matrix_place(m, p.l, p.n_1, p.n_2)] +
                                                     (double)products[matrix_place(m, p.l, p.n_2, p.n_1)]);
        }
    }
    for (size_t i = 0; i < group.triples.size(); ++i) {
        const MomentTriple& t = group.triples[i];
        double sum = 0;
        for (int k = t.first_term; k < t.first_term + t.n_terms; ++k) {
            const TripleTerm& c = group.terms[k];
            int64_t p = m.at(t.n_1, c.row_1), q = m.at(t.n_2, c.row_2), r = m.at(t.n_3, c.row_3);
            double first = m.a[p], second = m.a[q], third = m.a[r];
            sum += c.value *
                   ((double)da[p] * second * third + first * (double)da[q] * third + first * second * (double)da[r]);
        }
        descriptors[t.index] = sum;
    }
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        descriptors[q.index] = 4 * q.coefficient * along_dipole(m, q.n, m.a) * along_dipole(m, q.n, da);
    }
}

}  // namespace nnp::NNP_TARGET

#endif

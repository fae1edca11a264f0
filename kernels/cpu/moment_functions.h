// The functions of a group of moments, their pull-back and their change, once the moments of an atom are known. Moments
// stand [row of Y_lm][n, whole vectors], so that loops over n are vectors. Several members may share a place among the
// descriptors: all add to it.
#ifndef NNP_CPU_MOMENT_FUNCTIONS_H
#define NNP_CPU_MOMENT_FUNCTIONS_H

#include "moment_triples.h"

namespace nnp::NNP_TARGET
{

// What lives from the forward to the backward pass. Moments have their norms inside.
struct Moments {
    int n, stride;        // radial functions, and whole vectors of them
    int rows, first_row;  // of Y_lm: first_row .. first_row + rows - 1
    bool sees_all;        // every radial function every lane
    nnp_scalar *g, *dg;   // [n][lane] g_n and dg_n/dr
    nnp_scalar* a;        // [rows][stride]

    int64_t at(int n_, int row) const { return (int64_t)(row - first_row) * stride + n_; }
};

// A number for each (l, n, n'), as vectors over n'; of a diagonal group for each (l, n): sum_m A_nlm A_n'lm, or
// weights.
struct PairTable {
    bool diagonal;
    int functions, stride;  // n and n' are below `functions`
    nnp_scalar* values;

    int64_t rows(int l_max) const { return (int64_t)(l_max + 1) * (diagonal ? 1 : functions); }
    nnp_scalar* row(int l, int n) const { return values + ((int64_t)l * functions + n) * stride; }
    nnp_scalar* row(int l) const { return values + (int64_t)l * stride; }
    nnp_scalar* place(int l, int n_1, int n_2) const { return (diagonal ? row(l) : row(l, n_1)) + n_2; }
};

NNP_INLINE PairTable take_table(Arena& arena, const MomentGroup& group)
{
    PairTable table = {group.diagonal, group.pair_functions, round_up(group.pair_functions, W), nullptr};
    table.values = take<nnp_scalar>(arena, table.rows(group.l_max) * table.stride);
    return table;
}

// table(l, n, n') = sum_m a_nlm b_n'lm
static void multiply_moments(const MomentGroup& group, const Moments& m, const nnp_scalar* a, const nnp_scalar* b,
                             const PairTable& table)
{
    for (int l = group.l_min; l <= group.l_max; ++l) {
        const int begin = l * l, end = (l + 1) * (l + 1);
        if (table.diagonal) {
            for (int j = 0; j < table.stride; j += W) {
                real sum = {};
                for (int row = begin; row < end; ++row)
                    sum += load(a + m.at(j, row)) * load(b + m.at(j, row));
                store(table.row(l) + j, sum);
            }
            continue;
        }
        for (int i = 0; i < table.functions; ++i) {
            for (int j = 0; j < table.stride; j += W) {
                real sum = {};
                for (int row = begin; row < end; ++row)
                    sum += a[m.at(i, row)] * load(b + m.at(j, row));
                store(table.row(l, i) + j, sum);
            }
        }
    }
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
    for (size_t i = 0; i < group.sums.size(); ++i)
        descriptors[group.sums[i].index] += group.sums[i].coefficient * (double)m.a[m.at(group.sums[i].n, 0)];
    if (!group.pairs.empty()) {
        PairTable products = take_table(arena, group);
        multiply_moments(group, m, m.a, m.a, products);
        for (size_t i = 0; i < group.pairs.size(); ++i) {
            const MomentPair& p = group.pairs[i];
            descriptors[p.index] += p.coefficient * (double)*products.place(p.l, p.n_1, p.n_2);
        }
    }
    for (size_t i = 0; i < group.batches.size(); ++i) {
        BatchRows a[3];
        batch_rows(group.batches[i], m.first_row, m.a, m.stride, arena, a);
        batch_forward(group.batches[i], a, descriptors);
    }
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        double square = along_dipole(m, q.n, m.a);
        descriptors[q.index] += q.coefficient * square * square;
    }
}

// d [rows][stride] += weights of the pairs: d_nlm = sum_n' (w_nn' + w_n'n) A_n'lm.
static void pull_pairs(const MomentGroup& group, const Moments& m, Arena& arena, const double* dl_dg, nnp_scalar* d)
{
    PairTable weights = take_table(arena, group);
    std::memset(weights.values, 0, weights.rows(group.l_max) * weights.stride * sizeof(nnp_scalar));
    for (size_t i = 0; i < group.pairs.size(); ++i) {
        const MomentPair& p = group.pairs[i];
        nnp_scalar weight = (nnp_scalar)(dl_dg[p.index] * p.coefficient);
        *weights.place(p.l, p.n_1, p.n_2) += p.n_1 == p.n_2 ? 2 * weight : weight;
        if (p.n_1 != p.n_2)
            *weights.place(p.l, p.n_2, p.n_1) += weight;
    }
    for (int l = group.l_min; l <= group.l_max; ++l) {
        for (int row = l * l; row < (l + 1) * (l + 1); ++row) {
            for (int j = 0; j < weights.stride; j += W) {
                nnp_scalar* to = d + m.at(j, row);
                if (weights.diagonal) {
                    store(to, load(to) + load(weights.row(l) + j) * load(m.a + m.at(j, row)));
                    continue;
                }
                real sum = load(to);
                for (int i = 0; i < weights.functions; ++i)
                    sum += m.a[m.at(i, row)] * load(weights.row(l, i) + j);
                store(to, sum);
            }
        }
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
    for (size_t i = 0; i < group.batches.size(); ++i)
        batch_backward(group.batches[i], m.first_row, m.a, m.stride, arena, dl_dg, d);
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        double weight = 4 * dl_dg[q.index] * q.coefficient * along_dipole(m, q.n, m.a);
        for (int row = 1; row < 4; ++row)
            d[m.at(q.n, row)] += (nnp_scalar)(weight * (double)m.a[m.at(q.n, row)]);
    }
}

// dG from dA [rows][stride].
static void push_moments(const MomentGroup& group, const Moments& m, Arena& arena, nnp_scalar* da, double* descriptors)
{
    for (size_t i = 0; i < group.sums.size(); ++i)
        descriptors[group.sums[i].index] += group.sums[i].coefficient * (double)da[m.at(group.sums[i].n, 0)];
    if (!group.pairs.empty()) {
        PairTable products = take_table(arena, group);
        multiply_moments(group, m, m.a, da, products);
        for (size_t i = 0; i < group.pairs.size(); ++i) {
            const MomentPair& p = group.pairs[i];
            descriptors[p.index] += p.coefficient * ((double)*products.place(p.l, p.n_1, p.n_2) +
                                                     (double)*products.place(p.l, p.n_2, p.n_1));
        }
    }
    for (size_t i = 0; i < group.batches.size(); ++i) {
        BatchRows a[3], change[3];
        batch_rows(group.batches[i], m.first_row, m.a, m.stride, arena, a);
        batch_rows(group.batches[i], m.first_row, da, m.stride, arena, change);
        batch_push_forward(group.batches[i], a, change, descriptors);
    }
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        descriptors[q.index] += 4 * q.coefficient * along_dipole(m, q.n, m.a) * along_dipole(m, q.n, da);
    }
}

}  // namespace nnp::NNP_TARGET

#endif

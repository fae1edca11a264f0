// The functions of a group of moments, their pull-back and their change, for a batch of atoms. Functions and weights
// stand [function][atom]; several members may share a function: all add to it.
#ifndef NNP_CPU_MOMENT_FUNCTIONS_H
#define NNP_CPU_MOMENT_FUNCTIONS_H

#include "moment_triples.h"

namespace nnp::NNP_TARGET
{

// sum_m a_n1lm b_n2lm
NNP_INLINE real multiply_moments(const Moments& m, const nnp_scalar* a, const nnp_scalar* b, const MomentPair& p)
{
    a += m.at(p.n_1, p.l * p.l);
    b += m.at(p.n_2, p.l * p.l);
    real sum = {};
    for (int row = 0; row < 2 * p.l + 1; ++row)
        sum += load(a + row * W) * load(b + row * W);
    return sum;
}

// sum_m A_n1m b_n1m
NNP_INLINE real along_dipole(const Moments& m, int n, const nnp_scalar* b)
{
    real sum = {};
    for (int row = 1; row < 4; ++row)
        sum += load(m.a + m.at(n, row)) * load(b + m.at(n, row));
    return sum;
}

// The pairs from `i` on that are multiples of one product (the plan has them sorted).
static size_t end_of_product(const std::vector<MomentPair>& pairs, size_t i)
{
    const MomentPair& first = pairs[i];
    for (++i; i < pairs.size(); ++i) {
        if (pairs[i].l != first.l || pairs[i].n_1 != first.n_1 || pairs[i].n_2 != first.n_2)
            break;
    }
    return i;
}

static void functions_of_moments(const MomentGroup& group, const Moments& m, nnp_scalar* functions)
{
    for (size_t i = 0; i < group.sums.size(); ++i)
        add_lanes(functions + group.sums[i].index * W,
                  (nnp_scalar)group.sums[i].coefficient * load(m.a + m.at(group.sums[i].n, 0)));
    for (size_t i = 0; i < group.pairs.size();) {
        const real product = multiply_moments(m, m.a, m.a, group.pairs[i]);
        for (const size_t end = end_of_product(group.pairs, i); i < end; ++i)
            add_lanes(functions + group.pairs[i].index * W, (nnp_scalar)group.pairs[i].coefficient * product);
    }
    triples_forward(group, m, functions);
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        const real square = along_dipole(m, q.n, m.a);
        add_lanes(functions + q.index * W, (nnp_scalar)q.coefficient * square * square);
    }
}

// d += weight (A_n2lm for n1, A_n1lm for n2)
NNP_INLINE void pull_product(const Moments& m, const MomentPair& p, real weight)
{
    const int64_t at_1 = m.at(p.n_1, p.l * p.l), at_2 = m.at(p.n_2, p.l * p.l);
    for (int row = 0; row < 2 * p.l + 1; ++row) {
        const real a_1 = load(m.a + at_1 + row * W), a_2 = load(m.a + at_2 + row * W);
        add_lanes(m.d + at_1 + row * W, weight * a_2);
        add_lanes(m.d + at_2 + row * W, weight * a_1);
    }
}

// m.d += dL/dA_nlm from dL/dG.
static void pull_functions(const MomentGroup& group, const Moments& m, const nnp_scalar* dl_dg)
{
    for (size_t i = 0; i < group.sums.size(); ++i)
        add_lanes(m.d + m.at(group.sums[i].n, 0),
                  (nnp_scalar)group.sums[i].coefficient * load(dl_dg + group.sums[i].index * W));
    for (size_t i = 0; i < group.pairs.size();) {
        const MomentPair& product = group.pairs[i];
        real weight = {};
        for (const size_t end = end_of_product(group.pairs, i); i < end; ++i)
            weight += (nnp_scalar)group.pairs[i].coefficient * load(dl_dg + group.pairs[i].index * W);
        pull_product(m, product, weight);
    }
    triples_backward(group, m, dl_dg);
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        const real weight = (nnp_scalar)(4 * q.coefficient) * load(dl_dg + q.index * W) * along_dipole(m, q.n, m.a);
        for (int row = 1; row < 4; ++row)
            add_lanes(m.d + m.at(q.n, row), weight * load(m.a + m.at(q.n, row)));
    }
    apply_norms(group.norms.data(), m, m.d);
}

// dG from the moments' changes, which stand in m.d.
static void push_functions(const MomentGroup& group, const Moments& m, nnp_scalar* changes)
{
    for (size_t i = 0; i < group.sums.size(); ++i)
        add_lanes(changes + group.sums[i].index * W,
                  (nnp_scalar)group.sums[i].coefficient * load(m.d + m.at(group.sums[i].n, 0)));
    for (size_t i = 0; i < group.pairs.size();) {
        const MomentPair& p = group.pairs[i];
        const real product = multiply_moments(m, m.a, m.d, p) + multiply_moments(m, m.d, m.a, p);
        for (const size_t end = end_of_product(group.pairs, i); i < end; ++i)
            add_lanes(changes + group.pairs[i].index * W, (nnp_scalar)group.pairs[i].coefficient * product);
    }
    triples_push_forward(group, m, changes);
    for (size_t i = 0; i < group.quartics.size(); ++i) {
        const MomentQuartic& q = group.quartics[i];
        add_lanes(changes + q.index * W,
                  (nnp_scalar)(4 * q.coefficient) * along_dipole(m, q.n, m.a) * along_dipole(m, q.n, m.d));
    }
}

}  // namespace nnp::NNP_TARGET

#endif

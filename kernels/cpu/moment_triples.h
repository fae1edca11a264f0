// Functions of three moments, one after the other, for a batch of atoms.
#ifndef NNP_CPU_MOMENT_TRIPLES_H
#define NNP_CPU_MOMENT_TRIPLES_H

#include "moment_lanes.h"

namespace nnp::NNP_TARGET
{

static void triples_forward(const MomentGroup& group, const Moments& m, nnp_scalar* functions)
{
    for (size_t i = 0; i < group.triples.size(); ++i) {
        const MomentTriple& t = group.triples[i];
        const nnp_scalar *a_1 = m.a + m.at(t.n_1, 0), *a_2 = m.a + m.at(t.n_2, 0), *a_3 = m.a + m.at(t.n_3, 0);
        real sum = {};
        for (int k = t.first_term; k < t.first_term + t.n_terms; ++k) {
            const TripleTerm& term = group.terms[k];
            sum += (nnp_scalar)term.value * load(a_1 + term.row_1 * W) * load(a_2 + term.row_2 * W) *
                   load(a_3 + term.row_3 * W);
        }
        add_lanes(functions + t.index * W, sum);
    }
}

static void triples_backward(const MomentGroup& group, const Moments& m, const nnp_scalar* dl_dg)
{
    for (size_t i = 0; i < group.triples.size(); ++i) {
        const MomentTriple& t = group.triples[i];
        const int64_t at_1 = m.at(t.n_1, 0), at_2 = m.at(t.n_2, 0), at_3 = m.at(t.n_3, 0);
        const real slope = load(dl_dg + t.index * W);
        for (int k = t.first_term; k < t.first_term + t.n_terms; ++k) {
            const TripleTerm& term = group.terms[k];
            const int64_t to_1 = at_1 + term.row_1 * W, to_2 = at_2 + term.row_2 * W, to_3 = at_3 + term.row_3 * W;
            const real weight = (nnp_scalar)term.value * slope;
            const real a_1 = load(m.a + to_1), a_2 = load(m.a + to_2), a_3 = load(m.a + to_3);
            const real both = weight * a_3;
            add_lanes(m.d + to_1, both * a_2);
            add_lanes(m.d + to_2, both * a_1);
            add_lanes(m.d + to_3, weight * a_1 * a_2);
        }
    }
}

static void triples_push_forward(const MomentGroup& group, const Moments& m, nnp_scalar* changes)
{
    for (size_t i = 0; i < group.triples.size(); ++i) {
        const MomentTriple& t = group.triples[i];
        const int64_t at_1 = m.at(t.n_1, 0), at_2 = m.at(t.n_2, 0), at_3 = m.at(t.n_3, 0);
        real sum = {};
        for (int k = t.first_term; k < t.first_term + t.n_terms; ++k) {
            const TripleTerm& term = group.terms[k];
            const int64_t to_1 = at_1 + term.row_1 * W, to_2 = at_2 + term.row_2 * W, to_3 = at_3 + term.row_3 * W;
            const real a_1 = load(m.a + to_1), a_2 = load(m.a + to_2), a_3 = load(m.a + to_3);
            sum += (nnp_scalar)term.value *
                   (load(m.d + to_1) * a_2 * a_3 + a_1 * (load(m.d + to_2) * a_3 + a_2 * load(m.d + to_3)));
        }
        add_lanes(changes + t.index * W, sum);
    }
}

}  // namespace nnp::NNP_TARGET

#endif

// Directional derivatives of the angular functions of one atom (Jacobian-vector products). For training, so the plain
// way: each function's powers by themselves, no sharing.
#ifndef NNP_CPU_ANGULAR_PUSH_H
#define NNP_CPU_ANGULAR_PUSH_H

#include "angular_pass.h"

namespace nnp::NNP_TARGET
{

// Per triple, F the product of the factors and S the exponent's sum: F dcos, dF, F dS.
struct Changes {
    nnp_scalar *cosine, *factor, *square;
};

static void triple_changes(const AngularGroup& g, const Triples& t, int first, int lanes, const Changes& out)
{
    for (int i = 0; i < lanes; i += W) {
        int at = first + i;
        real product = load(t.product + at), along = load(t.d_opposite + at);
        real f = g.narrow ? load(t.opposite + at) : splat(1);
        real lever = t.opposite_lever ? load(t.opposite_lever + at) : splat(1);
        real d_factor = load(t.d_factor + at) * f, d_square = load(t.d_square + at);
        if (g.narrow) {
            d_factor += product * load(t.opposite_slope + at) * along;
            d_square += (nnp_scalar)2 * lever * along;
        }
        if (g.mean)
            d_square = (nnp_scalar)0.5 * load(t.square + at) * d_square;
        store(out.factor + i, d_factor);
        store(out.square + i, product * f * d_square);
        store(out.cosine + i, product * f * load(t.d_cosine + at));
    }
}

// base^n and base^(n - 1), the latter 0 where the base is.
NNP_INLINE void plain_power(real base, int n, real* value, real* slope)
{
    real power = base > real{} ? splat(1) : real{};
    for (int i = 1; i < n; ++i)
        power = power * base;
    *slope = power;
    *value = power * base;
}

// dG = sum e [q (dF - eta F dS) + F dq/dcos dcos]
static void angular_push_forward(const AngularGroup& g, Arena& arena, Triples& t, double* descriptors)
{
    nnp_scalar* data = take<nnp_scalar>(arena, 3 * BLOCK);
    Changes changes = {data, data + BLOCK, data + 2 * BLOCK};
    nnp_scalar* slots = take<nnp_scalar>(arena, (int64_t)BLOCK * g.angles.size());
    size_t n_members = g.members.size();
    for (size_t m = 0; m < n_members; ++m)
        descriptors[g.members[m].index] = 0;
    for (int first = 0; first < t.lanes; first += BLOCK) {
        Block block = block_at(t, first, nullptr);
        int lanes = block.vectors * W;
        triple_changes(g, t, first, lanes, changes);
        if (!g.slotted.empty())
            compute_angles(g, block, slots);
        for (size_t m = 0; m < n_members; ++m) {
            const AngularMember& member = g.members[m];
            const nnp_scalar* e = block.exponentials + member.exp_slot * block.stride;
            nnp_scalar eta = (nnp_scalar)g.exponentials[member.exp_slot].eta;
            nnp_scalar c = (nnp_scalar)member.value_coefficient, dc = (nnp_scalar)member.slope_coefficient;
            real sum = {};
            for (int i = 0; i < lanes; i += W) {
                real value, slope;
                if (member.value_slot < 0) {
                    nnp_scalar lambda = (nnp_scalar)member.lambda;
                    plain_power(nnp_angular_base(load(block.cosine + i), lambda), member.exponent, &value, &slope);
                } else {
                    value = load(slots + member.value_slot * BLOCK + i);
                    slope = load(slots + member.slope_slot * BLOCK + i);
                }
                sum += load(e + i) * (c * value * (load(changes.factor + i) - eta * load(changes.square + i)) +
                                      dc * slope * load(changes.cosine + i));
            }
            descriptors[member.index] += sum_lanes_double(sum);
        }
    }
}

}  // namespace nnp::NNP_TARGET

#endif

// Angle parts that are not plain powers of two: compact angles, other exponents. One array per slot and block, filled
// by the group's short program (plan.h).
#ifndef NNP_CPU_ANGLE_SLOTS_H
#define NNP_CPU_ANGLE_SLOTS_H

#include "powers.h"

namespace nnp::NNP_TARGET
{

// [slot][BLOCK]
static void compute_angles(const AngularGroup& g, const Block& block, nnp_scalar* slots)
{
    int n = (int)g.angles.size(), lanes = block.vectors * W;
    for (int s = 0; s < n; ++s) {
        const AngleSlot& slot = g.angles[s];
        const nnp_scalar* a = slot.a < 0 ? nullptr : slots + slot.a * BLOCK;
        const nnp_scalar* b = slot.b < 0 ? nullptr : slots + slot.b * BLOCK;
        nnp_scalar* out = slots + s * BLOCK;
        nnp_scalar first = (nnp_scalar)slot.first, second = (nnp_scalar)slot.second;
        for (int i = 0; i < lanes; i += W) {
            if (slot.op == AngleOp::product) {
                store(out + i, load(a + i) * load(b + i));
            } else if (slot.op == AngleOp::base) {
                store(out + i, nnp_angular_base(load(block.cosine + i), first));
            } else if (slot.op == AngleOp::step) {
                store(out + i, load(a + i) > real{} ? splat(1) : real{});
            } else if (slot.op == AngleOp::power) {
                store(out + i, nnp_angular_power(load(a + i), first));
            } else if (slot.op == AngleOp::shifted && !a) {  // the value here, its slope in the next slot
                real value, slope;
                nnp_shifted_angle(load(block.cosine + i), first, second, &value, &slope);
                store(out + i, value);
                store(out + BLOCK + i, slope);
            } else if (!a) {  // compact: likewise
                real value, slope;
                nnp_compact_angle(g.cutoff_or_core, load(block.cosine + i), first, second, &value, &slope);
                store(out + i, value);
                store(out + BLOCK + i, slope);
            }
        }
    }
}

// sums[m] += exponential * angle for the slotted members.
static void slotted_sums(const AngularGroup& g, const Block& block, const nnp_scalar* slots, real* sums)
{
    for (size_t j = 0; j < g.slotted.size(); ++j) {
        int m = g.slotted[j];
        const nnp_scalar* e = block.exponentials + g.members[m].exp_slot * block.stride;
        const nnp_scalar* a = slots + g.members[m].value_slot * BLOCK;
        real sum = sums[m];
        for (int i = 0; i < block.vectors * W; i += W)
            sum += load(e + i) * load(block.factor + i) * load(a + i);
        sums[m] = sum;
    }
}

// Adds the slotted members to the folded sums; weights by member.
static void slotted_fold(const AngularGroup& g, const Block& block, const nnp_scalar* slots, const nnp_scalar* by_value,
                         const nnp_scalar* by_slope, const Folded& out)
{
    size_t n = g.slotted.size();
    for (size_t begin = 0; begin < n;) {
        int slot = g.members[g.slotted[begin]].exp_slot;
        size_t end = begin;
        while (end < n && g.members[g.slotted[end]].exp_slot == slot)
            ++end;
        nnp_scalar eta = (nnp_scalar)g.exponentials[slot].eta;
        for (int i = 0; i < block.vectors * W; i += W) {
            real q = {}, dq = {}, e = load(block.exponentials + slot * block.stride + i);
            for (size_t j = begin; j < end; ++j) {
                int m = g.slotted[j];
                q += by_value[m] * load(slots + g.members[m].value_slot * BLOCK + i);
                dq += by_slope[m] * load(slots + g.members[m].slope_slot * BLOCK + i);
            }
            store(out.value + i, load(out.value + i) + e * q);
            store(out.by_square + i, load(out.by_square + i) + eta * (e * q));
            store(out.by_cosine + i, load(out.by_cosine + i) + e * dq);
        }
        begin = end;
    }
}

}  // namespace nnp::NNP_TARGET

#endif

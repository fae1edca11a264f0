// Angular functions of one atom over its compressed triples: forward sums the functions, backward folds their weights
// into four numbers per triple, push-forward sums directional derivatives. All three walk blocks of UNROLL vectors.
#ifndef NNP_CPU_ANGULAR_PASS_H
#define NNP_CPU_ANGULAR_PASS_H

#include "triples.h"

namespace nnp::NNP_TARGET {

constexpr int FLUSH = 16;  // blocks summed in `real` before they go to double

// Slots of one block: [slot][UNROLL].
struct Slots {
    real (*exponential)[UNROLL];
    real (*angle)[UNROLL];
};

NNP_INLINE Slots take_slots(const AngularGroup& g, Arena& arena)
{
    Slots slots;
    slots.exponential = static_cast<real(*)[UNROLL]>(arena.take(sizeof(real[UNROLL]) * g.exponentials.size()));
    slots.angle = static_cast<real(*)[UNROLL]>(arena.take(sizeof(real[UNROLL]) * (g.angles.size() + 1)));
    return slots;
}

// Exponentials that are products of others; the stored ones are there.
NNP_INLINE void multiply_exponentials(const AngularGroup& g, const Slots& slots)
{
    int n = (int)g.exponentials.size();
    for (int s = 0; s < n; ++s) {
        const ExponentialSlot& e = g.exponentials[s];
        if (e.first_factor < 0)
            continue;
        for (int u = 0; u < UNROLL; ++u)
            slots.exponential[s][u] = slots.exponential[e.first_factor][u] * slots.exponential[e.second_factor][u];
    }
}

// exp(-eta S) of the slots that are no products, kept in `stored` for the other passes.
NNP_INLINE void compute_exponentials(const AngularGroup& g, const Slots& slots, const real* square, nnp_scalar* stored,
                                     int64_t lanes)
{
    int n = (int)g.exponentials.size();
    for (int s = 0; s < n; ++s) {
        const ExponentialSlot& e = g.exponentials[s];
        if (e.stored < 0)
            continue;
        for (int u = 0; u < UNROLL; ++u) {
            real value = e.eta == 0  ? splat(1)
                         : e.eta > 0 ? exponential_below((nnp_scalar)-e.eta * square[u])
                                     : exponential((nnp_scalar)-e.eta * square[u]);
            slots.exponential[s][u] = value;
            store(stored + e.stored * lanes + u * W, value);
        }
    }
    multiply_exponentials(g, slots);
}

NNP_INLINE void load_exponentials(const AngularGroup& g, const Slots& slots, const nnp_scalar* stored, int64_t lanes)
{
    int n = (int)g.exponentials.size();
    for (int s = 0; s < n; ++s) {
        const ExponentialSlot& e = g.exponentials[s];
        if (e.stored < 0)
            continue;
        for (int u = 0; u < UNROLL; ++u)
            slots.exponential[s][u] = load(stored + e.stored * lanes + u * W);
    }
    multiply_exponentials(g, slots);
}

static void rare_angle(const AngularGroup& g, const AngleSlot& a, const Slots& slots, int s, const real* cosine)
{
    for (int u = 0; u < UNROLL; ++u) {
        if (a.op == AngleOp::step)
            slots.angle[s][u] = slots.angle[a.a][u] > real{} ? splat(1) : real{};
        else if (a.op == AngleOp::power)
            slots.angle[s][u] = nnp_angular_power(slots.angle[a.a][u], (nnp_scalar)a.first);
        else if (a.a < 0)  // compact value and, in the next slot, its slope
            nnp_compact_angle(g.cutoff_or_core, cosine[u], (nnp_scalar)a.first, (nnp_scalar)a.second,
                              &slots.angle[s][u], &slots.angle[s + 1][u]);
    }
}

NNP_INLINE void compute_angles(const AngularGroup& g, const Slots& slots, const real* cosine)
{
    int n = (int)g.angles.size();
    for (int s = 0; s < n; ++s) {
        const AngleSlot& a = g.angles[s];
        if (a.op == AngleOp::product) {
            for (int u = 0; u < UNROLL; ++u)
                slots.angle[s][u] = slots.angle[a.a][u] * slots.angle[a.b][u];
        } else if (a.op == AngleOp::base) {
            for (int u = 0; u < UNROLL; ++u)
                slots.angle[s][u] = nnp_angular_base(cosine[u], (nnp_scalar)a.first);
        } else {
            rare_angle(g, a, slots, s, cosine);
        }
    }
}

// The side j-k of a block: its factor and slope are kept, the exponent's sum completed.
template <int CUTOFF>
NNP_INLINE void opposite_side(const AngularGroup& g, Triples& t, int i, real* factor, real* square)
{
    for (int u = 0; u < UNROLL; ++u) {
        int at = i + u * W;
        real f, df, r2 = load(t.opposite + at), r = square_root(r2), inverse = (nnp_scalar)1 / r;
        distance_factor<CUTOFF>(g, r, &f, &df);
        store(t.opposite + at, f);
        store(t.opposite_slope + at, df * inverse);
        if (t.opposite_lever) {
            real beyond = r - (nnp_scalar)g.r_shift;
            store(t.opposite_lever + at, beyond * inverse);
            square[u] += beyond * beyond;
        } else {
            square[u] += r2;
        }
        factor[u] *= f;
    }
}

static void flush_sums(real* sums, double* totals, int n)
{
    for (int m = 0; m < n; ++m) {
        totals[m] += sum_lanes_double(sums[m]);
        sums[m] = real{};
    }
}

template <int CUTOFF>
static void angular_forward(const AngularGroup& g, Arena& arena, Triples& t, double* descriptors)
{
    int n_members = (int)g.members.size(), n_exp = (int)g.exponentials.size();
    int64_t lanes = round_up(t.count, BLOCK);
    Slots slots = take_slots(g, arena);
    real* sums = take<real>(arena, n_members);
    double* totals = take<double>(arena, n_members);
    for (int m = 0; m < n_members; ++m) {
        sums[m] = real{};
        totals[m] = 0;
    }
    int until_flush = FLUSH;
    for (int i = 0; i < t.count; i += BLOCK) {
        real cosine[UNROLL], factor[UNROLL], square[UNROLL];
        for (int u = 0; u < UNROLL; ++u) {
            cosine[u] = load(t.cosine + i + u * W);
            factor[u] = load(t.product + i + u * W);
            square[u] = load(t.square + i + u * W);
        }
        if (g.narrow)
            opposite_side<CUTOFF>(g, t, i, factor, square);
        compute_exponentials(g, slots, square, t.exponentials + i, lanes);
        compute_angles(g, slots, cosine);
        for (int s = 0; s < n_exp; ++s) {
            for (int u = 0; u < UNROLL; ++u)
                slots.exponential[s][u] *= factor[u];
        }
        for (int m = 0; m < n_members; ++m) {
            const real* e = slots.exponential[g.members[m].exp_slot];
            const real* a = slots.angle[g.members[m].value_slot];
            real sum = sums[m];
            for (int u = 0; u < UNROLL; ++u)
                sum += e[u] * a[u];
            sums[m] = sum;
        }
        if (--until_flush == 0) {
            flush_sums(sums, totals, n_members);
            until_flush = FLUSH;
        }
    }
    flush_sums(sums, totals, n_members);
    for (int m = 0; m < n_members; ++m)
        descriptors[g.members[m].index] = g.members[m].value_coefficient * totals[m];
}

// Adds a group's part over further rows (weighted functions see each pair of ranges once, so one call is all).
struct Folded {
    real value[UNROLL], by_square[UNROLL], by_cosine[UNROLL];  // X, Y, Z below
};

// X = sum_eta e Q, Y = sum_eta eta e Q, Z = sum_eta e dQ/dcos, Q = sum over the functions of that eta of weight times angle.
NNP_INLINE void fold(const AngularGroup& g, const Slots& slots, const nnp_scalar* by_value, const nnp_scalar* by_slope,
                     Folded& out)
{
    int n_members = (int)g.members.size();
    for (int u = 0; u < UNROLL; ++u)
        out.value[u] = out.by_square[u] = out.by_cosine[u] = real{};
    for (int m = 0; m < n_members;) {
        int slot = g.members[m].exp_slot;
        real q[UNROLL] = {}, dq[UNROLL] = {};
        for (; m < n_members && g.members[m].exp_slot == slot; ++m) {
            const real* value = slots.angle[g.members[m].value_slot];
            const real* slope = slots.angle[g.members[m].slope_slot];
            for (int u = 0; u < UNROLL; ++u) {
                q[u] += by_value[m] * value[u];
                dq[u] += by_slope[m] * slope[u];
            }
        }
        nnp_scalar eta = (nnp_scalar)g.exponentials[slot].eta;
        for (int u = 0; u < UNROLL; ++u) {
            real eq = slots.exponential[slot][u] * q[u];
            out.value[u] += eq;
            out.by_square[u] += eta * eq;
            out.by_cosine[u] += slots.exponential[slot][u] * dq[u];
        }
    }
}

static void angular_backward(const AngularGroup& g, Arena& arena, Triples& t, const double* dl_dg)
{
    int n_members = (int)g.members.size();
    int64_t lanes = round_up(t.count, BLOCK);
    Slots slots = take_slots(g, arena);
    nnp_scalar* by_value = take<nnp_scalar>(arena, n_members);
    nnp_scalar* by_slope = take<nnp_scalar>(arena, n_members);
    for (int m = 0; m < n_members; ++m) {
        by_value[m] = (nnp_scalar)(dl_dg[g.members[m].index] * g.members[m].value_coefficient);
        by_slope[m] = (nnp_scalar)(dl_dg[g.members[m].index] * g.members[m].slope_coefficient);
    }
    for (int i = 0; i < t.count; i += BLOCK) {
        real cosine[UNROLL];
        for (int u = 0; u < UNROLL; ++u)
            cosine[u] = load(t.cosine + i + u * W);
        load_exponentials(g, slots, t.exponentials + i, lanes);
        compute_angles(g, slots, cosine);
        Folded folded;
        fold(g, slots, by_value, by_slope, folded);
        for (int u = 0; u < UNROLL; ++u) {
            int at = i + u * W;
            real product = load(t.product + at);
            real f = g.narrow ? load(t.opposite + at) : splat(1);
            real b = (nnp_scalar)2 * product * f * folded.by_square[u];
            if (g.narrow) {
                real lever_b = t.opposite_lever ? load(t.opposite_lever + at) * b : b;
                store(t.opposite_slope + at, product * load(t.opposite_slope + at) * folded.value[u] - lever_b);
            }
            store(t.opposite + at, f * folded.value[u]);
            store(t.square + at, b);
            store(t.product + at, product * f * folded.by_cosine[u]);
        }
    }
}

// dG = sum e [q (dF - eta F dS) + F dq/dcos dcos], F the product of the factors.
static void angular_push_forward(const AngularGroup& g, Arena& arena, Triples& t, double* descriptors)
{
    int n_members = (int)g.members.size();
    int64_t lanes = round_up(t.count, BLOCK);
    Slots slots = take_slots(g, arena);
    double* totals = take<double>(arena, n_members);
    for (int m = 0; m < n_members; ++m)
        totals[m] = 0;
    for (int i = 0; i < t.count; i += BLOCK) {
        real cosine[UNROLL], d_factor[UNROLL], d_square[UNROLL], d_cosine[UNROLL];
        for (int u = 0; u < UNROLL; ++u) {
            int at = i + u * W;
            cosine[u] = load(t.cosine + at);
            real product = load(t.product + at), along = load(t.d_opposite + at);
            real f = g.narrow ? load(t.opposite + at) : splat(1);
            real lever = t.opposite_lever ? load(t.opposite_lever + at) : splat(1);
            d_factor[u] = load(t.d_factor + at) * f;
            d_square[u] = load(t.d_square + at);
            if (g.narrow) {
                d_factor[u] += product * load(t.opposite_slope + at) * along;
                d_square[u] += (nnp_scalar)2 * lever * along;
            }
            d_square[u] *= product * f;
            d_cosine[u] = product * f * load(t.d_cosine + at);
        }
        load_exponentials(g, slots, t.exponentials + i, lanes);
        compute_angles(g, slots, cosine);
        for (int m = 0; m < n_members; ++m) {
            const AngularMember& member = g.members[m];
            nnp_scalar eta = (nnp_scalar)g.exponentials[member.exp_slot].eta;
            nnp_scalar c = (nnp_scalar)member.value_coefficient, dc = (nnp_scalar)member.slope_coefficient;
            real sum = {};
            for (int u = 0; u < UNROLL; ++u)
                sum += slots.exponential[member.exp_slot][u] *
                       (c * slots.angle[member.value_slot][u] * (d_factor[u] - eta * d_square[u]) +
                        dc * slots.angle[member.slope_slot][u] * d_cosine[u]);
            totals[m] += sum_lanes_double(sum);
        }
    }
    for (int m = 0; m < n_members; ++m)
        descriptors[g.members[m].index] = totals[m];
}

}  // namespace nnp::NNP_TARGET

#endif

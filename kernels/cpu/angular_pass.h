// Angular functions of one atom over its compressed triples: forward sums the functions, backward folds their weights
// into four numbers per triple.
#ifndef NNP_CPU_ANGULAR_PASS_H
#define NNP_CPU_ANGULAR_PASS_H

#include "angle_slots.h"

namespace nnp::NNP_TARGET
{

constexpr int FLUSH = 4;  // blocks summed in `real` before they go to double

NNP_INLINE Block block_at(const Triples& t, int first, const nnp_scalar* factor)
{
    int lanes = t.lanes - first < BLOCK ? t.lanes - first : BLOCK;
    return {lanes / W, t.cosine + first, factor, t.exponentials + first, t.lanes};
}

// The side j-k: its factor and slope over the distance are kept; factor[] and square[] get their last part.
template <int CUTOFF>
static void opposite_side(const AngularGroup& g, Triples& t, int first, int lanes, nnp_scalar* factor,
                          nnp_scalar* square)
{
    for (int i = 0; i < lanes; i += W) {
        int at = first + i;
        real f, df, r2 = load(t.opposite + at), s = load(t.square + at);
        opposite_factor<CUTOFF>(g, r2, &f, &df);
        store(t.opposite + at, f);
        store(t.opposite_slope + at, df);
        if (t.opposite_lever) {
            real inverse = inverse_square_root(r2), beyond = r2 * inverse - (nnp_scalar)g.r_shift;
            store(t.opposite_lever + at, beyond * inverse);
            store(square + i, s + beyond * beyond);
        } else {
            store(square + i, s + r2);
        }
        store(factor + i, f * load(t.product + at));
    }
}

static void adjacent_sides_only(const AngularGroup& g, const Triples& t, int first, int lanes, nnp_scalar* factor,
                                nnp_scalar* square)
{
    for (int i = 0; i < lanes; i += W) {
        store(factor + i, load(t.product + first + i));
        real s = load(t.square + first + i);
        store(square + i, g.mean ? s * s : s);
    }
}

// exp(-eta S) of all slots, kept for the backward pass.
static void compute_exponentials(const AngularGroup& g, const Triples& t, int first, int lanes,
                                 const nnp_scalar* square)
{
    int n = (int)g.exponentials.size();
    for (int s = 0; s < n; ++s) {
        const ExponentialSlot& slot = g.exponentials[s];
        const nnp_scalar minus_eta = (nnp_scalar)-slot.eta;
        nnp_scalar* out = t.exponentials + (int64_t)s * t.lanes + first;
        if (slot.first_factor >= 0) {
            const nnp_scalar* a = t.exponentials + (int64_t)slot.first_factor * t.lanes + first;
            const nnp_scalar* b = t.exponentials + (int64_t)slot.second_factor * t.lanes + first;
            for (int i = 0; i < lanes; i += W)
                store(out + i, load(a + i) * load(b + i));
        } else if (slot.eta > 0) {
            for (int i = 0; i < lanes; i += W)
                store(out + i, exponential_below(minus_eta * load(square + i)));
        } else {
            for (int i = 0; i < lanes; i += W)
                store(out + i, slot.eta == 0 ? splat(1) : exponential(minus_eta * load(square + i)));
        }
    }
}

// Sums in `real` of one group: [task][exponential][level], then one per member.
struct Sums {
    real* vectors;
    double* totals;
    int n, first_member;
};

static Sums take_sums(const AngularGroup& g, Arena& arena)
{
    Sums sums;
    sums.first_member = (int)g.tasks.size() * MOST_EXPONENTIALS * MOST_LEVELS;
    sums.n = sums.first_member + (int)g.members.size();
    sums.vectors = take<real>(arena, sums.n);
    sums.totals = take<double>(arena, sums.n);
    std::memset(sums.vectors, 0, sums.n * sizeof(real));
    std::memset(sums.totals, 0, sums.n * sizeof(double));
    return sums;
}

static void flush(const AngularGroup& g, Sums& sums)
{
    auto move = [&](int at) {
        sums.totals[at] += sum_lanes_double(sums.vectors[at]);
        sums.vectors[at] = real{};
    };
    for (size_t k = 0; k < g.tasks.size(); ++k) {
        for (int i = 0; i < g.tasks[k].n_exponentials * g.tasks[k].n_levels; ++i)
            move((int)k * MOST_EXPONENTIALS * MOST_LEVELS + i);
    }
    for (size_t j = 0; j < g.slotted.size(); ++j)
        move(sums.first_member + g.slotted[j]);
}

static void write_descriptors(const AngularGroup& g, const Sums& sums, double* descriptors)
{
    auto write = [&](int member, int at) {
        if (member >= 0)
            descriptors[g.members[member].index] = g.members[member].value_coefficient * sums.totals[at];
    };
    for (size_t k = 0; k < g.tasks.size(); ++k) {
        const PowerTask& task = g.tasks[k];
        for (int e = 0; e < task.n_exponentials; ++e) {
            for (int l = 0; l < task.n_levels; ++l)
                write(task.members[e][l], (int)k * MOST_EXPONENTIALS * MOST_LEVELS + e * task.n_levels + l);
        }
    }
    for (size_t j = 0; j < g.slotted.size(); ++j)
        write(g.slotted[j], sums.first_member + g.slotted[j]);
}

template <int CUTOFF>
static void angular_forward(const AngularGroup& g, Arena& arena, Triples& t, double* descriptors)
{
    nnp_scalar* factor = take<nnp_scalar>(arena, 2 * BLOCK);
    nnp_scalar* square = factor + BLOCK;
    nnp_scalar* slots = take<nnp_scalar>(arena, (int64_t)BLOCK * g.angles.size());
    Sums sums = take_sums(g, arena);
    int until_flush = FLUSH;
    for (int first = 0; first < t.lanes; first += BLOCK) {
        Block block = block_at(t, first, factor);
        int lanes = block.vectors * W;
        if (g.narrow)
            opposite_side<CUTOFF>(g, t, first, lanes, factor, square);
        else
            adjacent_sides_only(g, t, first, lanes, factor, square);
        compute_exponentials(g, t, first, lanes, square);
        for (size_t k = 0; k < g.tasks.size(); ++k)
            choose_power_sums(g.tasks[k])(g.tasks[k], block, sums.vectors + k * MOST_EXPONENTIALS * MOST_LEVELS);
        if (!g.slotted.empty()) {
            compute_angles(g, block, slots);
            slotted_sums(g, block, slots, sums.vectors + sums.first_member);
        }
        if (--until_flush == 0) {
            flush(g, sums);
            until_flush = FLUSH;
        }
    }
    flush(g, sums);
    write_descriptors(g, sums, descriptors);
}

// Weights of the functions in `real`: by member, and for the tasks as their kernels read them.
struct Weights {
    nnp_scalar *by_value, *by_slope;            // [member]
    nnp_scalar *task_value, *task_slope, *eta;  // [task][exponential][level], [task][exponential]
};

static Weights take_weights(const AngularGroup& g, Arena& arena, const double* dl_dg)
{
    size_t n_members = g.members.size(), n_tasks = g.tasks.size();
    size_t per_task = MOST_EXPONENTIALS * MOST_LEVELS;
    Weights w;
    w.by_value = take<nnp_scalar>(arena, n_members);
    w.by_slope = take<nnp_scalar>(arena, n_members);
    w.task_value = take<nnp_scalar>(arena, n_tasks * per_task + 1);
    w.task_slope = take<nnp_scalar>(arena, n_tasks * per_task + 1);
    w.eta = take<nnp_scalar>(arena, n_tasks * MOST_EXPONENTIALS + 1);
    for (size_t m = 0; m < n_members; ++m) {
        w.by_value[m] = (nnp_scalar)(dl_dg[g.members[m].index] * g.members[m].value_coefficient);
        w.by_slope[m] = (nnp_scalar)(dl_dg[g.members[m].index] * g.members[m].slope_coefficient);
    }
    for (size_t k = 0; k < n_tasks; ++k) {
        const PowerTask& task = g.tasks[k];
        for (int e = 0; e < task.n_exponentials; ++e) {
            w.eta[k * MOST_EXPONENTIALS + e] = (nnp_scalar)g.exponentials[task.exp_slots[e]].eta;
            for (int l = 0; l < task.n_levels; ++l) {
                int m = task.members[e][l];
                size_t at = k * per_task + e * task.n_levels + l;
                w.task_value[at] = m < 0 ? 0 : w.by_value[m];
                w.task_slope[at] = m < 0 ? 0 : w.by_slope[m];
            }
        }
    }
    return w;
}

// The five numbers that expand_rows takes to the neighbours.
static void finish_backward(const AngularGroup& g, Triples& t, int first, int lanes, const Folded& folded)
{
    bool shift = g.has_lever();
    for (int i = 0; i < lanes; i += W) {
        int at = first + i;
        real product = load(t.product + at), value = load(folded.value + i);
        real factor = g.narrow ? product * load(t.opposite + at) : product;
        real slope = g.mean ? load(t.square + at) : splat(2);  // d(square)/dr of a side over its lever
        real b = slope * factor * load(folded.by_square + i), q = {};
        real by_cosine = factor * load(folded.by_cosine + i);
        if (g.narrow) {
            real lever_b = t.opposite_lever ? load(t.opposite_lever + at) * b : b;
            q = product * load(t.opposite_slope + at) * value - lever_b;
            store(t.opposite_slope + at, q);
        }
        store(t.cosine + at, load(t.cosine + at) * by_cosine);
        store(t.product + at, by_cosine);
        store(t.square + at, shift ? b : q - b);
        store(t.opposite + at, factor * value);
    }
}

static void angular_backward(const AngularGroup& g, Arena& arena, Triples& t, const double* dl_dg)
{
    Weights w = take_weights(g, arena, dl_dg);
    nnp_scalar* slots = take<nnp_scalar>(arena, (int64_t)BLOCK * g.angles.size());
    nnp_scalar* data = take<nnp_scalar>(arena, 3 * BLOCK);
    Folded folded = {data, data + BLOCK, data + 2 * BLOCK};
    for (int first = 0; first < t.lanes; first += BLOCK) {
        Block block = block_at(t, first, nullptr);
        std::memset(data, 0, 3 * BLOCK * sizeof(nnp_scalar));
        for (size_t k = 0; k < g.tasks.size(); ++k) {
            size_t at = k * MOST_EXPONENTIALS * MOST_LEVELS;
            choose_power_fold(g.tasks[k])(g.tasks[k], block, w.task_value + at, w.task_slope + at,
                                          w.eta + k * MOST_EXPONENTIALS, folded);
        }
        if (!g.slotted.empty()) {
            compute_angles(g, block, slots);
            slotted_fold(g, block, slots, w.by_value, w.by_slope, folded);
        }
        finish_backward(g, t, first, block.vectors * W, folded);
    }
}

}  // namespace nnp::NNP_TARGET

#endif

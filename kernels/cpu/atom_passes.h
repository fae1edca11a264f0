// The families of functions that go atom by atom, one after the other: forward, back, and their change. Functions of
// moments wait for a batch of atoms (moment_pass.h).
#ifndef NNP_CPU_ATOM_PASSES_H
#define NNP_CPU_ATOM_PASSES_H

#include "angular_push.h"
#include "compact_pass.h"
#include "moment_pass.h"
#include "radial_pass.h"

namespace nnp::NNP_TARGET
{

namespace
{

// Adds the time of a scope to one phase; nothing unless built with NNP_PROFILE.
struct Timed {
#if NNP_PROFILE && defined(__SSE2__)
    Timed(ThreadState& state, Phase phase) : state(state), phase(phase), start(__rdtsc()) {}
    ~Timed() { state.ticks[phase] += __rdtsc() - start; }
    ThreadState& state;
    Phase phase;
    uint64_t start;
#else
    Timed(ThreadState&, Phase) {}
    ~Timed() {}
#endif
};

// Everything of one atom that lives from the forward to the backward pass.
struct Kept {
    RadialSlopes* radial;
    Triples* angular;
    Compact* compact;
    KeptMoments* moments;
    Side* sides;  // [n_elements] and all: those of count -1 nobody asked for
};

template <bool PUSH>
void build_triples(const AngularGroup& g, const Neighbors& nb, double cutoff, Arena& arena, Triples& t)
{
    Rows rows = rows_of(g, nb);
    t = Triples{};
    make_sides(g, nb, arena, t.sides);
    take_triples(arena, rows, PUSH, t);
    bool checked = g.compact || g.radius < cutoff;
    auto compress = !g.narrow ? compress_rows<false, true, PUSH>
                    : checked ? compress_rows<true, true, PUSH>
                              : compress_rows<true, false, PUSH>;
    compress(g, nb, rows, t);
    pad_triples(g, PUSH, t);
    take_forward(g, arena, t);
}

void sum_angular(const AngularGroup& g, Arena& arena, Triples& t, double* descriptors)
{
    if (!g.compact && g.cutoff_or_core == NNP_CUTOFF_COSINE)
        angular_forward<NNP_CUTOFF_COSINE>(g, arena, t, descriptors);
    else if (!g.compact && g.cutoff_or_core == NNP_CUTOFF_TANH)
        angular_forward<NNP_CUTOFF_TANH>(g, arena, t, descriptors);
    else
        angular_forward<-1>(g, arena, t, descriptors);
}

// The sides of compact functions, each sorted once for all groups of an atom.
void forward_compact(const ElementPlan& plan, const Neighbors& nb, const Task& task, ThreadState& state,
                     double* descriptors, Kept& kept)
{
    const size_t n = plan.compact.size();
    if (n == 0)
        return;
    const bool push = task.mode == Mode::push_forward;
    kept.compact = take<Compact>(state.arena, n);
    kept.sides = take<Side>(state.arena, task.n_elements + 1);
    for (int e = 0; e <= task.n_elements; ++e)
        kept.sides[e].count = -1;
    auto side = [&](int element) {
        Side& s = kept.sides[element == ANY_ELEMENT ? task.n_elements : element];
        if (s.count < 0)
            s = make_side(nb, element, task.n_elements, push, state.arena);
        return &s;
    };
    for (size_t i = 0; i < n; ++i) {
        const CompactGroup& g = plan.compact[i];
        Side *one = side(g.neighbor_1), *two = side(g.neighbor_2);
        const bool swapped = two->count < one->count;  // few rows, and long
        take_compact(g, swapped ? two : one, swapped ? one : two, push, state.arena, kept.compact[i]);
        compact_forward(g, state.passing, kept.compact[i], descriptors);
    }
}

void forward(const ElementPlan& plan, const Neighbors& nb, const Task& task, ThreadState& state, double* descriptors,
             Kept& kept)
{
    size_t n_radial = plan.radial.size(), n_angular = plan.angular.size();
    kept.radial = take<RadialSlopes>(state.arena, n_radial + 1);
    kept.angular = take<Triples>(state.arena, n_angular + 1);
    {
        Timed timed(state, RADIAL);
        for (size_t i = 0; i < n_radial; ++i)
            radial_forward(plan.radial[i], nb, state.arena, descriptors, kept.radial[i]);
    }
    for (size_t i = 0; i < n_angular; ++i) {
        const AngularGroup& g = plan.angular[i];
        Triples& t = kept.angular[i];
        {
            Timed timed(state, TRIPLES);
            if (task.mode == Mode::push_forward)
                build_triples<true>(g, nb, task.cutoff, state.arena, t);
            else
                build_triples<false>(g, nb, task.cutoff, state.arena, t);
        }
        Timed timed(state, ANGULAR);
        sum_angular(g, state.arena, t, descriptors);
        state.triples += t.count;
    }
    Timed timed(state, ANGULAR);
    forward_compact(plan, nb, task, state, descriptors, kept);
}

void backward_compact(const ElementPlan& plan, const Neighbors& nb, Kept& kept, int n_elements, const double* dl_dg,
                      ThreadState& state)
{
    if (plan.compact.empty())
        return;
    for (size_t i = 0; i < plan.compact.size(); ++i)
        compact_backward(plan.compact[i], state.passing, kept.compact[i], dl_dg);
    for (int e = 0; e <= n_elements; ++e) {
        if (kept.sides[e].count >= 0)
            deliver(kept.sides[e], nb);
    }
}

void backward(const ElementPlan& plan, const Neighbors& nb, Kept& kept, int n_elements, const double* dl_dg,
              ThreadState& state)
{
    size_t n_radial = plan.radial.size(), n_angular = plan.angular.size();
    for (size_t i = 0; i < n_radial; ++i)
        radial_backward(plan.radial[i], nb, kept.radial[i], dl_dg);
    for (size_t i = 0; i < n_angular; ++i) {
        const AngularGroup& g = plan.angular[i];
        {
            Timed timed(state, ANGULAR_BACK);
            angular_backward(g, state.arena, kept.angular[i], dl_dg);
        }
        Timed timed(state, EXPAND);
        bool shift = g.has_lever();
        auto expand = g.narrow ? (shift ? expand_rows<true, true> : expand_rows<true, false>)
                               : (shift ? expand_rows<false, true> : expand_rows<false, false>);
        expand(nb, rows_of(g, nb), kept.angular[i]);
    }
    Timed timed(state, ANGULAR_BACK);
    backward_compact(plan, nb, kept, n_elements, dl_dg, state);
}

void push_forward(const ElementPlan& plan, const Neighbors& nb, Kept& kept, double* descriptors, ThreadState& state)
{
    size_t n_radial = plan.radial.size(), n_angular = plan.angular.size();
    for (size_t i = 0; i < n_radial; ++i)
        radial_push_forward(plan.radial[i], nb, kept.radial[i], descriptors);
    for (size_t i = 0; i < n_angular; ++i)
        angular_push_forward(plan.angular[i], state.arena, kept.angular[i], descriptors);
    for (size_t i = 0; i < plan.compact.size(); ++i)
        compact_push_forward(plan.compact[i], state.passing, kept.compact[i], descriptors);
}

}  // namespace

}  // namespace nnp::NNP_TARGET

#endif

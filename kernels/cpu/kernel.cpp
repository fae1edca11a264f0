// One atom after the other: neighbours, functions, network, gradient. Compiled once per instruction set and precision
// (NNP_TARGET, NNP_TARGET_NAME, NNP_SINGLE); nothing in here may be called from code outside its namespace except
// through `kernel`, and it calls no inline function of the standard library that another build might share.
#include "angular_push.h"
#include "compact_pass.h"
#include "moment_pass.h"
#include "network_pass.h"
#include "radial_pass.h"
#include "repulsion_pass.h"
#include "scatter.h"

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
    kept.compact = take<Compact>(state.arena, n);
    kept.sides = take<Side>(state.arena, task.n_elements + 1);
    for (int e = 0; e <= task.n_elements; ++e)
        kept.sides[e].count = -1;
    auto side = [&](int element) {
        Side& s = kept.sides[element == ANY_ELEMENT ? task.n_elements : element];
        if (s.count < 0)
            s = make_side(nb, element, task.n_elements, task.mode == Mode::push_forward, state.arena);
        return &s;
    };
    for (size_t i = 0; i < n; ++i) {
        const CompactGroup& g = plan.compact[i];
        take_compact(g, side(g.neighbor_1), side(g.neighbor_2), state.arena, kept.compact[i]);
        compact_forward(g, state.arena, kept.compact[i], descriptors);
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
    kept.moments = take<KeptMoments>(state.arena, plan.moments.size() + 1);
    for (size_t i = 0; i < plan.moments.size(); ++i)
        moment_forward(plan.moments[i], nb, task, state.arena, descriptors, kept.moments[i]);
    forward_compact(plan, nb, task, state, descriptors, kept);
}

void backward_compact(const ElementPlan& plan, const Neighbors& nb, Kept& kept, int n_elements, const double* dl_dg,
                      ThreadState& state)
{
    if (plan.compact.empty())
        return;
    for (size_t i = 0; i < plan.compact.size(); ++i)
        compact_backward(plan.compact[i], state.arena, kept.compact[i], dl_dg);
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
    for (size_t i = 0; i < plan.moments.size(); ++i)
        moment_backward(plan.moments[i], nb, n_elements, state.arena, kept.moments[i], dl_dg);
    backward_compact(plan, nb, kept, n_elements, dl_dg, state);
}

void push_forward(const ElementPlan& plan, const Neighbors& nb, Kept& kept, int n_elements, double* descriptors,
                  Arena& arena)
{
    size_t n_radial = plan.radial.size(), n_angular = plan.angular.size();
    for (size_t i = 0; i < n_radial; ++i)
        radial_push_forward(plan.radial[i], nb, kept.radial[i], descriptors);
    for (size_t i = 0; i < n_angular; ++i)
        angular_push_forward(plan.angular[i], arena, kept.angular[i], descriptors);
    for (size_t i = 0; i < plan.moments.size(); ++i)
        moment_push_forward(plan.moments[i], nb, n_elements, arena, kept.moments[i], descriptors);
    for (size_t i = 0; i < plan.compact.size(); ++i)
        compact_push_forward(plan.compact[i], arena, kept.compact[i], descriptors);
}

// Functions outside their range by more than the tolerance.
void check_ranges(const Inputs& inputs, const double* descriptors, double tolerance, int64_t atom, ThreadState& state)
{
    const double *low = inputs.minimum.data(), *high = inputs.maximum.data();
    const int n = (int)inputs.minimum.size();
    int outside = 0;
    for (int s = 0; s < n; ++s) {
        double margin = tolerance * (high[s] - low[s]);
        outside |= (descriptors[s] < low[s] - margin) | (descriptors[s] > high[s] + margin);
    }
    for (int s = 0; outside && s < n; ++s) {
        double margin = tolerance * (high[s] - low[s]);
        if (descriptors[s] < low[s] - margin)
            state.flag(atom, s, descriptors[s] - low[s]);
        else if (descriptors[s] > high[s] + margin)
            state.flag(atom, s, descriptors[s] - high[s]);
    }
}

// An atom between its functions and the way back.
struct Work {
    int64_t rank, atom;
    int element;
    bool waits;  // for its network
    Neighbors nb;
    Kept kept;
    double *descriptors, *dl_dg;
};

void take_energy(const Task& t, Work& w, double output, ThreadState& state)
{
    const Element& element = t.model->elements[w.element];
    double energy = t.model->energy_scale * output + element.energy_offset + repel(element, w.nb);
    t.energies[w.atom] = energy;
    if (std::isfinite(energy))
        return;
    int s = 0, n = (int)element.functions.size();
    while (s < n && std::isfinite(w.descriptors[s]))
        ++s;
    state.failure.report(FailureKind::not_finite, w.atom, -1, s < n ? w.descriptors[s] : energy, s < n ? s : -1);
}

// Energies of B atoms of an element: scaling, networks and their derivatives by the raw functions.
template <int B>
void evaluate_energies(const Task& t, Work* const* works, ThreadState& state)
{
    const int element = works[0]->element;
    const Inputs& inputs = (*t.plan)[element].inputs;
    const double *factor = inputs.factor.data(), *offset = inputs.offset.data();
    const int n = (int)inputs.factor.size();
    Of<B> input, d_input;
    take_each<B>(state.arena, round_up(n, W) + W, input);
    take_each<B>(state.arena, round_up(n, W) + W, d_input);
    for (int b = 0; b < B; ++b) {
        for (int s = 0; s < n; ++s)
            input[b][s] = (nnp_scalar)(factor[s] * works[b]->descriptors[s] + offset[s]);
    }
    double outputs[B];
    run_networks<B>(t.model->elements[element], t.networks[element], t.model->twist, input, t.gradient, state.arena,
                    d_input, outputs);
    for (int b = 0; b < B; ++b) {
        take_energy(t, *works[b], outputs[b], state);
        works[b]->waits = false;
        const double scale = t.model->energy_scale;
        for (int s = 0; t.gradient && s < n; ++s)
            works[b]->dl_dg[s] = scale * factor[s] * (double)d_input[b][s];
    }
}

// Atoms of one element in batches of four or two, as they come.
void evaluate_networks(const Task& t, Work* works, int n, ThreadState& state)
{
    Timed timed(state, NETWORK);
    for (int count = 1; count > 0;) {
        Work* same[NETWORK_BATCH];
        count = 0;
        for (int i = 0; i < n && count < NETWORK_BATCH; ++i) {
            if (works[i].waits && (count == 0 || works[i].element == same[0]->element))
                same[count++] = works + i;
        }
        if (count == NETWORK_BATCH)
            evaluate_energies<NETWORK_BATCH>(t, same, state);
        else if (count > 1)
            evaluate_energies<2>(t, same, state);
        else if (count == 1)
            evaluate_energies<1>(t, same, state);
    }
}

// False where atoms lie on one another, which is reported.
bool evaluate_functions(const Task& t, int64_t rank, ThreadState& state, Work& w)
{
    w.rank = rank;
    w.atom = t.list.order[rank];
    w.element = t.list.elements[rank];
    w.waits = t.mode == Mode::evaluate;
    w.nb = {};
    const ElementPlan& plan = (*t.plan)[w.element];
    const int64_t n = (int64_t)t.model->elements[w.element].functions.size();
    {
        Timed timed(state, GATHER);
        if (!gather(t, state, rank, !plan.angular.empty() || !plan.compact.empty(), w.nb))
            return false;
    }
    bool push = t.mode == Mode::push_forward;
    if (push)
        gather_displacements(t, rank, w.nb);
    w.descriptors = take_zeros<double>(state.arena, n + 1);
    w.dl_dg = take<double>(state.arena, n + 1);
    forward(plan, w.nb, t, state, w.descriptors, w.kept);
    if (push) {
        std::memset(w.descriptors, 0, n * sizeof(double));
        push_forward(plan, w.nb, w.kept, t.n_elements, w.descriptors, state.arena);
    }
    if (t.descriptors)
        std::memcpy(t.descriptors + t.offsets[w.atom], w.descriptors, n * sizeof(double));
    if (t.mode == Mode::evaluate)
        check_ranges(plan.inputs, w.descriptors, t.extrapolation_tolerance, w.atom, state);
    return true;
}

void push_back(const Task& t, Work& w, ThreadState& state)
{
    const double* dl_dg = t.mode == Mode::pull_back ? t.dl_dg + t.offsets[w.atom] : w.dl_dg;
    backward((*t.plan)[w.element], w.nb, w.kept, t.n_elements, dl_dg, state);
    Timed timed(state, SCATTER);
    scatter(t, state, w.rank, w.nb);
}

void process(const Task& task, ThreadState& state, int64_t begin, int64_t end)
{
    Work works[MOST_TOGETHER];
    for (int64_t rank = begin; rank < end;) {
        state.arena.rewind();
        int n = 0;
        for (; rank < end && n < task.together; ++rank)
            n += evaluate_functions(task, rank, state, works[n]);
        if (task.mode == Mode::evaluate)
            evaluate_networks(task, works, n, state);
        for (int i = 0; task.gradient && i < n; ++i)
            push_back(task, works[i], state);
    }
}

#if NNP_SINGLE
constexpr Within within = nullptr;
#else
int within(const Coordinates& points, int begin, int end, const double* centre, double reach2, int32_t* out)
{
    const real x = splat(centre[0]), y = splat(centre[1]), z = splat(centre[2]), reach = splat(reach2);
    int count = 0;
    for (int p = begin; p < end; p += W) {
        real dx = load(points.x + p) - x, dy = load(points.y + p) - y, dz = load(points.z + p) - z;
        Mask mask = lanes_less(dx * dx + dy * dy + dz * dz, reach);
        if (end - p < W)
            mask &= (1u << (end - p)) - 1u;
        store_lane_numbers(out + count, mask, p);
        count += __builtin_popcount(mask);
    }
    return count;
}
#endif

}  // namespace

extern const Kernel kernel;
const Kernel kernel = {NNP_TARGET_NAME, network_bytes, pack_network, process, within};

}  // namespace nnp::NNP_TARGET

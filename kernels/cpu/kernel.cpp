// Batches of atoms of one element: neighbours and functions atom by atom, then what takes all atoms of a batch at once
// (functions of moments, ranges, networks), then the way back atom by atom. Compiled once per instruction set and
// precision (NNP_TARGET, NNP_TARGET_NAME, NNP_SINGLE); nothing in here may be called from code outside its namespace
// except through `kernel`, and it calls no inline function of the standard library that another build might share.
#include "atom_passes.h"
#include "network_pass.h"
#include "repulsion_pass.h"
#include "scatter.h"

namespace nnp::NNP_TARGET
{

namespace
{

// An atom between its functions and the way back.
struct Work {
    int64_t rank, atom;
    Neighbors nb;
    Kept kept;
    double* own;              // [function] of families that go atom by atom, zero of the others
    const double* own_dl_dg;  // [function]
};

// Atoms of one element, whose functions stand [function][width].
struct Batch {
    int element, count, n_functions;
    int width;  // W where there are moments
    const ElementPlan* plan;
    bool atomwise;  // whether there are functions of other families than moments
    Work works[W];
    GroupLanes* groups;             // of moments
    double* descriptors;            // [n_functions][W]
    nnp_scalar *functions, *dl_dg;  // the same, of moments alone; derivatives by all
};

// For `most` atoms at most.
void take_batch(const Task& t, int element, int most, Arena& arena, Batch& b)
{
    b.element = element;
    b.count = 0;
    b.functions = b.dl_dg = nullptr;
    b.plan = &(*t.plan)[element];
    b.n_functions = (int)t.model->elements[element].functions.size();
    b.atomwise = !b.plan->radial.empty() || !b.plan->angular.empty() || !b.plan->compact.empty();
    b.groups = take<GroupLanes>(arena, b.plan->moments.size() + 1);
    for (size_t i = 0; i < b.plan->moments.size(); ++i)
        b.groups[i] = take_group(b.plan->moments[i], t.n_elements, arena);
    b.width = b.plan->moments.empty() ? most : W;
    const int64_t size = (int64_t)b.n_functions * b.width;
    b.descriptors = take<double>(arena, size);
    if (b.plan->moments.empty())
        return;
    b.functions = take_zeros<nnp_scalar>(arena, size);
    b.dl_dg = take_zeros<nnp_scalar>(arena, size);
}

// Whether any of the batch's values lies outside the margins.
bool any_outside(const Inputs& inputs, double tolerance, const Batch& b)
{
    const double *low = inputs.minimum.data(), *high = inputs.maximum.data(), *values = b.descriptors;
    const int n = b.n_functions;
    if (b.width == W) {
        wide_int outside = {};
        for (int s = 0; s < n; ++s) {
            const double margin = tolerance * (high[s] - low[s]);
            for (int k = 0; k < W; k += WIDE) {
                const wide value = load_doubles(values + (int64_t)s * W + k);
                outside |= (value < wide{} + (low[s] - margin)) | (value > wide{} + (high[s] + margin));
            }
        }
        return sum_wide(outside) != 0;
    }
    int outside = 0;
    const int64_t width = b.width;
    for (int lane = 0; lane < b.count; ++lane, ++values) {
        for (int s = 0; s < n; ++s) {
            const double margin = tolerance * (high[s] - low[s]), value = values[s * width];
            outside |= (value < low[s] - margin) | (value > high[s] + margin);
        }
    }
    return outside != 0;
}

// Reports functions outside their range by more than the tolerance.
void check_ranges(const Task& t, const Batch& b, ThreadState& state)
{
    const Inputs& inputs = b.plan->inputs;
    if (!any_outside(inputs, t.extrapolation_tolerance, b))
        return;
    const double* values = b.descriptors;
    for (int s = 0; s < b.n_functions; ++s, values += b.width) {
        const double low = inputs.minimum[s], high = inputs.maximum[s];
        const double margin = t.extrapolation_tolerance * (high - low);
        for (int lane = 0; lane < b.count; ++lane) {
            if (values[lane] < low - margin)
                state.flag(b.works[lane].atom, s, values[lane] - low);
            else if (values[lane] > high + margin)
                state.flag(b.works[lane].atom, s, values[lane] - high);
        }
    }
}

void take_energy(const Task& t, const Batch& b, int lane, double output, ThreadState& state)
{
    const Element& element = t.model->elements[b.element];
    const Work& w = b.works[lane];
    double energy = t.model->energy_scale * output + element.energy_offset + repel(element, w.nb);
    t.energies[w.atom] = energy;
    if (std::isfinite(energy))
        return;
    int s = 0;
    while (s < b.n_functions && std::isfinite(b.descriptors[(int64_t)s * b.width + lane]))
        ++s;
    const bool found = s < b.n_functions;
    state.failure.report(FailureKind::not_finite, w.atom, -1,
                         found ? b.descriptors[(int64_t)s * b.width + lane] : energy, found ? s : -1);
}

// Energies of B of the batch's atoms: scaling, networks and their derivatives by the raw functions.
template <int B>
void evaluate_energies(const Task& t, Batch& b, int first, ThreadState& state)
{
    const Inputs& inputs = b.plan->inputs;
    const int n = b.n_functions;
    Of<B> input, d_input;
    take_each<B>(state.arena, round_up(n, W) + W, input);
    take_each<B>(state.arena, round_up(n, W) + W, d_input);
    const double *factor = inputs.factor.data(), *offset = inputs.offset.data();
    const int64_t width = b.width;
    for (int i = 0; i < B; ++i) {
        const double* g = b.descriptors + first + i;
        for (int s = 0; s < n; ++s)
            input[i][s] = (nnp_scalar)(factor[s] * g[s * width] + offset[s]);
    }
    double outputs[B];
    run_networks<B>(t.model->elements[b.element], t.networks[b.element], t.model->twist, input, t.gradient, state.arena,
                    d_input, outputs);
    for (int i = 0; i < B; ++i)
        take_energy(t, b, first + i, outputs[i], state);
    for (int i = 0; t.gradient && i < B; ++i) {
        double* own = take<double>(state.arena, n);
        b.works[first + i].own_dl_dg = own;
        const double scale = t.model->energy_scale;
        for (int s = 0; s < n; ++s)
            own[s] = scale * factor[s] * (double)d_input[i][s];
        for (int s = 0; b.dl_dg && s < n; ++s)
            b.dl_dg[(int64_t)s * W + first + i] = (nnp_scalar)own[s];
    }
}

// Atoms in eights, fours, twos and ones.
void evaluate_networks(const Task& t, Batch& b, ThreadState& state)
{
    Timed timed(state, NETWORK);
    int lane = 0;
    for (; lane + NETWORK_BATCH <= b.count; lane += NETWORK_BATCH)
        evaluate_energies<NETWORK_BATCH>(t, b, lane, state);
    for (; lane + 4 <= b.count; lane += 4)
        evaluate_energies<4>(t, b, lane, state);
    for (; lane + 2 <= b.count; lane += 2)
        evaluate_energies<2>(t, b, lane, state);
    if (lane < b.count)
        evaluate_energies<1>(t, b, lane, state);
}

// Neighbours, functions and moments of one more atom. Nothing but a report where atoms lie on one another.
void add_atom(const Task& t, int64_t rank, ThreadState& state, Batch& b)
{
    const ElementPlan& plan = *b.plan;
    Work& w = b.works[b.count];
    w.rank = rank;
    w.atom = t.list.order[rank];
    w.nb = {};
    const bool push = t.mode == Mode::push_forward;
    {
        Timed timed(state, GATHER);
        if (!gather(t, state, rank, !plan.angular.empty() || !plan.compact.empty(), w.nb))
            return;
    }
    if (push)
        gather_displacements(t, rank, w.nb);
    if (b.atomwise) {
        w.own = take_zeros<double>(state.arena, b.n_functions);
        forward(plan, w.nb, t, state, w.own, w.kept);
        if (push) {
            std::memset(w.own, 0, b.n_functions * sizeof(double));
            push_forward(plan, w.nb, w.kept, w.own, state);
        }
    }
    Timed timed(state, ANGULAR);
    w.kept.moments = take<KeptMoments>(state.arena, plan.moments.size() + 1);
    for (size_t i = 0; i < plan.moments.size(); ++i) {
        moments_of_atom(plan.moments[i], w.nb, plan.reach.data(), t.n_elements, b.count, state, w.kept.moments[i],
                        b.groups[i]);
        if (push)
            push_atom(plan.moments[i], w.nb, t.n_elements, b.count, state, w.kept.moments[i], b.groups[i]);
    }
    ++b.count;
}

// Functions of moments, or their changes, and all families' together, once all atoms are there.
void finish_functions(const Task& t, const Batch& b, ThreadState& state)
{
    Timed timed(state, ANGULAR);
    for (size_t i = 0; i < b.plan->moments.size(); ++i) {
        if (t.mode == Mode::push_forward)
            moment_push_forward(b.plan->moments[i], t.n_elements, b.groups[i], b.functions);
        else
            moment_forward(b.plan->moments[i], t.n_elements, b.groups[i], b.functions);
    }
    const bool moments = !b.plan->moments.empty();
    for (int64_t k = 0; moments && k < (int64_t)b.n_functions * W; k += WIDE)
        store_doubles(b.descriptors + k, load_wide(b.functions + k));
    for (int lane = 0; lane < b.count; ++lane) {
        double* own = b.descriptors + lane;
        for (int s = 0; b.atomwise && s < b.n_functions; ++s)
            own[(int64_t)s * b.width] = b.works[lane].own[s] + (moments ? own[(int64_t)s * b.width] : 0);
        for (int s = 0; t.descriptors && s < b.n_functions; ++s)
            t.descriptors[t.offsets[b.works[lane].atom] + s] = own[(int64_t)s * b.width];
    }
}

// The caller's derivatives by the functions.
void take_derivatives(const Task& t, Batch& b)
{
    for (int lane = 0; lane < b.count; ++lane) {
        Work& w = b.works[lane];
        w.own_dl_dg = t.dl_dg + t.offsets[w.atom];
        for (int s = 0; b.dl_dg && s < b.n_functions; ++s)
            b.dl_dg[(int64_t)s * W + lane] = (nnp_scalar)w.own_dl_dg[s];
    }
}

void push_back(const Task& t, Batch& b, ThreadState& state)
{
    {
        Timed timed(state, ANGULAR_BACK);
        for (size_t i = 0; i < b.plan->moments.size(); ++i)
            moment_backward(b.plan->moments[i], t.n_elements, b.groups[i], b.dl_dg);
    }
    for (int lane = 0; lane < b.count; ++lane) {
        Work& w = b.works[lane];
        if (b.atomwise)
            backward(*b.plan, w.nb, w.kept, t.n_elements, w.own_dl_dg, state);
        {
            Timed timed(state, ANGULAR_BACK);
            for (size_t i = 0; i < b.plan->moments.size(); ++i)
                pull_atom(b.plan->moments[i], w.nb, t.n_elements, lane, w.kept.moments[i], b.groups[i]);
        }
        Timed timed(state, SCATTER);
        scatter(t, state, w.rank, w.nb);
    }
}

// The atoms of these ranks, all of one element.
void process_batch(const Task& t, const int64_t* ranks, int count, ThreadState& state)
{
    state.arena.rewind();
    Batch b;
    take_batch(t, t.list.elements[ranks[0]], count, state.arena, b);
    for (int i = 0; i < count; ++i)
        add_atom(t, ranks[i], state, b);
    finish_functions(t, b, state);
    if (t.mode == Mode::evaluate) {
        check_ranges(t, b, state);
        evaluate_networks(t, b, state);
    } else if (t.mode == Mode::pull_back) {
        take_derivatives(t, b);
    }
    if (t.gradient)
        push_back(t, b, state);
}

void process(const Task& task, ThreadState& state, int64_t begin, int64_t end)
{
    const int most = task.together < W ? task.together : W;
    for (int element = 0; element < task.n_elements; ++element) {
        int64_t ranks[W];
        int n = 0;
        for (int64_t rank = begin; rank < end; ++rank) {
            if (task.list.elements[rank] == element)
                ranks[n++] = rank;
            if (n == most || (n > 0 && rank + 1 == end)) {
                process_batch(task, ranks, n, state);
                n = 0;
            }
        }
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

#include "engine.h"

#include "error.h"
#include "options.h"
#include "positions.h"
#include "single.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>

namespace nnp
{
namespace
{

constexpr double TOLERANCE_DOUBLE = 1e-9;  // extrapolation margin as a share of max - min
constexpr double TOLERANCE_SINGLE = 1e-5;
constexpr int SUM_BLOCK = 64;  // energies added straight, then the block sums: short error chains

constexpr int VOIGT[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};  // xx yy zz yz xz xy as a matrix

void give(double& to, double value, bool add)
{
    to = add ? to + value : value;
}

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double block_sum(const double* values, int64_t n, int64_t stride)
{
    double total = 0;
    for (int64_t begin = 0; begin < n; begin += SUM_BLOCK) {
        double part = 0;
        for (int64_t i = begin; i < std::min(n, begin + SUM_BLOCK); ++i)
            part += values[i * stride];
        total += part;
    }
    return total;
}

}  // namespace

void Engine::Aligned::operator()(void* p) const
{
    ::operator delete(p, std::align_val_t(64));
}

Engine::Engine(std::shared_ptr<const Model> model, const nnp_options& options)
    : model_(std::move(model)),
      machine_{choose_target(options.target), is_single(options)},
      by_moments_(wide_by_moments(*model_, Powers::in_tasks, wide_way(options), machine_)),
      plan_(make_plan(*model_, Powers::in_tasks, by_moments_)),
      kernel_(choose_kernel(is_single(options), options.target)),
      single_(is_single(options)),
      together_(atoms_together(*model_, plan_)),
      pool_(thread_count(options)),
      list_(model_->cutoff, Skin(model_->cutoff, skin_width(options)), static_cast<int>(model_->elements.size()),
            choose_kernel(false, options.target).within)
{
    if (single_)
        require_single(*model_);
    for (const Element& element : model_->elements) {
        void* data = ::operator new(kernel_.network_bytes(element) + 64, std::align_val_t(64));
        packed_.emplace_back(data);
        kernel_.pack_network(element, data);
        networks_.push_back(data);
    }
    for (int i = 0; i < pool_.size(); ++i)
        states_.push_back(std::make_unique<ThreadState>());
}

void Engine::read_structure(const nnp_structure& s)
{
    if (s.n_atoms < 0 || s.n_atoms > INT32_MAX / 4)
        throw Error(NNP_BAD_STRUCTURE, "n_atoms is " + std::to_string(s.n_atoms) + ": allowed are 0 to 536870911");
    if (s.n_atoms > 0 && (!s.positions || !s.atomic_numbers))
        throw Error(NNP_BAD_ARGUMENT, "positions or atomic_numbers is a null pointer");
    if ((s.periodic[0] || s.periodic[1] || s.periodic[2]) && !s.cell)
        throw Error(NNP_BAD_ARGUMENT, "the structure is periodic but its cell is a null pointer");
    elements_.resize(s.n_atoms);
    offsets_.resize(s.n_atoms + 1);
    offsets_[0] = 0;
    for (int64_t i = 0; i < s.n_atoms; ++i) {
        elements_[i] = model_->element_index(s.atomic_numbers[i]);
        if (elements_[i] == ANY_ELEMENT)
            throw Error(NNP_UNKNOWN_ELEMENT,
                        "atom " + std::to_string(i) + " has atomic number " + std::to_string(s.atomic_numbers[i]) +
                            ", which the potential has no network for",
                        {i, -1, static_cast<double>(s.atomic_numbers[i])});
        offsets_[i + 1] = offsets_[i] + static_cast<int64_t>(model_->elements[elements_[i]].functions.size());
        require_finite(s.positions + 3 * i, i);
    }
}

Task Engine::make_task(int64_t n_atoms, Mode mode)
{
    Task t = {};
    t.mode = mode;
    t.model = model_.get();
    t.plan = &plan_;
    t.networks = networks_.data();
    t.n_elements = static_cast<int>(model_->elements.size());
    t.together = together_;
    t.cutoff = model_->cutoff;
    t.extrapolation_tolerance = single_ ? TOLERANCE_SINGLE : TOLERANCE_DOUBLE;
    t.offsets = offsets_.data();
    energies_.resize(n_atoms);
    t.energies = energies_.data();
    return t;
}

// The largest contribution of whose sums, with so many at most to each atom from others and as many of its own, none
// can overflow. The same for all usual numbers, which depend on the skin.
double Engine::limit_for(int most_entries)
{
    return std::ldexp(1.0, 61) / (2.0 * std::max(most_entries, USUAL_ENTRIES) + 2);
}

// The finest unit of fixed point, as an exponent, in which the largest contribution stays below the limit.
int Engine::exponent_for(double largest, double limit)
{
    int exponent = SCALE_EXPONENT;
    while (std::ldexp(largest, exponent) >= limit)
        exponent -= SCALE_STEP;
    return exponent;
}

// One pass over all centres. False when the fixed point had another unit than the largest contribution asks for: repeat
// with that. The unit follows from the structure alone; that of the last call is only where to begin.
bool Engine::run_once(Task& task, const Extent& extent)
{
    task.gradient_scale = std::ldexp(1.0, gradient_exponent_);
    int reach = static_cast<int>(std::ceil(std::log2(std::max(1.0, task.cutoff))));
    task.virial_scale = std::ldexp(task.gradient_scale, -reach);  // |r| times as large as the force
    for (auto& state : states_) {
        if (task.gradient)
            state->gradient.assign(3 * extent.owners, 0);
        if (task.neighbor_virials)
            state->neighbor_virials.assign(9 * extent.owners, 0);
        state->extrapolations.clear();
        state->failure = Failure{};
        state->largest_contribution = 0;
        state->triples = 0;
    }
    if (extent.domain)
        domain_.forget_listings();
    const int64_t size = chunk_of(extent.ranks, pool_.size(), task.together, task.n_elements);
    pool_.run((extent.ranks + size - 1) / size, [&](int64_t chunk, int thread) {
        int64_t begin = chunk * size, end = std::min<int64_t>(extent.ranks, begin + size);
        if (extent.domain)
            domain_.fill(begin, end, thread);
        kernel_.process(task, *states_[thread], begin, end);
    });
    raise_failures();
    if (extent.domain && task.gradient)  // the caller's rows need not be symmetric
        task.gradient_limit = std::min(task.gradient_limit, limit_for(domain_.most_listings()));
    double largest = 0;
    for (auto& state : states_)
        largest = std::max(largest, state->largest_contribution);
    const int exponent = task.gradient ? exponent_for(largest, task.gradient_limit) : gradient_exponent_;
    const bool fits = exponent == gradient_exponent_;
    gradient_exponent_ = exponent;
    return fits;
}

void Engine::run(Task& task, const Extent& extent)
{
    double start = now();
    while (!run_once(task, extent)) {
    }
    statistics_.evaluations += 1;
    statistics_.kernel_seconds += now() - start;
    collect_extrapolations();
}

void Engine::run(Task& task, const nnp_structure& structure)
{
    double start = now();
    int64_t n = structure.n_atoms;
    statistics_.list_builds += list_.update(structure, elements_, pool_) ? 1 : 0;
    task.list = list_.view();
    task.gradient_limit = limit_for(list_.most_entries());
    if (task.virial)
        virials_.resize(6 * n);
    task.virials = virials_.data();
    statistics_.list_seconds += now() - start;
    run(task, {n, n, false});
}

void Engine::run(Task& task, const nnp_domain& domain)
{
    double start = now();
    task.list = domain_.view();
    task.gradient_limit = limit_for(domain_.longest_row());
    std::fill(energies_.begin(), energies_.end(), 0.0);
    if (task.virial)
        virials_.assign(6 * domain.n_atoms, 0);
    task.virials = virials_.data();
    offsets_.resize(domain.n_atoms + 1);
    int64_t offset = 0;
    for (int64_t rank = 0; rank < domain_.n_centres(); ++rank) {
        offsets_[task.list.order[rank]] = offset;
        offset += static_cast<int64_t>(model_->elements[task.list.elements[rank]].functions.size());
    }
    task.offsets = offsets_.data();
    statistics_.list_seconds += now() - start;
    run(task, {domain_.n_centres(), domain.n_atoms, true});
}

void Engine::raise_failures() const
{
    Failure first;
    for (const auto& state : states_) {
        const Failure& f = state->failure;
        if (f.kind != FailureKind::none)
            first.report(f.kind, f.atom, f.other, f.value, f.function);
    }
    if (first.kind == FailureKind::overlap) {
        int64_t low = std::min(first.atom, first.other), high = std::max(first.atom, first.other);
        throw Error(NNP_OVERLAP,
                    "atoms " + std::to_string(low) + " and " + std::to_string(high) +
                        " are in the same place: remove one of them",
                    {low, high, first.value});
    }
    if (first.kind == FailureKind::not_finite)
        throw Error(NNP_NOT_FINITE,
                    "energy or force of atom " + std::to_string(first.atom) +
                        " is not finite: the structure is far outside what the potential was trained on; look at the "
                        "atoms around this one",
                    {first.atom, -1, first.value, first.function});
}

void Engine::collect_gradient(const Task& task, int64_t n, double sign, bool add, double* out)
{
    double unit = sign / task.gradient_scale;
    for (int64_t owner = 0; owner < n; ++owner) {
        double* to = out + 3 * task.list.owner_index[owner];
        for (int c = 0; c < 3; ++c) {
            int64_t sum = 0;
            for (auto& state : states_)
                sum += state->gradient[3 * owner + c];
            give(to[c], unit * static_cast<double>(sum), add);
        }
    }
}

void Engine::collect_neighbor_virials(const Task& task, int64_t n, bool add, double* out)
{
    for (int64_t owner = 0; owner < n; ++owner) {
        double* to = out + 9 * task.list.owner_index[owner];
        for (int c = 0; c < 9; ++c) {
            int64_t sum = 0;
            for (auto& state : states_)
                sum += state->neighbor_virials[9 * owner + c];
            give(to[c], static_cast<double>(sum) / task.virial_scale, add);
        }
    }
}

void Engine::collect_virials(int64_t n, bool add, double* out) const
{
    for (int64_t i = 0; i < n; ++i) {
        for (int c = 0; c < 9; ++c)
            give(out[9 * i + c], virials_[6 * i + VOIGT[c]], add);
    }
}

void Engine::collect_virial(int64_t n, bool add, double* out) const
{
    double v[6];
    for (int c = 0; c < 6; ++c)
        v[c] = block_sum(virials_.data() + c, n, 6);
    for (int c = 0; c < 9; ++c)
        give(out[c], v[VOIGT[c]], add);
}

void Engine::collect_extrapolations()
{
    flagged_.clear();
    statistics_.triples = 0;
    for (auto& state : states_) {
        flagged_.insert(flagged_.end(), state->extrapolations.begin(), state->extrapolations.end());
        statistics_.triples += state->triples;
    }
    std::sort(flagged_.begin(), flagged_.end(), [](const Extrapolation& a, const Extrapolation& b) {
        return a.atom != b.atom ? a.atom < b.atom : a.function < b.function;
    });
    flagged_atoms_.clear();
    flagged_functions_.clear();
    flagged_excess_.clear();
    for (const Extrapolation& e : flagged_) {
        flagged_atoms_.push_back(e.atom);
        flagged_functions_.push_back(e.function);
        flagged_excess_.push_back(e.excess);
    }
}

Task Engine::task_for(const nnp_results& results, int64_t n_atoms)
{
    bool gradient = results.forces || results.virial || results.virials || results.neighbor_virials;
    bool evaluate = gradient || results.energy || results.energies;
    Task task = make_task(n_atoms, evaluate ? Mode::evaluate : Mode::descriptors);
    task.virial = results.virial || results.virials;
    task.neighbor_virials = results.neighbor_virials != nullptr;
    task.gradient = gradient;
    task.descriptors = results.descriptors;
    flagged_.clear();
    return task;
}

void Engine::hand_out(const Task& task, int64_t n, const nnp_results& results)
{
    double start = now();
    const bool add = results.add != 0;
    double energy = block_sum(energies_.data(), n, 1);
    if (results.energy && !std::isfinite(energy))
        throw Error(NNP_NOT_FINITE, "the sum of the atoms' energies is not finite", {-1, -1, energy});
    if (results.energy)
        give(*results.energy, energy, add);
    for (int64_t i = 0; results.energies && i < n; ++i)
        give(results.energies[i], energies_[i], add);
    if (results.forces)
        collect_gradient(task, n, -1, add, results.forces);
    if (results.virial)
        collect_virial(n, add, results.virial);
    if (results.virials)
        collect_virials(n, add, results.virials);
    if (results.neighbor_virials)
        collect_neighbor_virials(task, n, add, results.neighbor_virials);
    statistics_.reduce_seconds += now() - start;
}

void Engine::compute(const nnp_structure& s, const nnp_results& results)
{
    read_structure(s);
    Task task = task_for(results, s.n_atoms);
    if (s.n_atoms > 0)
        run(task, s);
    else
        collect_extrapolations();
    hand_out(task, s.n_atoms, results);
}

void Engine::compute(const nnp_domain& domain, const nnp_results& results)
{
    domain_.set(domain, *model_, pool_.size());
    Task task = task_for(results, domain.n_atoms);
    run(task, domain);
    hand_out(task, domain.n_atoms, results);
}

void Engine::pull_back(const nnp_structure& s, const double* dl_dg, double* dl_dr, double* dl_dstrain)
{
    read_structure(s);
    Task task = make_task(s.n_atoms, Mode::pull_back);
    task.gradient = true;
    task.virial = dl_dstrain != nullptr;
    task.dl_dg = dl_dg;
    if (s.n_atoms > 0)
        run(task, s);
    collect_gradient(task, s.n_atoms, 1, false, dl_dr);
    if (dl_dstrain)
        collect_virial(s.n_atoms, false, dl_dstrain);
}

void Engine::push_forward(const nnp_structure& s, const double* dr, const double* dstrain, double* dg)
{
    read_structure(s);
    Task task = make_task(s.n_atoms, Mode::push_forward);
    task.displacement = dr;
    task.strain = dstrain;
    task.descriptors = dg;
    if (s.n_atoms > 0)
        run(task, s);
}

int64_t Engine::descriptor_size(const nnp_structure& s)
{
    read_structure(s);
    return offsets_[s.n_atoms];
}

nnp_extrapolations Engine::extrapolations() const
{
    return {static_cast<int64_t>(flagged_atoms_.size()), flagged_atoms_.data(), flagged_functions_.data(),
            flagged_excess_.data()};
}

nnp_statistics Engine::statistics() const
{
    nnp_statistics s = statistics_;
    size_t bytes = list_.bytes() + domain_.bytes() + (energies_.capacity() + virials_.capacity()) * sizeof(double) +
                   elements_.capacity() * sizeof(int32_t) + offsets_.capacity() * sizeof(int64_t);
    for (const auto& state : states_)
        bytes += state->arena.bytes() + state->passing.bytes() +
                 (state->gradient.capacity() + state->neighbor_virials.capacity()) * sizeof(int64_t);
    for (int phase = 0; phase < N_PHASES; ++phase) {
        for (const auto& state : states_)
            s.ticks[phase] += state->ticks[phase];
    }
    s.bytes = static_cast<int64_t>(bytes);
    s.list_entries = list_.n_entries();
    return s;
}

}  // namespace nnp

#include "engine.h"

#include "defaults.h"
#include "failures.h"
#include "groups.h"
#include "layout.h"
#include "source.h"

#include <algorithm>

namespace nnp::gpu
{
namespace
{

constexpr double FINEST = 0x1p48;   // forces are summed in units of 2^-48 eV/Å (3.6e-15), in coarser ones where one
constexpr double COARSER = 0x1p16;  // is too large for that
constexpr double COARSEST = 0x1p-900;
constexpr int MOST_TRIES = 80;          // of coarser fixed points, larger buffers, new lists
constexpr int64_t FIRST_ROOM = 4096;    // extrapolations there is room for from the start
constexpr int64_t FIRST_CAPACITY = 64;  // before a list was counted

static_assert(NNP_GPU_ENERGY == WANT_ENERGY && NNP_GPU_FORCES == WANT_FORCES && NNP_GPU_VIRIAL == WANT_VIRIAL &&
                  NNP_GPU_DESCRIPTORS == WANT_DESCRIPTORS && NNP_GPU_GRADIENT == GIVEN_GRADIENT,
              "nnp_gpu.h and layout.inc number the same wishes");

// What of the atoms lies on the device beside their positions, and what these are like: bits TRANSFER_...
int what_of(const nnp_gpu_atoms& atoms)
{
    return (atoms.single ? TRANSFER_SINGLE : 0) | (atoms.numbers ? 0 : TRANSFER_NUMBERS) |
           (atoms.cell ? 0 : TRANSFER_CELL) | (atoms.periodic ? 0 : TRANSFER_PERIODIC);
}

}  // namespace

GpuEngine::GpuEngine(std::shared_ptr<const Model> model, const nnp_gpu_engine_options& options,
                     const nnp_device& device)
    : model_(std::move(model)),
      device_(device),
      programs_(device_, *model_, options),
      list_(device_, programs_, *model_, options.skin < 0 ? DEFAULT_SKIN : options.skin),
      partial_(device_, 8),
      report_(device_, 4),
      descriptors_(device_, 8),
      gradient_(device_, 8),
      changes_(device_, 8),
      order_(device_, 4),
      first_function_(device_, 4),
      counters_(STATE_COUNTERS, 0)
{
    take_parameters();
    partial_.resize(PARTIALS * FINISH_GROUPS);
    // a device may run fewer groups than asked for: what they would have written stays 0
    partial_.write(std::vector<double>(PARTIALS * FINISH_GROUPS, 0.0));
    report_.resize(STATE_COUNTERS);
    for (Buffer* buffer : {&descriptors_, &gradient_, &changes_, &first_function_})
        buffer->resize(0);
    Arguments& a = programs_.arguments;
    a[Slot::partial] = partial_.handle();
    a[Slot::report] = report_.handle();
    a[Slot::order] = order_.handle();
    list_.set_room(FIRST_ROOM);
}

void GpuEngine::take_parameters()
{
    std::vector<ElementPlan> plan = make_plan(*model_, Powers::in_slots);
    size_t width = most_functions(*model_);
    std::vector<int32_t> table(width * model_->elements.size(), -1);
    for (size_t e = 0; e < model_->elements.size(); ++e) {
        Groups groups = make_groups(plan[e]);
        orders_.push_back(order_of(groups));
        std::copy(orders_[e].begin(), orders_[e].end(), table.begin() + static_cast<int64_t>(e * width));
        std::vector<double> numbers = parameters_of(model_->elements[e], groups);
        parameters_.push_back(std::make_unique<Buffer>(device_, mixed_bytes(programs_.precision())));
        parameters_[e]->resize(static_cast<int64_t>(numbers.size()));
        parameters_[e]->write_reals(numbers);
        moment_terms_.push_back(std::make_unique<Buffer>(device_, 4));
        moment_terms_[e]->resize(static_cast<int64_t>(groups.moments.terms.size()));
        moment_terms_[e]->write(groups.moments.terms);
        moment_values_.push_back(std::make_unique<Buffer>(device_, real_bytes(programs_.precision())));
        moment_values_[e]->resize(static_cast<int64_t>(groups.moments.values.size()));
        moment_values_[e]->write_reals(groups.moments.values);
    }
    order_.resize(static_cast<int64_t>(table.size()));
    order_.write(table);
}

// The arguments that are one element's.
void GpuEngine::set_element(size_t element)
{
    Arguments& a = programs_.arguments;
    a[Slot::atoms] = list_.atoms[element]->handle();
    a[Slot::parameters] = parameters_[element]->handle();
    a[Slot::moment_terms] = moment_terms_[element]->handle();
    a[Slot::moment_values] = moment_values_[element]->handle();
}

void GpuEngine::prepare()
{
    programs_.prepare_list();
    programs_.fit(FIRST_CAPACITY, list_.n());
}

// ---- the atoms ----------------------------------------------------------------------------------

template <class T>
std::vector<T> GpuEngine::read_there(uint64_t buffer, int64_t n) const
{
    std::vector<T> values(n);
    device_.check(device_->read(device_.context(), buffer, values.data(), n * static_cast<int64_t>(sizeof(T))));
    return values;
}

std::vector<double> GpuEngine::positions_of(const nnp_gpu_atoms& atoms) const
{
    if (atoms.positions)
        return {atoms.positions, atoms.positions + 3 * atoms.n};
    if (!atoms.single)
        return read_there<double>(atoms.positions_there, 3 * atoms.n);
    std::vector<float> found = read_there<float>(atoms.positions_there, 3 * atoms.n);
    return {found.begin(), found.end()};
}

Lattice GpuEngine::lattice_of(const nnp_gpu_atoms& atoms) const
{
    Lattice lattice;
    std::vector<double> cell =
        atoms.cell ? std::vector<double>(atoms.cell, atoms.cell + 9) : read_there<double>(atoms.cell_there, 9);
    std::vector<uint8_t> periodic = atoms.periodic ? std::vector<uint8_t>(atoms.periodic, atoms.periodic + 3)
                                                   : read_there<uint8_t>(atoms.periodic_there, 3);
    for (int a = 0; a < 3; ++a) {
        std::copy_n(&cell[3 * a], 3, lattice.vectors[a].begin());
        lattice.periodic[a] = periodic[a] != 0;
    }
    return lattice;
}

// Everything of the atoms, read where it lies.
void GpuEngine::adopt(const nnp_gpu_atoms& atoms)
{
    if (atoms.numbers)
        list_.follow(atoms.n, atoms.numbers, lattice_of(atoms));
    else
        list_.follow(atoms.n, read_there<int64_t>(atoms.numbers_there, atoms.n).data(), lattice_of(atoms));
}

// Tells the list what the host knows of the atoms; what lies on the device is compared there by nnp_take.
void GpuEngine::follow(const nnp_gpu_atoms& atoms)
{
    std::array<bool, 3> periodic = {};
    for (int a = 0; a < 3 && atoms.periodic; ++a)
        periodic[a] = atoms.periodic[a] != 0;
    if (atoms.positions || !list_.valid() ||
        !list_.is_of(atoms.n, atoms.numbers, atoms.periodic ? &periodic : nullptr)) {
        adopt(atoms);
    } else if (atoms.cell) {
        Lattice lattice = list_.lattice();
        for (int a = 0; a < 3; ++a)
            std::copy_n(atoms.cell + 3 * a, 3, lattice.vectors[a].begin());
        list_.follow_lattice(lattice);
    }
    if (atoms.positions)
        list_.positions.write(atoms.positions, 3 * atoms.n);
}

// The device says that the list is too old: for the cell, for other atoms, or by motion.
void GpuEngine::replace_list(const nnp_gpu_atoms& atoms)
{
    if (!atoms.positions) {
        Lattice lattice = lattice_of(atoms);
        if (lattice.periodic == list_.lattice().periodic && lattice.vectors != list_.lattice().vectors) {
            list_.follow_lattice(lattice);
            return;
        }
        adopt(atoms);
    }
    list_.drop();
}

// The positions to where the kernels read them, or these to where the positions lie.
void GpuEngine::bring(const nnp_gpu_atoms& atoms)
{
    Arguments& a = programs_.arguments;
    int what = atoms.positions ? 0 : what_of(atoms);
    a[Slot::positions] = atoms.positions || what ? list_.positions.handle() : atoms.positions_there;
    if (!what)
        return;
    auto given = [&](uint64_t buffer) { return buffer ? buffer : atoms.positions_there; };  // one that is not looked at
    a[Slot::what] = static_cast<uint64_t>(what);
    a[Slot::given_single] = a[Slot::given_double] = atoms.positions_there;
    a[Slot::numbers] = given(atoms.numbers_there);
    a[Slot::cell] = given(atoms.cell_there);
    a[Slot::periodic] = given(atoms.periodic_there);
    programs_.launch_over("nnp_take", atoms.n);
}

void GpuEngine::build(const nnp_gpu_atoms& atoms)
{
    std::vector<double> along_free_axes;
    if (list_.lattice().any_free()) {
        along_free_axes = positions_of(atoms);
        refuse_lost(along_free_axes);
    }
    bring(atoms);
    list_.build(along_free_axes);
}

// ---- one evaluation -----------------------------------------------------------------------------

nnp_gpu_found GpuEngine::evaluate(const nnp_gpu_atoms& atoms, const nnp_gpu_request& request)
{
    empty_ = atoms.n == 0;
    if (empty_)
        return {0, 0};
    follow(atoms);
    if (list_.scale() != FINEST)  // for atoms that may not be there any more: results depend on nothing before
        list_.set_scale(FINEST);
    int tries = 0;
    do {
        if (++tries > MOST_TRIES)
            throw Error(NNP_INTERNAL, "the neighbour list is never good enough: evaluate on the CPU, and report this");
        if (!list_.valid())
            build(atoms);
        launch(atoms, request);
    } while (!settle(atoms, request.allow_not_finite != 0));
    if ((request.wanted & NNP_GPU_GRADIENT) && request.dl_dg_size != n_functions())
        throw Error(NNP_BAD_ARGUMENT, "dl_dg has " + std::to_string(request.dl_dg_size) +
                                          " numbers: this structure takes " + std::to_string(n_functions()));
    return {not_finite_, not_finite_ ? 0 : counters_[STATE_EXTRAPOLATING]};
}

void GpuEngine::launch(const nnp_gpu_atoms& atoms, const nnp_gpu_request& request)
{
    Arguments& a = programs_.arguments;
    bring(atoms);
    list_.place();
    a[Slot::wanted] = static_cast<uint64_t>(request.wanted & ~NNP_GPU_CHANGE);
    changed_ = request.wanted & NNP_GPU_CHANGE;
    if (changed_)
        change_elements(request);
    else
        evaluate_elements(request);
    a[Slot::n] = static_cast<uint64_t>(atoms.n);
    programs_.launch("nnp_finish", FINISH_GROUPS);
    if (request.energy)
        give(request);
}

void GpuEngine::evaluate_elements(const nnp_gpu_request& request)
{
    Arguments& a = programs_.arguments;
    int64_t size = list_.n() * static_cast<int64_t>(most_functions(*model_));
    if (request.wanted & NNP_GPU_DESCRIPTORS)
        descriptors_.need(size);
    if (request.wanted & NNP_GPU_GRADIENT)
        pad(gradient_, request);
    a[Slot::descriptors] = descriptors_.handle();
    a[Slot::gradient] = gradient_.handle();
    for (size_t e = 0; e < parameters_.size(); ++e) {
        if (list_.atoms[e]->size() == 0)
            continue;
        set_element(e);
        programs_.evaluate(e, list_.atoms[e]->size());
    }
}

void GpuEngine::change_elements(const nnp_gpu_request& request)
{
    Arguments& a = programs_.arguments;
    changes_.need(list_.n() * static_cast<int64_t>(most_functions(*model_)));
    a[Slot::changes] = changes_.handle();
    a[Slot::direction] = request.direction;
    a[Slot::strain] = request.strain;
    for (size_t e = 0; e < parameters_.size(); ++e) {
        if (list_.atoms[e]->size() == 0)
            continue;
        set_element(e);
        programs_.change(e, list_.atoms[e]->size());
    }
}

bool GpuEngine::settle(const nnp_gpu_atoms& atoms, bool allow_not_finite)
{
    not_finite_ = false;
    report_.read(counters_.data(), STATE_COUNTERS);
    if (counters_[STATE_LOST])
        refuse_lost(positions_of(atoms));
    if (counters_[STATE_REBUILD]) {
        replace_list(atoms);
        return false;
    }
    if (counters_[STATE_FAILED]) {
        not_finite_ = judge(list_.status.read<int32_t>(atoms.n), positions_of(atoms), list_.lattice(),
                            list_.scale() <= COARSEST, allow_not_finite);
        if (!not_finite_)
            list_.set_scale(list_.scale() / COARSER);
        return not_finite_;
    }
    if (counters_[STATE_EXTRAPOLATING] > list_.room()) {
        list_.set_room(2 * int64_t{counters_[STATE_EXTRAPOLATING]});
        return false;
    }
    return true;
}

}  // namespace nnp::gpu

#include "gpu_kernel.h"

#include "transfer.h"
#include "units.h"

#include "openmm/OpenMMException.h"
#include "openmm/common/ContextSelector.h"

#include <cmath>
#include <limits>

namespace nnp_openmm
{
namespace
{

// kernels/gpu/layout.inc
enum { STATE_REBUILD, STATE_LOST, STATE_FAILED, STATE_EXTRAPOLATING, STATE_COUNTERS };
enum { STATUS_NOT_FINITE = 1, STATUS_OVERLAP = 2 };
enum { WANT_ENERGY = 1, WANT_FORCES = 2 };

constexpr int FINISH_GROUPS = 32, PARTIALS = 7;
constexpr int FIRST_ROOM = 4096;        // extrapolations there is room for from the start
constexpr double DEFAULT_SKIN = 0.6;    // Å
constexpr double FIXED_POINT = 0x1p32;  // OpenMM's forces
constexpr double COARSER = 0x1p16;      // when a force is too large for the kernels' fixed point
constexpr int MOST_TRIES = 80;          // of coarser fixed points, larger buffers, new lists
constexpr double COARSEST = 0x1p-900;
constexpr double NOT_A_NUMBER = std::numeric_limits<double>::quiet_NaN();

}  // namespace

GpuCalcNNPForceKernel::~GpuCalcNNPForceKernel()
{
    OpenMM::ContextSelector selector(context_);
    record_->fetch = nullptr;
    list_.reset();
    program_.reset();
}

void GpuCalcNNPForceKernel::initialize(OpenMM::ContextImpl&, const NNPForce& force)
{
    OpenMM::ContextSelector selector(context_);
    options_ = force.options();
    periodic_ = force.usesPeriodicBoundaryConditions();
    scale_parameter_ = force.scale_parameter();
    latest_ = force.latest();
    if (!scale_parameter_.empty())
        context_.addEnergyParameterDerivative(scale_parameter_);
    std::map<std::string, std::string> defines = {{"ANGSTROM_PER_NM", std::to_string(ANGSTROM_PER_NM)}};
    OpenMM::ComputeProgram program = context_.compileProgram(TRANSFER_SOURCE, defines);
    gather_ = DeviceKernel(program->createKernel("nnp_gather"));
    scatter_ = DeviceKernel(program->createKernel("nnp_scatter"));
    partial_.allocate<double>(context_, PARTIALS * FINISH_GROUPS, "nnpPartial");
    // a device may run fewer groups than asked for: what they would have written stays 0
    partial_.write(std::vector<double>(PARTIALS * FINISH_GROUPS, 0.0));
    report_.allocate<int>(context_, STATE_COUNTERS, "nnpReport");
    nothing_.allocate<double>(context_, 0, "nnpNothing");
    take(force);
}

void GpuCalcNNPForceKernel::take(const NNPForce& force)
{
    Widths widths = force.widths();
    std::vector<int> atom_of(std::max(context_.getPaddedNumAtoms(), 1), -1), elements;
    std::vector<int32_t> numbers;
    for (size_t particle = 0; particle < force.atomic_numbers().size(); ++particle) {
        int32_t number = force.atomic_numbers()[particle];
        if (number == 0)
            continue;
        atom_of[particle] = static_cast<int>(numbers.size());
        numbers.push_back(number);
        elements.push_back(static_cast<int>(std::distance(widths.begin(), widths.find(number))));
    }
    double skin = options_.skin < 0 ? DEFAULT_SKIN : options_.skin;
    auto program = std::make_unique<Program>(context_, force.potential(), static_cast<int>(widths.size()));
    auto list = std::make_unique<DeviceNeighborList>(*program, read_cutoff(force.potential()), skin, elements);
    // nothing threw: from here on it is the new potential
    widths_ = std::move(widths);
    atomic_numbers_ = std::move(numbers);
    record_->take_particles(force.atomic_numbers());
    record_->fetch = [this] { fetch(); };
    atom_of_.allocate<int>(context_, atom_of.size(), "nnpAtomOf");
    atom_of_.write(atom_of);
    list_ = std::move(list);
    program_ = std::move(program);
    set_room(FIRST_ROOM);
}

void GpuCalcNNPForceKernel::update_parameters(OpenMM::ContextImpl&, const NNPForce& force)
{
    OpenMM::ContextSelector selector(context_);
    take(force);
}

void GpuCalcNNPForceKernel::set_room(int extrapolations)
{
    outside_.allocate<double>(context_, 3 * static_cast<size_t>(extrapolations), "nnpOutside");
    list_->set_room(extrapolations);
}

Matrix GpuCalcNNPForceKernel::cell() const
{
    Matrix box;
    context_.getPeriodicBoxVectors(box[0], box[1], box[2]);
    for (OpenMM::Vec3& vector : box)
        vector *= ANGSTROM_PER_NM;
    return box;
}

void GpuCalcNNPForceKernel::gather()
{
    int n = context_.getNumAtoms();
    ArrayInterface& correction = context_.getUseMixedPrecision() ? context_.getPosqCorrection() : context_.getPosq();
    gather_.launch(n, Program::GROUP_SIZE, n, context_.getPosq(), correction, context_.getAtomIndexArray(), atom_of_,
                   list_->positions);
}

void GpuCalcNNPForceKernel::scatter(double scale)
{
    int n = context_.getNumAtoms();
    double factor = scale * FORCE_PER_EV_ANGSTROM * FIXED_POINT / list_->scale();
    scatter_.launch(n, Program::GROUP_SIZE, n, context_.getPaddedNumAtoms(), factor, lost_ ? 1 : 0,
                    context_.getAtomIndexArray(), atom_of_, list_->forces, context_.getLongForceBuffer());
}

void GpuCalcNNPForceKernel::launch(int wanted)
{
    DeviceNeighborList& l = *list_;
    l.place();
    for (int e = 0; e < program_->n_elements(); ++e) {
        int n = static_cast<int>(l.atoms[e]->size());
        if (n == 0)
            continue;
        program_->launch("nnp_evaluate_e" + std::to_string(e), n, n, wanted, *l.atoms[e], l.points, l.entries,
                         l.row_starts, l.frame, program_->parameters(e), nothing_, nothing_, l.energies, l.forces,
                         l.virials, outside_, l.status, l.state);
    }
    program_->launch("nnp_finish", FINISH_GROUPS, l.n(), wanted, l.energies, l.virials, partial_, l.state, report_);
}

bool GpuCalcNNPForceKernel::evaluate(int wanted)
{
    lost_ = false;
    Matrix box = cell();
    if (!list_->holds(box))
        list_->build(box, periodic_);
    launch(wanted);
    return settle(report_.read<int>());
}

bool GpuCalcNNPForceKernel::settle(const std::vector<int>& counters)
{
    if (counters[STATE_LOST]) {
        std::vector<double> positions = list_->positions.read<double>();
        for (size_t i = 0; i < positions.size(); ++i) {
            if (!std::isfinite(positions[i]))
                fail(NNP_BAD_STRUCTURE, "position of particle " + std::to_string(record_->particles[i / 3]) +
                                            " is not finite: the simulation has become unstable (a smaller time step "
                                            "or a minimisation first may help) or its positions were never set");
        }
    }
    if (counters[STATE_REBUILD]) {
        list_->drop();
        return false;
    }
    if (counters[STATE_FAILED])
        return settle_failures();
    if (3 * static_cast<size_t>(counters[STATE_EXTRAPOLATING]) > outside_.size()) {
        set_room(2 * counters[STATE_EXTRAPOLATING]);
        return false;
    }
    read_extrapolations(counters[STATE_EXTRAPOLATING]);
    return true;
}

// Throws what the atoms' status says, or notes it where it may pass; coarser fixed point where only a force is large.
bool GpuCalcNNPForceKernel::settle_failures()
{
    std::vector<int> status = list_->status.read<int>();
    for (size_t atom = 0; atom < status.size(); ++atom) {
        std::string particle = std::to_string(record_->particles[atom]);
        if (status[atom] & STATUS_OVERLAP)
            fail(NNP_BAD_STRUCTURE, "particle " + particle + " is in the same place as another: remove one of them");
    }
    for (size_t atom = 0; atom < status.size(); ++atom) {
        lost_ = lost_ || status[atom] & STATUS_NOT_FINITE || (status[atom] && list_->scale() < COARSEST);
        if (lost_ && options_.allow_not_finite)
            return true;
        if (lost_)
            fail(NNP_NOT_FINITE, "energy or force of atom " + std::to_string(record_->particles[atom]) +
                                     " is not finite: the structure is far outside what the potential was trained "
                                     "on; look at the atoms around this one");
    }
    list_->set_scale(list_->scale() / COARSER);
    return false;
}

void GpuCalcNNPForceKernel::read_extrapolations(int count)
{
    std::vector<Extrapolation> found(count);
    std::vector<double> outside = count ? outside_.read<double>() : std::vector<double>();
    for (int i = 0; i < count; ++i) {
        auto atom = static_cast<int64_t>(outside[3 * i]);
        auto element = std::distance(widths_.begin(), widths_.find(atomic_numbers_[atom]));
        auto inside = static_cast<size_t>(outside[3 * i + 1]);
        found[i] = {atom, program_->order(static_cast<int>(element))[inside], outside[3 * i + 2]};
    }
    std::sort(found.begin(), found.end(), [](const Extrapolation& a, const Extrapolation& b) {
        return a.atom != b.atom ? a.atom < b.atom : a.function < b.function;
    });
    record_->set_extrapolations(found, atomic_numbers_, widths_);
}

void GpuCalcNNPForceKernel::evaluate_until_settled(int wanted)
{
    int tries = 0;
    while (!evaluate(wanted)) {
        if (++tries > MOST_TRIES)
            fail(NNP_INTERNAL,
                 "the device's neighbour list is never good enough: make the force with "
                 "gpu_kernels=False and report this");
    }
}

void GpuCalcNNPForceKernel::take_energy()
{
    std::vector<double> partial = partial_.read<double>();
    record_->energy = lost_ ? NOT_A_NUMBER : 0;
    for (int group = 0; group < FINISH_GROUPS && !lost_; ++group)
        record_->energy += partial[PARTIALS * group];
}

// Energies and forces of the last evaluation, from where they lie.
void GpuCalcNNPForceKernel::fetch()
{
    OpenMM::ContextSelector selector(context_);
    record_->energies = list_->energies.read<double>();
    std::vector<int64_t> forces = record_->has_forces ? list_->forces.read<int64_t>() : std::vector<int64_t>();
    record_->forces.resize(forces.size());
    for (size_t i = 0; i < forces.size(); ++i)
        record_->forces[i] = static_cast<double>(forces[i]) / list_->scale();
    if (!lost_)
        return;
    std::fill(record_->energies.begin(), record_->energies.end(), NOT_A_NUMBER);
    std::fill(record_->forces.begin(), record_->forces.end(), NOT_A_NUMBER);
}

double GpuCalcNNPForceKernel::execute(OpenMM::ContextImpl& context, bool include_forces, bool)
{
    OpenMM::ContextSelector selector(context_);
    latest_->set(record_);
    double scale = read_scale(context, scale_parameter_);
    if (list_->n() == 0)
        return 0;
    gather();
    evaluate_until_settled(WANT_ENERGY | (include_forces ? WANT_FORCES : 0));
    take_energy();
    record_->energies.clear();
    record_->forces.clear();
    record_->has_forces = include_forces;
    record_->evaluations += 1;
    record_->code = NNP_OK;
    record_->message.clear();
    std::string complaint = record_->complaint(options_.max_extrapolations);
    if (!complaint.empty())
        fail(NNP_BAD_STRUCTURE, complaint);
    double energy = record_->energy * KJ_MOL_PER_EV;
    if (!scale_parameter_.empty())
        context_.getEnergyParamDerivWorkspace()[scale_parameter_] += energy;
    if (include_forces)
        scatter(scale);
    return scale * energy;
}

void GpuCalcNNPForceKernel::fail(int code, const std::string& sentence)
{
    record_->code = code;
    record_->message = sentence;
    throw OpenMM::OpenMMException(sentence);
}

}  // namespace nnp_openmm

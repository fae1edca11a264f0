#include "gpu_kernel.h"

#include "transfer.h"
#include "units.h"

#include "openmm/OpenMMException.h"
#include "openmm/common/ContextSelector.h"

#include <limits>

namespace nnp_openmm
{
namespace
{

constexpr double FIXED_POINT = 0x1p32;  // OpenMM's forces
constexpr int GROUP_SIZE = 64;
constexpr double NOT_A_NUMBER = std::numeric_limits<double>::quiet_NaN();

}  // namespace

GpuCalcNNPForceKernel::GpuCalcNNPForceKernel(const std::string& name, const OpenMM::Platform& platform,
                                             ComputeContext& context, int64_t local_bytes)
    : CalcNNPForceKernel(name, platform),
      context_(context),
      device_(context, "OpenMM's " + platform.getName() + " device", local_bytes, platform.getName() != "OpenCL")
{
}

GpuCalcNNPForceKernel::~GpuCalcNNPForceKernel()
{
    OpenMM::ContextSelector selector(context_);
    record_->fetch = nullptr;
    engine_.reset();
    atom_of_.reset();
    positions_.reset();
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
    take(force);
}

GpuCalcNNPForceKernel::EnginePointer GpuCalcNNPForceKernel::make_engine(const NNPForce& force) const
{
    nnp_gpu_engine_options options = {};
    options.precision = context_.getUseDoublePrecision()  ? NNP_GPU_DOUBLE
                        : context_.getUseMixedPrecision() ? NNP_GPU_MIXED
                                                          : NNP_GPU_SINGLE;
    options.skin = options_.skin;
    nnp_gpu_engine* engine = nullptr;
    nnp_error error = {};
    ModelPointer model = make_model(force.potential());
    nnp_gpu_engine_create(model.get(), &options, &device_.table(), &engine, &error);
    if (error.code != NNP_OK)
        throw OpenMM::OpenMMException("NNPForce: " + std::string(error.text));
    return EnginePointer(engine);
}

void GpuCalcNNPForceKernel::take(const NNPForce& force)
{
    EnginePointer engine = make_engine(force);
    engine_.reset();
    engine_ = std::move(engine);
    widths_ = force.widths();
    std::vector<int> atom_of(std::max(context_.getPaddedNumAtoms(), 1), -1);
    atomic_numbers_.clear();
    for (size_t particle = 0; particle < force.atomic_numbers().size(); ++particle) {
        if (force.atomic_numbers()[particle] == 0)
            continue;
        atom_of[particle] = static_cast<int>(atomic_numbers_.size());
        atomic_numbers_.push_back(force.atomic_numbers()[particle]);
    }
    numbers_.assign(atomic_numbers_.begin(), atomic_numbers_.end());
    record_->take_particles(force.atomic_numbers());
    record_->fetch = [this] { fetch(); };
    atom_of_.reset(context_.createArray());
    atom_of_->initialize(context_, atom_of.size(), sizeof(int), "nnpAtomOf");
    atom_of_->upload(atom_of.data(), true);
    positions_.reset(context_.createArray());
    positions_->initialize(context_, std::max<size_t>(3 * numbers_.size(), 1), sizeof(double), "nnpPositions");
    make_transfers();
}

void GpuCalcNNPForceKernel::make_transfers()
{
    std::map<std::string, std::string> defines = {{"ANGSTROM_PER_NM", std::to_string(ANGSTROM_PER_NM)}};
    OpenMM::ComputeProgram program = context_.compileProgram(TRANSFER_SOURCE, defines);
    gather_ = program->createKernel("nnp_gather");
    scatter_ = program->createKernel("nnp_scatter");
    bound_ = false;
}

// Later than initialize, for OpenMM makes its own arrays after that.
void GpuCalcNNPForceKernel::bind_transfers()
{
    bound_ = true;
    gather_->addArg(context_.getNumAtoms());
    gather_->addArg(context_.getPosq());
    gather_->addArg(context_.getUseMixedPrecision() ? context_.getPosqCorrection() : context_.getPosq());
    gather_->addArg(context_.getAtomIndexArray());
    gather_->addArg(*atom_of_);
    gather_->addArg(*positions_);
    scatter_->addArg(context_.getNumAtoms());
    scatter_->addArg(context_.getPaddedNumAtoms());
    scatter_->addArg(1.0);
    scatter_->addArg(0);
    scatter_->addArg(context_.getAtomIndexArray());
    scatter_->addArg(*atom_of_);
    scatter_->addArg(*positions_);  // each time the forces
    scatter_->addArg(context_.getLongForceBuffer());
}

void GpuCalcNNPForceKernel::update_parameters(OpenMM::ContextImpl&, const NNPForce& force)
{
    OpenMM::ContextSelector selector(context_);
    take(force);
}

void GpuCalcNNPForceKernel::gather()
{
    if (!bound_)
        bind_transfers();
    gather_->execute(context_.getNumAtoms(), GROUP_SIZE);
}

void GpuCalcNNPForceKernel::scatter(double scale)
{
    uint64_t forces;
    double kernels_scale;
    nnp_gpu_engine_forces(engine_.get(), &forces, &kernels_scale);
    double factor = scale * FORCE_PER_EV_ANGSTROM * FIXED_POINT / kernels_scale;
    scatter_->setArg(2, factor);
    scatter_->setArg(3, lost_ ? 1 : 0);
    scatter_->setArg(6, OpenMMDevice::array(forces));
    scatter_->execute(context_.getNumAtoms(), GROUP_SIZE);
}

nnp_gpu_found GpuCalcNNPForceKernel::evaluate(bool include_forces)
{
    OpenMM::Vec3 box[3];
    context_.getPeriodicBoxVectors(box[0], box[1], box[2]);
    double cell[9];
    for (int i = 0; i < 9; ++i)
        cell[i] = box[i / 3][i % 3] * ANGSTROM_PER_NM;
    const uint8_t axis = periodic_ ? 1 : 0, periodic[3] = {axis, axis, axis};
    nnp_gpu_atoms atoms = {};
    atoms.n = static_cast<int64_t>(numbers_.size());
    atoms.positions_there = reinterpret_cast<uint64_t>(positions_.get());
    atoms.numbers = numbers_.data();
    atoms.cell = cell;
    atoms.periodic = periodic;
    nnp_gpu_request request = {};
    request.wanted = NNP_GPU_ENERGY | (include_forces ? NNP_GPU_FORCES : 0);
    request.allow_not_finite = options_.allow_not_finite;
    nnp_gpu_found found = {};
    nnp_error error = {};
    check(nnp_gpu_engine_evaluate(engine_.get(), &atoms, &request, &found, &error), error);
    return found;
}

void GpuCalcNNPForceKernel::read_extrapolations(int64_t count)
{
    std::vector<int64_t> atoms(count), functions(count);
    std::vector<double> excess(count), relative(count);
    std::vector<Extrapolation> found(count);
    nnp_error error = {};
    if (count > 0)
        check(nnp_gpu_engine_extrapolations(engine_.get(), atoms.data(), functions.data(), excess.data(),
                                            relative.data(), &error),
              error);
    for (int64_t i = 0; i < count; ++i)
        found[i] = {atoms[i], functions[i], excess[i]};
    record_->set_extrapolations(found, atomic_numbers_, widths_);
}

// Energies and forces of the last evaluation, from where they lie.
void GpuCalcNNPForceKernel::fetch()
{
    OpenMM::ContextSelector selector(context_);
    record_->energies.resize(numbers_.size());
    record_->forces.resize(record_->has_forces ? 3 * numbers_.size() : 0);
    double* forces = record_->has_forces ? record_->forces.data() : nullptr;
    nnp_error error = {};
    check(nnp_gpu_engine_read(engine_.get(), nullptr, record_->energies.data(), forces, nullptr, &error), error);
}

double GpuCalcNNPForceKernel::execute(OpenMM::ContextImpl& context, bool include_forces, bool)
{
    OpenMM::ContextSelector selector(context_);
    latest_->set(record_);
    double scale = read_scale(context, scale_parameter_);
    if (numbers_.empty())
        return 0;
    gather();
    nnp_gpu_found found = evaluate(include_forces);
    lost_ = found.not_finite != 0;
    nnp_error error = {};
    check(nnp_gpu_engine_read(engine_.get(), &record_->energy, nullptr, nullptr, nullptr, &error), error);
    read_extrapolations(found.n_extrapolations);
    record_->energies.clear();
    record_->forces.clear();
    record_->has_forces = include_forces;
    record_->succeed();
    std::string complaint = record_->complaint(options_.max_extrapolations);
    if (!complaint.empty())
        record_->fail(NNP_BAD_STRUCTURE, complaint);
    double energy = record_->energy * KJ_MOL_PER_EV;
    if (!scale_parameter_.empty())
        context_.getEnergyParamDerivWorkspace()[scale_parameter_] += energy;
    if (include_forces)
        scatter(scale);
    return scale * energy;
}

void GpuCalcNNPForceKernel::check(int code, const nnp_error& error)
{
    if (code != NNP_OK)
        record_->refuse(error);
}

}  // namespace nnp_openmm

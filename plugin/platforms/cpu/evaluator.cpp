#include "evaluator.h"

#include "units.h"

#include "openmm/OpenMMException.h"

#include <limits>

namespace nnp_openmm
{
namespace
{

static_assert(sizeof(OpenMM::Vec3) == 3 * sizeof(double), "positions and forces are read as rows of three numbers");

// Of OpenMM's box vectors, which are a lower triangle.
double volume_of(const double* cell)
{
    return cell[0] * cell[4] * cell[8];
}

}  // namespace

Evaluator::Evaluator(const NNPForce& force, int precision, int threads)
    : options_(force.options()), periodic_(force.usesPeriodicBoundaryConditions()), latest_(force.latest())
{
    options_.precision = precision;
    options_.threads = threads;
    engine_ = make_engine(force);
    take_atoms(force);
}

Evaluator::EnginePointer Evaluator::make_engine(const NNPForce& force) const
{
    nnp_options options = {options_.precision, options_.threads, options_.skin, options_.target, NNP_WIDE_AUTOMATIC};
    nnp_error error;
    ModelPointer model = make_model(force.potential());
    nnp_engine* engine = nullptr;
    if (nnp_engine_create(model.get(), &options, &engine, &error) != NNP_OK)
        throw OpenMM::OpenMMException("NNPForce: " + std::string(error.text));
    return EnginePointer(engine);
}

void Evaluator::take_atoms(const NNPForce& force)
{
    widths_ = force.widths();
    atomic_numbers_.clear();
    record_->take_particles(force.atomic_numbers());
    for (int64_t particle : record_->particles)
        atomic_numbers_.push_back(force.atomic_numbers()[particle]);
    size_t n = atomic_numbers_.size();
    positions_.assign(3 * n, 0);
    record_->energies.assign(n, 0);
    record_->forces.assign(3 * n, 0);
}

void Evaluator::update(const NNPForce& force)
{
    EnginePointer engine = make_engine(force);
    engine_ = std::move(engine);
    take_atoms(force);
}

// The engine looks for positions that are not finite; in the loops over all atoms that would take longer than the copy.
void Evaluator::gather(const std::vector<OpenMM::Vec3>& positions)
{
    const std::vector<int64_t>& particles = record_->particles;
    double* to = positions_.data();
    if (all_particles()) {
        const double* from = reinterpret_cast<const double*>(positions.data());
        for (size_t i = 0; i < positions_.size(); ++i)
            to[i] = from[i] * ANGSTROM_PER_NM;
        return;
    }
    for (size_t atom = 0; atom < particles.size(); ++atom) {
        for (int c = 0; c < 3; ++c)
            to[3 * atom + c] = positions[particles[atom]][c] * ANGSTROM_PER_NM;
    }
}

int Evaluator::compute(const OpenMM::Vec3* box, bool include_forces, nnp_error& error)
{
    double cell[9] = {};
    int32_t axis = periodic_ ? 1 : 0;
    for (int i = 0; periodic_ && i < 9; ++i)
        cell[i] = box[i / 3][i % 3] * ANGSTROM_PER_NM;
    nnp_structure structure = {static_cast<int64_t>(atomic_numbers_.size()),
                               positions_.data(),
                               atomic_numbers_.data(),
                               cell,
                               {axis, axis, axis}};
    nnp_results results = {};
    results.energy = &record_->energy;
    results.energies = record_->energies.data();
    results.forces = include_forces ? record_->forces.data() : nullptr;
    double virial[9];
    const bool stress = include_forces && periodic_;  // costs the forces nothing that could be measured
    results.virial = stress ? virial : nullptr;
    int code = nnp_engine_compute(engine_.get(), &structure, &results, &error);
    record_->has_stress = stress && code == NNP_OK;
    if (record_->has_stress)
        keep_stress(virial, volume_of(cell));
    return code;
}

void Evaluator::keep_stress(const double* virial, double volume)
{
    constexpr int PLACE[6] = {0, 4, 8, 5, 2, 1};  // xx yy zz yz xz xy in a matrix
    for (int c = 0; c < 6; ++c)
        record_->stress[c] = virial[PLACE[c]] / volume;
}

double Evaluator::evaluate(const std::vector<OpenMM::Vec3>& positions, const OpenMM::Vec3* box, bool include_forces)
{
    latest_->set(record_);
    gather(positions);
    nnp_error error;
    int code = compute(box, include_forces, error);
    record_->has_forces = include_forces;
    if (code == NNP_NOT_FINITE && options_.allow_not_finite)
        fill_with_nan();
    else if (code != NNP_OK)
        refuse(error, positions);
    else
        read_extrapolations();
    record_->succeed();
    std::string complaint = record_->complaint(options_.max_extrapolations);
    if (!complaint.empty())
        record_->fail(NNP_BAD_STRUCTURE, complaint);
    return record_->energy * KJ_MOL_PER_EV;
}

void Evaluator::add_forces(double scale, std::vector<OpenMM::Vec3>& forces) const
{
    const double factor = scale * FORCE_PER_EV_ANGSTROM;
    const std::vector<int64_t>& particles = record_->particles;
    const double* force = record_->forces.data();
    if (all_particles()) {
        double* to = reinterpret_cast<double*>(forces.data());
        for (size_t i = 0; i < record_->forces.size(); ++i)
            to[i] += force[i] * factor;
        return;
    }
    for (size_t atom = 0; atom < particles.size(); ++atom) {
        for (int c = 0; c < 3; ++c)
            forces[particles[atom]][c] += force[3 * atom + c] * factor;
    }
}

void Evaluator::read_extrapolations()
{
    nnp_extrapolations found = {};
    nnp_engine_extrapolations(engine_.get(), &found);
    extrapolations_.resize(found.count);
    for (int64_t i = 0; i < found.count; ++i)
        extrapolations_[i] = {found.atoms[i], found.functions[i], found.excess[i]};
    record_->set_extrapolations(extrapolations_, atomic_numbers_, widths_);
}

void Evaluator::fill_with_nan()
{
    constexpr double NOT_A_NUMBER = std::numeric_limits<double>::quiet_NaN();
    record_->energy = NOT_A_NUMBER;
    record_->energies.assign(record_->energies.size(), NOT_A_NUMBER);
    record_->forces.assign(record_->forces.size(), NOT_A_NUMBER);
}

void Evaluator::refuse(const nnp_error& error, const std::vector<OpenMM::Vec3>& positions)
{
    std::string where;
    if (error.code == NNP_LOST_POSITION) {
        const OpenMM::Vec3& r = positions[record_->particles[error.atom]];
        where = ": (" + std::to_string(r[0]) + ", " + std::to_string(r[1]) + ", " + std::to_string(r[2]) + ") nm";
    }
    record_->refuse(error, where);
}

}  // namespace nnp_openmm

// One potential on positions in the host's memory, through the CPU engine's C interface.
#ifndef NNP_PLUGIN_EVALUATOR_H
#define NNP_PLUGIN_EVALUATOR_H

#include "force.h"

#include "nnp.h"

#include "openmm/Vec3.h"

namespace nnp_openmm
{

class Evaluator
{
public:
    // precision: enum nnp_precision; threads: 0 for all the process may use.
    Evaluator(const NNPForce& force, int precision, int threads);

    // Energy in kJ/mol without the global scale; the record holds energies and forces in eV and Å.
    // box: three vectors, nm, read by a periodic force only. Throws OpenMMException.
    double evaluate(const std::vector<OpenMM::Vec3>& positions, const OpenMM::Vec3* box, bool include_forces);
    // Adds scale times the forces of the last evaluation, kJ/mol/nm.
    void add_forces(double scale, std::vector<OpenMM::Vec3>& forces) const;
    // Takes over the force's potential and atomic numbers; leaves everything as it was when they are not good.
    void update(const NNPForce& force);

    const std::shared_ptr<Record>& record() const { return record_; }

private:
    struct Destroy {
        void operator()(nnp_engine* engine) const { nnp_engine_destroy(engine); }
    };
    using EnginePointer = std::unique_ptr<nnp_engine, Destroy>;

    ForceOptions options_;
    bool periodic_;
    Widths widths_;
    std::vector<int32_t> atomic_numbers_;  // of the atoms
    std::vector<double> positions_;        // [atoms][3], Å
    std::shared_ptr<Latest> latest_;
    std::shared_ptr<Record> record_ = std::make_shared<Record>();
    std::vector<Extrapolation> extrapolations_;
    EnginePointer engine_;

    bool all_particles() const { return record_->n_particles == static_cast<int64_t>(record_->particles.size()); }
    EnginePointer make_engine(const NNPForce& force) const;
    void take_atoms(const NNPForce& force);
    void gather(const std::vector<OpenMM::Vec3>& positions);
    int compute(const OpenMM::Vec3* box, bool include_forces, nnp_error& error);
    void keep_stress(const double* virial, double volume);
    void read_extrapolations();
    void fill_with_nan();
    [[noreturn]] void refuse(const nnp_error& error, const std::vector<OpenMM::Vec3>& positions);
};

}  // namespace nnp_openmm

#endif

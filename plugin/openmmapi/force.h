// NNPForce: a Behler-Parrinello potential as an OpenMM Force.
#ifndef NNP_PLUGIN_FORCE_H
#define NNP_PLUGIN_FORCE_H

#include "potential_data.h"
#include "record.h"

#include "openmm/Context.h"
#include "openmm/Force.h"

#define NNP_OPENMM_API __attribute__((visibility("default")))

namespace nnp_openmm
{

class NNPForceImpl;

// Where a GPU platform evaluates: through the CPU engine in the host's memory, with kernels on the device, or with
// those where the device is a GPU (an OpenCL device may be a CPU, which the engine serves better).
enum { GPU_AUTO = -1, GPU_HOST = 0, GPU_DEVICE = 1 };

// How a force is evaluated; what it computes does not depend on it.
struct ForceOptions {
    int32_t precision = 0;            // enum nnp_precision; the Reference platform always uses float64
    int32_t threads = 0;              // 0: those of the platform
    double skin = -1;                 // Å; negative: the engine's default
    int32_t target = 0;               // instruction set, as in nnp.h
    bool allow_not_finite = false;    // give NaN instead of an exception when an energy or force is not finite
    int32_t gpu_kernels = GPU_AUTO;   // where GPU platforms evaluate
    int64_t max_extrapolations = -1;  // throw when more atoms extrapolate; negative: any number may
};

// E = scale · Σ_i E_i over the particles with a non-zero atomic number, which see only one another.
//
// The potential travels inside, so that a copied or serialised force is complete. Virtual sites and massless
// particles may be among the atoms: OpenMM passes a site's force on to its parents, and does not move particles
// without mass. A particle that is not an atom of the potential has atomic number 0.
class NNP_OPENMM_API NNPForce : public OpenMM::Force
{
public:
    // atomic_numbers: one for each particle of the System. Throws OpenMMException for an element without a network.
    NNPForce(PotentialData potential, std::vector<int32_t> atomic_numbers, bool periodic,
             const ForceOptions& options = {});

    const PotentialData& potential() const { return potential_; }
    const Widths& widths() const { return widths_; }
    const std::vector<int32_t>& atomic_numbers() const { return atomic_numbers_; }
    const ForceOptions& options() const { return options_; }
    const std::shared_ptr<Latest>& latest() const { return latest_; }

    // Context parameter that multiplies the energy; none by default.
    const std::string& scale_parameter() const { return scale_parameter_; }
    double default_scale() const { return default_scale_; }
    void set_scale(const std::string& parameter, double default_scale);

    // Takes effect in new Contexts; update_parameters_in_context brings it to an old one.
    void set_potential(PotentialData potential);
    void update_parameters_in_context(OpenMM::Context& context) const;
    // The last evaluation in a Context; throws when the force is not in it.
    std::shared_ptr<Record> record_in_context(OpenMM::Context& context) const;

    bool usesPeriodicBoundaryConditions() const override { return periodic_; }

protected:
    OpenMM::ForceImpl* createImpl() const override;

private:
    PotentialData potential_;
    Widths widths_;
    std::vector<int32_t> atomic_numbers_;
    bool periodic_;
    ForceOptions options_;
    std::string scale_parameter_;
    double default_scale_ = 1;
    std::shared_ptr<Latest> latest_ = std::make_shared<Latest>();

    NNPForceImpl& impl_in(OpenMM::Context& context) const;
    void check_elements(const Widths& widths) const;
};

}  // namespace nnp_openmm

#endif

// The kernel that a platform implements to run an NNPForce.
#ifndef NNP_PLUGIN_KERNELS_H
#define NNP_PLUGIN_KERNELS_H

#include "force.h"

#include "openmm/KernelImpl.h"
#include "openmm/internal/ContextImpl.h"

namespace nnp_openmm
{

class NNP_OPENMM_API CalcNNPForceKernel : public OpenMM::KernelImpl
{
public:
    static std::string Name() { return "CalcNNPForce"; }
    // The other two are registered on GPU platforms, where the first chooses between them.
    static std::string HostName() { return "CalcNNPForceOnHost"; }
    static std::string DeviceName() { return "CalcNNPForceOnDevice"; }

    CalcNNPForceKernel(const std::string& name, const OpenMM::Platform& platform) : KernelImpl(name, platform) {}

    virtual void initialize(OpenMM::ContextImpl& context, const NNPForce& force) = 0;
    // Adds the forces, kJ/mol/nm, to the Context's and returns the energy, kJ/mol.
    virtual double execute(OpenMM::ContextImpl& context, bool include_forces, bool include_energy) = 0;
    virtual void update_parameters(OpenMM::ContextImpl& context, const NNPForce& force) = 0;
    virtual std::shared_ptr<Record> record() = 0;

protected:
    // The global scale in a Context; 1 without a parameter. Throws OpenMMException when it is not finite.
    static double read_scale(OpenMM::ContextImpl& context, const std::string& parameter);
};

}  // namespace nnp_openmm

#endif

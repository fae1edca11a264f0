// An NNPForce in one Context.
#ifndef NNP_PLUGIN_FORCE_IMPL_H
#define NNP_PLUGIN_FORCE_IMPL_H

#include "kernels.h"

#include "openmm/Kernel.h"
#include "openmm/internal/ForceImpl.h"

namespace nnp_openmm
{

class NNPForceImpl : public OpenMM::ForceImpl
{
public:
    explicit NNPForceImpl(const NNPForce& owner);

    void initialize(OpenMM::ContextImpl& context) override;
    const NNPForce& getOwner() const override { return owner_; }
    void updateContextState(OpenMM::ContextImpl& context, bool& forcesInvalid) override;
    double calcForcesAndEnergy(OpenMM::ContextImpl& context, bool includeForces, bool includeEnergy,
                               int groups) override;
    std::map<std::string, double> getDefaultParameters() override;
    std::vector<std::string> getKernelNames() override;

    void update_parameters(OpenMM::ContextImpl& context);
    std::shared_ptr<Record> record();

private:
    const NNPForce& owner_;
    OpenMM::Kernel kernel_;

    std::string kernel_name(const OpenMM::Platform& platform) const;
    CalcNNPForceKernel& kernel();
};

}  // namespace nnp_openmm

#endif

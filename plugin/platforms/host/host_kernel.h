// NNPForce on platforms without kernels of their own: the CPU engine evaluates it in the host's memory, and OpenMM
// carries positions there and forces back, as it does for its CustomCPPForceImpl.
//
// The energy's derivative by the scale parameter is not available here.
#ifndef NNP_PLUGIN_HOST_KERNEL_H
#define NNP_PLUGIN_HOST_KERNEL_H

#include "evaluator.h"
#include "kernels.h"

#include "openmm/KernelFactory.h"
#include "openmm/internal/CustomCPPForceImpl.h"

namespace nnp_openmm
{

class HostCalcNNPForceKernel : public CalcNNPForceKernel
{
public:
    using CalcNNPForceKernel::CalcNNPForceKernel;

    void initialize(OpenMM::ContextImpl& context, const NNPForce& force) override;
    double execute(OpenMM::ContextImpl& context, bool include_forces, bool include_energy) override;
    void update_parameters(OpenMM::ContextImpl& context, const NNPForce& force) override;
    std::shared_ptr<Record> record() override { return evaluator_->record(); }

private:
    // What OpenMM calls with the positions.
    class Carrier : public OpenMM::CustomCPPForceImpl
    {
    public:
        Carrier(const NNPForce& force, Evaluator& evaluator)
            : CustomCPPForceImpl(force), force_(force), evaluator_(evaluator), scale_parameter_(force.scale_parameter())
        {
        }
        const OpenMM::Force& getOwner() const override { return force_; }
        double computeForce(OpenMM::ContextImpl& context, const std::vector<OpenMM::Vec3>& positions,
                            std::vector<OpenMM::Vec3>& forces) override;

    private:
        const NNPForce& force_;
        Evaluator& evaluator_;
        std::string scale_parameter_;
    };

    std::unique_ptr<Evaluator> evaluator_;
    std::unique_ptr<Carrier> carrier_;
};

class HostKernelFactory : public OpenMM::KernelFactory
{
public:
    OpenMM::KernelImpl* createKernelImpl(std::string name, const OpenMM::Platform& platform,
                                         OpenMM::ContextImpl& context) const override;
};

}  // namespace nnp_openmm

#endif

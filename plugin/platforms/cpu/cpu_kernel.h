// NNPForce on the platforms Reference and CPU, whose positions and forces are in the host's memory.
#ifndef NNP_PLUGIN_CPU_KERNEL_H
#define NNP_PLUGIN_CPU_KERNEL_H

#include "evaluator.h"
#include "kernels.h"

#include "openmm/KernelFactory.h"

namespace nnp_openmm
{

class CpuCalcNNPForceKernel : public CalcNNPForceKernel
{
public:
    using CalcNNPForceKernel::CalcNNPForceKernel;

    void initialize(OpenMM::ContextImpl& context, const NNPForce& force) override;
    double execute(OpenMM::ContextImpl& context, bool include_forces, bool include_energy) override;
    void update_parameters(OpenMM::ContextImpl& context, const NNPForce& force) override;
    std::shared_ptr<Record> record() override { return evaluator_->record(); }

private:
    std::unique_ptr<Evaluator> evaluator_;
    std::string scale_parameter_;
};

class CpuKernelFactory : public OpenMM::KernelFactory
{
public:
    OpenMM::KernelImpl* createKernelImpl(std::string name, const OpenMM::Platform& platform,
                                         OpenMM::ContextImpl& context) const override;
};

}  // namespace nnp_openmm

#endif

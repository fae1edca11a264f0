// NNPForce on platforms without kernels of their own: the CPU engine evaluates it in the host's memory, and OpenMM
// carries positions there and forces back, as it does for its CustomCPPForceImpl.
// On the GPU platforms a computation of its own, after the forces, adds the energy's derivative by the scale parameter.
#ifndef NNP_PLUGIN_HOST_KERNEL_H
#define NNP_PLUGIN_HOST_KERNEL_H

#include "evaluator.h"
#include "kernels.h"

#include "openmm/common/ComputeContext.h"
#include "openmm/internal/CustomCPPForceImpl.h"

namespace nnp_openmm
{

class HostCalcNNPForceKernel : public CalcNNPForceKernel
{
public:
    // device: where the platform collects the energy's derivatives; null where there is none.
    HostCalcNNPForceKernel(const std::string& name, const OpenMM::Platform& platform, OpenMM::ComputeContext* device)
        : CalcNNPForceKernel(name, platform), device_(device)
    {
    }

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

        double energy() const { return energy_; }

    private:
        const NNPForce& force_;
        Evaluator& evaluator_;
        std::string scale_parameter_;
        double energy_ = 0;  // kJ/mol, without the scale
    };
    class Derivative;

    OpenMM::ComputeContext* device_;
    std::unique_ptr<Evaluator> evaluator_;
    std::unique_ptr<Carrier> carrier_;
};

}  // namespace nnp_openmm

#endif

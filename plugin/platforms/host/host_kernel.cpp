#include "host_kernel.h"

namespace nnp_openmm
{
namespace
{

constexpr int ALL_GROUPS = ~0;  // the force's own group was looked at before

}  // namespace

class HostCalcNNPForceKernel::Derivative : public OpenMM::ComputeContext::ForcePostComputation
{
public:
    Derivative(OpenMM::ComputeContext& device, const Carrier& carrier, const NNPForce& force)
        : device_(device), carrier_(carrier), parameter_(force.scale_parameter()), group_(1 << force.getForceGroup())
    {
    }
    double computeForceAndEnergy(bool, bool, int groups) override
    {
        if (groups & group_)
            device_.getEnergyParamDerivWorkspace()[parameter_] += carrier_.energy();
        return 0;
    }

private:
    OpenMM::ComputeContext& device_;
    const Carrier& carrier_;
    std::string parameter_;
    int group_;
};

double HostCalcNNPForceKernel::Carrier::computeForce(OpenMM::ContextImpl& context,
                                                     const std::vector<OpenMM::Vec3>& positions,
                                                     std::vector<OpenMM::Vec3>& forces)
{
    OpenMM::Vec3 box[3];
    context.getPeriodicBoxVectors(box[0], box[1], box[2]);
    double scale = read_scale(context, scale_parameter_);
    energy_ = evaluator_.evaluate(positions, box, true);
    std::fill(forces.begin(), forces.end(), OpenMM::Vec3());
    evaluator_.add_forces(scale, forces);
    return scale * energy_;
}

void HostCalcNNPForceKernel::initialize(OpenMM::ContextImpl& context, const NNPForce& force)
{
    evaluator_ = std::make_unique<Evaluator>(force, force.options().precision, force.options().threads);
    carrier_ = std::make_unique<Carrier>(force, *evaluator_);
    carrier_->initialize(context);
    if (!device_ || force.scale_parameter().empty())
        return;
    device_->addEnergyParameterDerivative(force.scale_parameter());
    // the device deletes it; after the carrier's own, which waits for the energy
    device_->getPostComputations().push_back(new Derivative(*device_, *carrier_, force));
}

double HostCalcNNPForceKernel::execute(OpenMM::ContextImpl& context, bool include_forces, bool include_energy)
{
    return carrier_->calcForcesAndEnergy(context, include_forces, include_energy, ALL_GROUPS);
}

void HostCalcNNPForceKernel::update_parameters(OpenMM::ContextImpl&, const NNPForce& force)
{
    evaluator_->update(force);
}

}  // namespace nnp_openmm

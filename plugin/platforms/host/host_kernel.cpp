#include "host_kernel.h"

#include "openmm/OpenMMException.h"

namespace nnp_openmm
{
namespace
{

constexpr int ALL_GROUPS = ~0;  // the force's own group was looked at before

}  // namespace

double HostCalcNNPForceKernel::Carrier::computeForce(OpenMM::ContextImpl& context,
                                                     const std::vector<OpenMM::Vec3>& positions,
                                                     std::vector<OpenMM::Vec3>& forces)
{
    OpenMM::Vec3 box[3];
    context.getPeriodicBoxVectors(box[0], box[1], box[2]);
    double energy = evaluator_.evaluate(positions, box, true);
    double scale = scale_parameter_.empty() ? 1 : context.getParameter(scale_parameter_);
    std::fill(forces.begin(), forces.end(), OpenMM::Vec3());
    evaluator_.add_forces(scale, forces);
    return scale * energy;
}

void HostCalcNNPForceKernel::initialize(OpenMM::ContextImpl& context, const NNPForce& force)
{
    evaluator_ = std::make_unique<Evaluator>(force, force.options().precision, force.options().threads);
    carrier_ = std::make_unique<Carrier>(force, *evaluator_);
    carrier_->initialize(context);
}

double HostCalcNNPForceKernel::execute(OpenMM::ContextImpl& context, bool include_forces, bool include_energy)
{
    return carrier_->calcForcesAndEnergy(context, include_forces, include_energy, ALL_GROUPS);
}

void HostCalcNNPForceKernel::update_parameters(OpenMM::ContextImpl&, const NNPForce& force)
{
    evaluator_->update(force);
}

OpenMM::KernelImpl* HostKernelFactory::createKernelImpl(std::string name, const OpenMM::Platform& platform,
                                                        OpenMM::ContextImpl&) const
{
    if (name == CalcNNPForceKernel::Name())
        return new HostCalcNNPForceKernel(name, platform);
    throw OpenMM::OpenMMException("NNPForce: there is no kernel of the name '" + name + "'");
}

}  // namespace nnp_openmm

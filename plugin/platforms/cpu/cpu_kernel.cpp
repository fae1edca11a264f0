#include "cpu_kernel.h"

#include "openmm/OpenMMException.h"
#include "openmm/reference/ReferencePlatform.h"

namespace nnp_openmm
{
namespace
{

// The CPU platform's data begin as the Reference platform's.
OpenMM::ReferencePlatform::PlatformData& platform_data(OpenMM::ContextImpl& context)
{
    return *static_cast<OpenMM::ReferencePlatform::PlatformData*>(context.getPlatformData());
}

int thread_count(OpenMM::ContextImpl& context, const ForceOptions& options)
{
    if (options.threads != 0)
        return options.threads;
    return std::stoi(context.getPlatform().getPropertyValue(context.getOwner(), "Threads"));
}

}  // namespace

void CpuCalcNNPForceKernel::initialize(OpenMM::ContextImpl& context, const NNPForce& force)
{
    bool reference = context.getPlatform().getName() == "Reference";
    int precision = reference ? static_cast<int>(NNP_FLOAT64) : force.options().precision;
    int threads = reference ? 1 : thread_count(context, force.options());
    evaluator_ = std::make_unique<Evaluator>(force, precision, threads);
    scale_parameter_ = force.scale_parameter();
}

double CpuCalcNNPForceKernel::execute(OpenMM::ContextImpl& context, bool include_forces, bool)
{
    auto& data = platform_data(context);
    double scale = read_scale(context, scale_parameter_);
    double energy = evaluator_->evaluate(*data.positions, data.periodicBoxVectors, include_forces);
    if (!scale_parameter_.empty())
        (*data.energyParameterDerivatives)[scale_parameter_] += energy;
    if (include_forces)
        evaluator_->add_forces(scale, *data.forces);
    return scale * energy;
}

void CpuCalcNNPForceKernel::update_parameters(OpenMM::ContextImpl&, const NNPForce& force)
{
    evaluator_->update(force);
}

OpenMM::KernelImpl* CpuKernelFactory::createKernelImpl(std::string name, const OpenMM::Platform& platform,
                                                       OpenMM::ContextImpl&) const
{
    if (name == CalcNNPForceKernel::Name())
        return new CpuCalcNNPForceKernel(name, platform);
    throw OpenMM::OpenMMException("NNPForce: there is no kernel named '" + name + "'");
}

}  // namespace nnp_openmm

#include "force_impl.h"

#include "openmm/OpenMMException.h"

#include <cmath>

namespace nnp_openmm
{

double CalcNNPForceKernel::read_scale(OpenMM::ContextImpl& context, const std::string& parameter)
{
    double scale = parameter.empty() ? 1 : context.getParameter(parameter);
    if (!std::isfinite(scale))
        throw OpenMM::OpenMMException("NNPForce: the scale parameter '" + parameter + "' is " + std::to_string(scale) +
                                      " in this Context: set a finite number");
    return scale;
}

NNPForceImpl::NNPForceImpl(const NNPForce& owner) : owner_(owner)
{
    forceGroup = owner.getForceGroup();
}

CalcNNPForceKernel& NNPForceImpl::kernel()
{
    return kernel_.getAs<CalcNNPForceKernel>();
}

std::string NNPForceImpl::kernel_name(const OpenMM::Platform& platform) const
{
    int32_t asked = owner_.options().gpu_kernels;
    if (asked == GPU_AUTO || !platform.supportsKernels({CalcNNPForceKernel::DeviceName()}))
        return CalcNNPForceKernel::Name();
    return asked == GPU_HOST ? CalcNNPForceKernel::HostName() : CalcNNPForceKernel::DeviceName();
}

void NNPForceImpl::initialize(OpenMM::ContextImpl& context)
{
    int n_species = static_cast<int>(owner_.atomic_numbers().size());
    int n_particles = context.getSystem().getNumParticles();
    if (n_species != n_particles)
        throw OpenMM::OpenMMException("NNPForce: it has atomic numbers for " + std::to_string(n_species) +
                                      " particles, but the System has " + std::to_string(n_particles) +
                                      ": make the force for all particles, with 0 for those that are not atoms of "
                                      "the potential");
    kernel_ = context.getPlatform().createKernel(kernel_name(context.getPlatform()), context);
    kernel().initialize(context, owner_);
}

void NNPForceImpl::updateContextState(OpenMM::ContextImpl&, bool&) {}

double NNPForceImpl::calcForcesAndEnergy(OpenMM::ContextImpl& context, bool includeForces, bool includeEnergy,
                                         int groups)
{
    if ((groups & (1 << forceGroup)) == 0)
        return 0;
    return kernel().execute(context, includeForces, includeEnergy);
}

std::map<std::string, double> NNPForceImpl::getDefaultParameters()
{
    if (owner_.scale_parameter().empty())
        return {};
    return {{owner_.scale_parameter(), owner_.default_scale()}};
}

std::vector<std::string> NNPForceImpl::getKernelNames()
{
    return {CalcNNPForceKernel::Name()};
}

void NNPForceImpl::update_parameters(OpenMM::ContextImpl& context)
{
    kernel().update_parameters(context, owner_);
    context.systemChanged();
}

std::shared_ptr<Record> NNPForceImpl::record()
{
    return kernel().record();
}

}  // namespace nnp_openmm

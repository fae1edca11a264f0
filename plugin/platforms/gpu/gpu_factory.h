// Which kernel evaluates an NNPForce on OpenMM's GPU platforms: on the device or on the host.
#ifndef NNP_PLUGIN_GPU_FACTORY_H
#define NNP_PLUGIN_GPU_FACTORY_H

#include "openmm/KernelFactory.h"

namespace nnp_openmm
{

class GpuKernelFactory : public OpenMM::KernelFactory
{
public:
    // Throws OpenMMException when the device is asked for and cannot run the kernels.
    OpenMM::KernelImpl* createKernelImpl(std::string name, const OpenMM::Platform& platform,
                                         OpenMM::ContextImpl& context) const override;
};

}  // namespace nnp_openmm

#endif

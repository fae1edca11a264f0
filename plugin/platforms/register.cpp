// What OpenMM calls when it loads the plugin.
#include "cpu_kernel.h"
#include "force_proxy.h"
#include "gpu_factory.h"

#include "openmm/reference/ReferencePlatform.h"

extern "C" NNP_OPENMM_API void registerPlatforms() {}

extern "C" NNP_OPENMM_API void registerKernelFactories()
{
    using namespace nnp_openmm;
    static bool registered = false;
    if (registered)
        return;
    registered = true;
    OpenMM::SerializationProxy::registerProxy(typeid(NNPForce), new NNPForceProxy());
    for (int i = 0; i < OpenMM::Platform::getNumPlatforms(); ++i) {
        OpenMM::Platform& platform = OpenMM::Platform::getPlatform(i);
        if (dynamic_cast<OpenMM::ReferencePlatform*>(&platform)) {  // CPU is one, too
            platform.registerKernelFactory(CalcNNPForceKernel::Name(), new CpuKernelFactory());
        } else {
            for (const std::string& name :
                 {CalcNNPForceKernel::Name(), CalcNNPForceKernel::HostName(), CalcNNPForceKernel::DeviceName()})
                platform.registerKernelFactory(name, new GpuKernelFactory());
        }
    }
}

#include "gpu_factory.h"

#include "gpu_kernel.h"
#include "host_kernel.h"
#include "local_memory.h"

#include "openmm/OpenMMException.h"
#include "openmm/cuda/CudaPlatform.h"
#include "openmm/hip/HipPlatform.h"
#include "openmm/opencl/OpenCLPlatform.h"

#include <string>

namespace nnp_openmm
{
namespace
{

struct Devices {
    ComputeContext* first = nullptr;
    size_t count = 0;
};

// The device contexts are in each platform's data; OpenMM runs a force like ours on the first.
template <class Data>
Devices devices_in(OpenMM::ContextImpl& context)
{
    const auto& contexts = static_cast<Data*>(context.getPlatformData())->contexts;
    // one base class, so that the addresses are the same; the classes themselves need the vendors' headers
    return {reinterpret_cast<ComputeContext*>(contexts[0]), contexts.size()};
}

// Those of a Context on one of OpenMM's GPU platforms; none on other platforms.
Devices devices_of(const OpenMM::Platform& platform, OpenMM::ContextImpl& context)
{
    if (platform.getName() == "OpenCL")
        return devices_in<OpenMM::OpenCLPlatform::PlatformData>(context);
    if (platform.getName() == "CUDA")
        return devices_in<OpenMM::CudaPlatform::PlatformData>(context);
    if (platform.getName() == "HIP")
        return devices_in<OpenMM::HipPlatform::PlatformData>(context);
    return {};
}

// Why the kernels cannot run there; empty when they can.
std::string obstacle(const Devices& devices)
{
    if (!devices.first || !devices.first->getSupports64BitGlobalAtomics() ||
        !devices.first->getSupportsDoublePrecision())
        return "needs a device with float64 and 64-bit atomics";
    return "";
}

}  // namespace

OpenMM::KernelImpl* GpuKernelFactory::createKernelImpl(std::string name, const OpenMM::Platform& platform,
                                                       OpenMM::ContextImpl& context) const
{
    Devices devices = devices_of(platform, context);
    // With several OpenMM clears and sums forces in threads of its own: our kernels would run beside them, and what
    // the host adds is lost now and then (forces of zero in one evaluation of some dozens, on PoCL).
    if (devices.count > 1)
        throw OpenMM::OpenMMException("NNPForce runs on one device per Context, not on " +
                                      std::to_string(devices.count) + ": give one DeviceIndex");
    std::string why_not = obstacle(devices);
    bool asked = name == CalcNNPForceKernel::DeviceName();
    if (asked && !why_not.empty())
        throw OpenMM::OpenMMException("NNPForce: gpu_kernels=True " + why_not +
                                      ", or make the force with gpu_kernels=False, which evaluates on the host");
    bool chosen = name == CalcNNPForceKernel::Name() && why_not.empty() && !devices.first->getIsCPU();
    if (asked || chosen)
        return new GpuCalcNNPForceKernel(name, platform, *devices.first, local_memory_of(platform, context));
    return new HostCalcNNPForceKernel(name, platform, devices.first);
}

}  // namespace nnp_openmm

#include "local_memory.h"

#include <dlfcn.h>

#include <string>
#include <vector>

namespace nnp_openmm
{
namespace
{

constexpr int64_t KILOBYTE = 1024;
constexpr int64_t OF_CUDA = 48 * KILOBYTE;    // what a kernel may have without asking the driver for more; of HIP too
constexpr int64_t OF_OPENCL = 32 * KILOBYTE;  // what every device has

// OpenCL's own numbers
constexpr uint64_t DEVICE_TYPE_ALL = 0xFFFFFFFF;
constexpr uint32_t DEVICE_LOCAL_MEM_SIZE = 0x1023;
using Handle = void*;
using GetPlatforms = int32_t (*)(uint32_t, Handle*, uint32_t*);
using GetDevices = int32_t (*)(Handle, uint64_t, uint32_t, Handle*, uint32_t*);
using GetInfo = int32_t (*)(Handle, uint32_t, size_t, void*, size_t*);

// The handles that a function of OpenCL lists, and the one of them that OpenMM's property names by its place.
template <class List>
Handle chosen(List list, const std::string& index)
{
    uint32_t count = 0;
    if (list(0, nullptr, &count) != 0 || count == 0)
        return nullptr;
    std::vector<Handle> handles(count);
    list(count, handles.data(), nullptr);
    size_t at = index.empty() ? 0 : std::stoul(index);
    return at < handles.size() ? handles[at] : nullptr;
}

// The library is in the process, for OpenMM's platform links with it.
int64_t ask_opencl(const std::string& platform_index, const std::string& device_index)
{
    void* library = dlopen("libOpenCL.so.1", RTLD_LAZY | RTLD_LOCAL);
    auto get_platforms = library ? reinterpret_cast<GetPlatforms>(dlsym(library, "clGetPlatformIDs")) : nullptr;
    auto get_devices = library ? reinterpret_cast<GetDevices>(dlsym(library, "clGetDeviceIDs")) : nullptr;
    auto get_info = library ? reinterpret_cast<GetInfo>(dlsym(library, "clGetDeviceInfo")) : nullptr;
    if (!get_platforms || !get_devices || !get_info)
        return OF_OPENCL;
    Handle platform = chosen(get_platforms, platform_index);
    Handle device = platform
                        ? chosen([&](uint32_t n, Handle* out,
                                     uint32_t* count) { return get_devices(platform, DEVICE_TYPE_ALL, n, out, count); },
                                 device_index)
                        : nullptr;
    uint64_t bytes = 0;
    if (!device || get_info(device, DEVICE_LOCAL_MEM_SIZE, sizeof bytes, &bytes, nullptr) != 0)
        return OF_OPENCL;
    return static_cast<int64_t>(bytes);
}

}  // namespace

int64_t local_memory_of(const OpenMM::Platform& platform, OpenMM::ContextImpl& context)
{
    if (platform.getName() != "OpenCL")
        return OF_CUDA;
    const OpenMM::Context& owner = context.getOwner();
    return ask_opencl(platform.getPropertyValue(owner, "OpenCLPlatformIndex"),
                      platform.getPropertyValue(owner, "DeviceIndex"));
}

}  // namespace nnp_openmm

#include "openmm_device.h"

#include "nnp_gpu.h"

#include <cstring>

namespace nnp_openmm
{
namespace
{

constexpr int64_t MOST_GROUPS = 1 << 20;

OpenMMDevice& self(void* context)
{
    return *static_cast<OpenMMDevice*>(context);
}

void read(const ArrayInterface& array, void* values, int64_t n_bytes)
{
    size_t all = array.getSize() * static_cast<size_t>(array.getElementSize());
    if (static_cast<size_t>(n_bytes) == all) {
        array.download(values, true);
        return;
    }
    std::vector<char> whole(all);  // OpenMM reads no parts
    array.download(whole.data(), true);
    std::memcpy(values, whole.data(), static_cast<size_t>(n_bytes));
}

}  // namespace

// No exception may cross C code.
template <class Work>
int OpenMMDevice::guarded(Work work)
{
    try {
        work();
        return NNP_OK;
    } catch (const std::exception& error) {
        message_ = error.what();
        return NNP_UNAVAILABLE;
    }
}

OpenMMDevice::OpenMMDevice(ComputeContext& context, const std::string& description, int64_t local_bytes, bool is_gpu)
    : context_(context), description_(description), table_()
{
    table_.version = NNP_DEVICE_VERSION;
    table_.dialect = NNP_GPU_OPENMM;
    table_.local_bytes = local_bytes;
    table_.most_groups = MOST_GROUPS;
    table_.many_threads = is_gpu;
    table_.description = description_.c_str();
    table_.context = this;
    table_.allocate = [](void* device, int64_t n_items, int32_t item_bytes, uint64_t* buffer) {
        return self(device).guarded(
            [&] { *buffer = reinterpret_cast<uint64_t>(self(device).allocate(n_items, item_bytes)); });
    };
    table_.release = [](void* device, uint64_t buffer) { self(device).release(&array(buffer)); };
    table_.write = [](void* device, uint64_t buffer, const void* values, int64_t n_bytes) {
        return self(device).guarded([&] {
            ArrayInterface& to = array(buffer);
            to.uploadSubArray(values, 0, static_cast<int>(n_bytes / to.getElementSize()), true);
        });
    };
    table_.read = [](void* device, uint64_t buffer, void* values, int64_t n_bytes) {
        return self(device).guarded([&] { read(array(buffer), values, n_bytes); });
    };
    table_.compile = [](void* device, const char* source, int32_t, uint64_t* program) {
        OpenMMDevice& d = self(device);
        return d.guarded([&] {
            d.programs_.push_back(d.context_.compileProgram(source));
            *program = d.programs_.size();
        });
    };
    table_.kernel = [](void* device, uint64_t program, const char* name, const char* signature, uint64_t* kernel) {
        OpenMMDevice& d = self(device);
        return d.guarded([&] {
            d.kernels_.push_back(
                std::make_unique<Kernel>(Kernel{d.programs_[program - 1]->createKernel(name), signature, false}));
            *kernel = reinterpret_cast<uint64_t>(d.kernels_.back().get());
        });
    };
    table_.launch = [](void* device, uint64_t kernel, int64_t groups, int32_t group_size, const uint64_t* arguments) {
        return self(device).guarded([&] { launch(*reinterpret_cast<Kernel*>(kernel), groups, group_size, arguments); });
    };
    table_.message = [](void* device) { return self(device).message_.c_str(); };
}

OpenMMDevice::~OpenMMDevice()
{
    for (ArrayInterface* array : arrays_)
        delete array;
}

ArrayInterface* OpenMMDevice::allocate(int64_t n_items, int32_t item_bytes)
{
    std::unique_ptr<ArrayInterface> array(context_.createArray());
    array->initialize(context_, static_cast<size_t>(n_items), item_bytes, "nnp");
    return *arrays_.insert(array.release()).first;
}

void OpenMMDevice::release(ArrayInterface* array)
{
    arrays_.erase(array);
    delete array;
}

void OpenMMDevice::launch(Kernel& kernel, int64_t groups, int32_t group_size, const uint64_t* arguments)
{
    for (size_t i = 0; i < kernel.signature.size(); ++i) {
        int index = static_cast<int>(i), number = static_cast<int>(arguments[i]);
        bool is_buffer = kernel.signature[i] == 'b';
        if (kernel.bound && is_buffer)
            kernel.kernel->setArg(index, array(arguments[i]));
        else if (kernel.bound)
            kernel.kernel->setArg(index, number);
        else if (is_buffer)
            kernel.kernel->addArg(array(arguments[i]));
        else
            kernel.kernel->addArg(number);
    }
    kernel.bound = true;
    kernel.kernel->execute(static_cast<int>(groups * group_size), group_size);
}

}  // namespace nnp_openmm

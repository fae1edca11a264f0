#include "device.h"

#include "nnp.h"

#include <algorithm>

namespace nnp::gpu
{

Device::Device(const nnp_device& table) : table_(table)
{
    if (table.version != NNP_DEVICE_VERSION)
        throw Error(NNP_BAD_ARGUMENT, "the device's table is of version " + std::to_string(table.version) +
                                          ", this library takes " + std::to_string(NNP_DEVICE_VERSION) +
                                          ": build both with the same nnp_device.h");
}

void Device::check(int code) const
{
    if (code != NNP_OK)
        throw Error(code, table_.message(table_.context));
}

void Buffer::resize(int64_t size)
{
    if (size == size_)
        return;
    release();
    device_.check(device_->allocate(device_.context(), std::max<int64_t>(size, 1), item_bytes_, &handle_));
    size_ = size;
}

bool Buffer::need(int64_t size)
{
    if (size <= size_)
        return false;
    resize(size);
    return true;
}

void Buffer::write_reals(const std::vector<double>& values)
{
    if (item_bytes_ == sizeof(double))
        write(values);
    else
        write(std::vector<float>(values.begin(), values.end()));
}

void Buffer::release()
{
    if (size_ >= 0)
        device_->release(device_.context(), handle_);
    handle_ = 0;
    size_ = -1;
}

}  // namespace nnp::gpu

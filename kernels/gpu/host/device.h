// A device's table of functions with its failures as exceptions, and memory that is given back.
#ifndef NNP_GPU_HOST_DEVICE_H
#define NNP_GPU_HOST_DEVICE_H

#include "error.h"
#include "nnp_device.h"

#include <vector>

namespace nnp::gpu
{

class Device
{
public:
    // Throws Error(NNP_BAD_ARGUMENT) for a table of another version.
    explicit Device(const nnp_device& table);

    const nnp_device* operator->() const { return &table_; }
    void* context() const { return table_.context; }
    void check(int code) const;

private:
    nnp_device table_;
};

// Items of one size on a device. What it holds is lost when it gets another size.
class Buffer
{
public:
    Buffer(const Device& device, int item_bytes) : device_(device), item_bytes_(item_bytes) {}
    ~Buffer() { release(); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    void resize(int64_t size);
    // At least so many; true where that took other memory.
    bool need(int64_t size);
    uint64_t handle() const { return handle_; }
    int64_t size() const { return size_; }

    template <class T>
    void write(const std::vector<T>& values)
    {
        write(values.data(), static_cast<int64_t>(values.size()));
    }
    template <class T>
    void write(const T* values, int64_t n)
    {
        if (n > 0)
            device_.check(device_->write(device_.context(), handle_, values, n * static_cast<int64_t>(sizeof(T))));
    }
    template <class T>
    std::vector<T> read(int64_t n) const
    {
        std::vector<T> values(n);
        read(values.data(), n);
        return values;
    }
    template <class T>
    void read(T* values, int64_t n) const
    {
        if (n > 0)
            device_.check(device_->read(device_.context(), handle_, values, n * static_cast<int64_t>(sizeof(T))));
    }
    // Doubles as the kernels' type of items, float or double.
    void write_reals(const std::vector<double>& values);

private:
    const Device& device_;
    int item_bytes_;
    uint64_t handle_ = 0;
    int64_t size_ = -1;  // no memory yet

    void release();
};

}  // namespace nnp::gpu

#endif

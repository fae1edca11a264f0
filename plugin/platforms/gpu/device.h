// Arrays and programs of one OpenMM ComputeContext, through its virtual functions only: so that this library links with
// none of OpenMM's GPU libraries, and serves all of them.
#ifndef NNP_PLUGIN_DEVICE_H
#define NNP_PLUGIN_DEVICE_H

#include "openmm/common/ArrayInterface.h"
#include "openmm/common/ComputeContext.h"

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace nnp_openmm
{

using OpenMM::ArrayInterface;
using OpenMM::ComputeContext;
using OpenMM::ComputeKernel;

class DeviceArray
{
public:
    // At least one element is allocated; size() is what was asked for.
    void allocate(ComputeContext& context, size_t size, int element_size, const char* name)
    {
        array_.reset(context.createArray());
        array_->initialize(context, std::max<size_t>(size, 1), element_size, name);
        size_ = size;
    }
    template <class T>
    void allocate(ComputeContext& context, size_t size, const char* name)
    {
        allocate(context, size, sizeof(T), name);
    }
    template <class T>
    void write(const std::vector<T>& values)
    {
        if (!values.empty())
            array_->uploadSubArray(values.data(), 0, static_cast<int>(values.size()), true);
    }
    template <class T>
    std::vector<T> read() const
    {
        std::vector<T> values(std::max<size_t>(size_, 1));
        array_->download(values.data(), true);
        values.resize(size_);
        return values;
    }
    size_t size() const { return size_; }
    ArrayInterface& get() const { return *array_; }

private:
    std::unique_ptr<ArrayInterface> array_;
    size_t size_ = 0;
};

// A kernel whose arguments are given anew at each launch.
class DeviceKernel
{
public:
    explicit DeviceKernel(const ComputeKernel& kernel = {}) : kernel_(kernel) {}

    template <class... Arguments>
    void launch(int threads, int group_size, Arguments&&... arguments)
    {
        int index = 0;
        (bind(index++, arguments), ...);
        bound_ = true;
        kernel_->execute(threads, group_size);
    }

private:
    ComputeKernel kernel_;
    bool bound_ = false;

    void bind(int index, const DeviceArray& array) { bind(index, array.get()); }
    void bind(int index, ArrayInterface& array)
    {
        if (bound_)
            kernel_->setArg(index, array);
        else
            kernel_->addArg(array);
    }
    template <class Number, class = std::enable_if_t<std::is_arithmetic<Number>::value>>
    void bind(int index, Number number)
    {
        if (bound_)
            kernel_->setArg(index, number);
        else
            kernel_->addArg(number);
    }
};

}  // namespace nnp_openmm

#endif

#include "program.h"

#include "openmm/OpenMMException.h"

namespace nnp_openmm
{
namespace
{

constexpr size_t MESSAGE_SIZE = 1024;
// Neighbours in local memory at once: the smallest that fits is compiled; beyond the last, the kernels cut tiles.
constexpr int CAPACITIES[] = {64, 128, 192, 256};

// Calls one of the generator's functions for its length, then for its items.
template <class Item, class Function>
std::vector<Item> generate(Function function)
{
    char message[MESSAGE_SIZE] = "";
    int64_t size = function(nullptr, 0, message);
    std::vector<Item> items(std::max<int64_t>(size, 0));
    if (size >= 0)
        size = function(items.data(), size, message);
    if (size < 0)
        throw OpenMM::OpenMMException("NNPForce: " + std::string(message));
    return items;
}

}  // namespace

Program::Program(ComputeContext& context, const PotentialData& potential, int n_elements)
    : context_(context), potential_(potential), orders_(n_elements), parameters_(n_elements)
{
    precision_ = context.getUseDoublePrecision()  ? NNP_GPU_DOUBLE
                 : context.getUseMixedPrecision() ? NNP_GPU_MIXED
                                                  : NNP_GPU_SINGLE;
    for (int element = 0; element < n_elements; ++element)
        read_element(element);
}

nnp_potential_arrays Program::arrays() const
{
    return {potential_.integers.data(), static_cast<int64_t>(potential_.integers.size()), potential_.reals.data(),
            static_cast<int64_t>(potential_.reals.size())};
}

void Program::read_element(int element)
{
    nnp_potential_arrays a = arrays();
    orders_[element] = generate<int64_t>([&](int64_t* out, int64_t size, char* message) {
        return nnp_gpu_order(&a, element, out, size, message, MESSAGE_SIZE);
    });
    auto numbers = generate<double>([&](double* out, int64_t size, char* message) {
        return nnp_gpu_parameters(&a, element, out, size, message, MESSAGE_SIZE);
    });
    parameters_[element] = std::make_unique<DeviceArray>();
    DeviceArray& array = *parameters_[element];
    if (precision_ == NNP_GPU_SINGLE) {
        array.allocate<float>(context_, numbers.size(), "nnpParameters");
        array.write(std::vector<float>(numbers.begin(), numbers.end()));
    } else {
        array.allocate<double>(context_, numbers.size(), "nnpParameters");
        array.write(numbers);
    }
}

void Program::write_reals(DeviceArray& array, const std::vector<double>& values) const
{
    if (points_are_integers())
        array.write(std::vector<float>(values.begin(), values.end()));
    else
        array.write(values);
}

void Program::fit(int neighbors)
{
    int wanted = CAPACITIES[std::size(CAPACITIES) - 1];
    for (int capacity : CAPACITIES) {
        if (capacity >= neighbors) {
            wanted = capacity;
            break;
        }
    }
    if (wanted <= capacity_)
        return;
    capacity_ = wanted;
    compile();
}

void Program::compile()
{
    nnp_potential_arrays a = arrays();
    nnp_gpu_options options = {precision_, NNP_GPU_OPENMM, GROUP_SIZE, capacity_};
    auto text = generate<char>([&](char* out, int64_t size, char* message) {
        return nnp_gpu_source(&a, &options, out, size, message, MESSAGE_SIZE);
    });
    kernels_.clear();
    compiled_ = context_.compileProgram(text.data());
}

DeviceKernel& Program::kernel(const std::string& name)
{
    auto found = kernels_.find(name);
    if (found == kernels_.end())
        found = kernels_.emplace(name, DeviceKernel(compiled_->createKernel(name))).first;
    return found->second;
}

}  // namespace nnp_openmm

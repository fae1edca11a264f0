// A potential's kernels, compiled by OpenMM for one device; compiled again when an atom gets more neighbours.
#ifndef NNP_PLUGIN_PROGRAM_H
#define NNP_PLUGIN_PROGRAM_H

#include "device.h"
#include "potential_data.h"

#include "nnp_gpu.h"

#include <map>

namespace nnp_openmm
{

class Program
{
public:
    static constexpr int GROUP_SIZE = 64;

    Program(ComputeContext& context, const PotentialData& potential, int n_elements);

    // Makes sure that the kernels are good for this many list entries of an atom.
    void fit(int neighbors);

    // On a number of work-groups, or with one thread per item.
    template <class... Arguments>
    void launch(const std::string& name, int groups, Arguments&&... arguments)
    {
        kernel(name).launch(std::max(1, groups) * GROUP_SIZE, GROUP_SIZE, arguments...);
    }
    template <class... Arguments>
    void launch_over(const std::string& name, int n, Arguments&&... arguments)
    {
        launch(name, (n + GROUP_SIZE - 1) / GROUP_SIZE, n, arguments...);
    }

    ComputeContext& context() { return context_; }
    bool points_are_integers() const { return precision_ != NNP_GPU_DOUBLE; }
    const std::vector<int64_t>& order(int element) const { return orders_[element]; }
    DeviceArray& parameters(int element) { return *parameters_[element]; }
    int n_elements() const { return static_cast<int>(orders_.size()); }
    // Writes doubles as the kernels' type `real`.
    void write_reals(DeviceArray& array, const std::vector<double>& values) const;
    int real_size() const { return points_are_integers() ? 4 : 8; }

private:
    ComputeContext& context_;
    PotentialData potential_;
    int precision_, capacity_ = 0;
    std::vector<std::vector<int64_t>> orders_;
    std::vector<std::unique_ptr<DeviceArray>> parameters_;
    OpenMM::ComputeProgram compiled_;
    std::map<std::string, DeviceKernel> kernels_;

    DeviceKernel& kernel(const std::string& name);
    nnp_potential_arrays arrays() const;
    void read_element(int element);
    void compile();
};

}  // namespace nnp_openmm

#endif

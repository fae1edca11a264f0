// NNPForce on OpenCL, CUDA and HIP: the kernels of kernels/gpu, compiled by OpenMM.
#ifndef NNP_PLUGIN_GPU_KERNEL_H
#define NNP_PLUGIN_GPU_KERNEL_H

#include "kernels.h"
#include "neighbor_list.h"

namespace nnp_openmm
{

class GpuCalcNNPForceKernel : public CalcNNPForceKernel
{
public:
    GpuCalcNNPForceKernel(const std::string& name, const OpenMM::Platform& platform, ComputeContext& context)
        : CalcNNPForceKernel(name, platform), context_(context)
    {
    }
    ~GpuCalcNNPForceKernel() override;

    void initialize(OpenMM::ContextImpl& context, const NNPForce& force) override;
    double execute(OpenMM::ContextImpl& context, bool include_forces, bool include_energy) override;
    void update_parameters(OpenMM::ContextImpl& context, const NNPForce& force) override;
    std::shared_ptr<Record> record() override { return record_; }

private:
    ComputeContext& context_;
    ForceOptions options_;
    bool periodic_ = false, lost_ = false;  // lost: the last results were not finite, and may be passed on
    std::string scale_parameter_;
    Widths widths_;
    std::vector<int32_t> atomic_numbers_;  // of the atoms
    std::shared_ptr<Latest> latest_;
    std::shared_ptr<Record> record_ = std::make_shared<Record>();
    std::unique_ptr<Program> program_;
    std::unique_ptr<DeviceNeighborList> list_;
    DeviceKernel gather_, scatter_;
    DeviceArray atom_of_, partial_, report_, outside_, nothing_;

    void take(const NNPForce& force);
    void set_room(int extrapolations);
    Matrix cell() const;
    void gather();
    void launch(int wanted);
    void evaluate_until_settled(int wanted);
    // False when something had to be made anew: again.
    bool evaluate(int wanted);
    bool settle(const std::vector<int>& counters);
    bool settle_failures();
    void read_extrapolations(int count);
    void scatter(double scale);
    void take_energy();
    void fetch();
    [[noreturn]] void fail(int code, const std::string& sentence);
};

}  // namespace nnp_openmm

#endif

// NNPForce on OpenCL, CUDA and HIP: libnnp's GPU engine on OpenMM's device.
#ifndef NNP_PLUGIN_GPU_KERNEL_H
#define NNP_PLUGIN_GPU_KERNEL_H

#include "kernels.h"
#include "openmm_device.h"

#include "nnp_gpu.h"

namespace nnp_openmm
{

class GpuCalcNNPForceKernel : public CalcNNPForceKernel
{
public:
    GpuCalcNNPForceKernel(const std::string& name, const OpenMM::Platform& platform, ComputeContext& context,
                          int64_t local_bytes);
    ~GpuCalcNNPForceKernel() override;

    void initialize(OpenMM::ContextImpl& context, const NNPForce& force) override;
    double execute(OpenMM::ContextImpl& context, bool include_forces, bool include_energy) override;
    void update_parameters(OpenMM::ContextImpl& context, const NNPForce& force) override;
    std::shared_ptr<Record> record() override { return record_; }

private:
    struct Destroy {
        void operator()(nnp_gpu_engine* engine) const { nnp_gpu_engine_destroy(engine); }
    };
    using EnginePointer = std::unique_ptr<nnp_gpu_engine, Destroy>;

    ComputeContext& context_;
    OpenMMDevice device_;
    ForceOptions options_;
    bool bound_ = false, periodic_ = false;
    bool lost_ = false;  // the last results were not finite, and may be passed on
    std::string scale_parameter_;
    Widths widths_;
    std::vector<int32_t> atomic_numbers_;  // of the atoms
    std::vector<int64_t> numbers_;         // the same, as the engine takes them
    std::shared_ptr<Latest> latest_;
    std::shared_ptr<Record> record_ = std::make_shared<Record>();
    EnginePointer engine_;
    OpenMM::ComputeKernel gather_, scatter_;
    std::unique_ptr<ArrayInterface> atom_of_, positions_;

    void take(const NNPForce& force);
    EnginePointer make_engine(const NNPForce& force) const;
    void make_transfers();
    void bind_transfers();
    void gather();
    void scatter(double scale);
    nnp_gpu_found evaluate(bool include_forces);
    void read_extrapolations(int64_t count);
    void fetch();
    void check(int code, const nnp_error& error);
};

}  // namespace nnp_openmm

#endif

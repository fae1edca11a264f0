// One OpenMM ComputeContext as a device of libnnp's GPU host (nnp_device.h), through its virtual functions only: so
// that this library links with none of OpenMM's GPU libraries, and serves all of them.
#ifndef NNP_PLUGIN_OPENMM_DEVICE_H
#define NNP_PLUGIN_OPENMM_DEVICE_H

#include "nnp_device.h"

#include "openmm/common/ArrayInterface.h"
#include "openmm/common/ComputeContext.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace nnp_openmm
{

using OpenMM::ArrayInterface;
using OpenMM::ComputeContext;

class OpenMMDevice
{
public:
    // local_bytes: local memory of a work-group. is_gpu: larger work-groups pay where atoms are few.
    OpenMMDevice(ComputeContext& context, const std::string& description, int64_t local_bytes, bool is_gpu);
    OpenMMDevice(const OpenMMDevice&) = delete;
    OpenMMDevice& operator=(const OpenMMDevice&) = delete;
    ~OpenMMDevice();

    const nnp_device& table() const { return table_; }
    ComputeContext& context() const { return context_; }

    // A buffer of the host, and one of ours for it.
    static ArrayInterface& array(uint64_t buffer) { return *reinterpret_cast<ArrayInterface*>(buffer); }
    ArrayInterface* allocate(int64_t n_items, int32_t item_bytes);
    void release(ArrayInterface* array);

private:
    struct Kernel {
        OpenMM::ComputeKernel kernel;
        std::string signature;
        bool bound;
    };
    ComputeContext& context_;
    std::string description_, message_;
    nnp_device table_;
    std::set<ArrayInterface*> arrays_;
    std::vector<OpenMM::ComputeProgram> programs_;
    std::vector<std::unique_ptr<Kernel>> kernels_;

    template <class Work>
    int guarded(Work work);
    static void launch(Kernel& kernel, int64_t groups, int32_t group_size, const uint64_t* arguments);
};

}  // namespace nnp_openmm

#endif

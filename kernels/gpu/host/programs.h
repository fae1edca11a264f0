// A potential's programs on one device, compiled as they are needed, and launched with the arguments that stand ready.
#ifndef NNP_GPU_HOST_PROGRAMS_H
#define NNP_GPU_HOST_PROGRAMS_H

#include "arguments.h"
#include "device.h"
#include "model.h"
#include "nnp_gpu.h"

#include <memory>

namespace nnp::gpu
{

class Programs
{
public:
    // Throws Error(NNP_UNAVAILABLE) where the networks do not fit in the device's local memory.
    Programs(const Device& device, const Model& model, const nnp_gpu_engine_options& options);

    Arguments arguments;  // of the next launch

    // Makes sure that the evaluation is good for so many atoms with this many list entries.
    void fit(int64_t neighbors, int64_t atoms);
    // Compiles what a list needs, too.
    void prepare_list();

    // A kernel of the list's program, with a thread per item (argument n), or on a number of work-groups.
    void launch_over(const char* name, int64_t n);
    void launch(const char* name, int64_t groups);
    // A kernel of one element, a work-group per atom.
    void evaluate(size_t element, int64_t n);
    void change(size_t element, int64_t n);

    int precision() const { return precision_; }
    int capacity() const { return capacity_; }
    int group_size() const { return group_size_; }
    std::string source() const;
    int64_t compiled() const { return compiled_; }  // how often `fit` chose another program

private:
    struct Kernel {
        uint64_t handle;
        const Prototype* prototype;
    };
    // One compiled text.
    struct Program {
        uint64_t handle = 0;
        int group_size = 0;
        std::map<std::string, Kernel, std::less<>> kernels;
    };
    using Key = std::pair<int, int>;  // capacity, group size

    const Device& device_;
    const Model& model_;
    int precision_, fixed_group_, fixed_capacity_, largest_ = 0;
    int capacity_ = 0, group_size_ = 0;
    int64_t compiled_ = 0;
    Program list_;
    std::map<Key, Program> kept_, tangents_;  // for structures of other sizes in between
    Program* now_ = nullptr;
    std::vector<std::string> evaluate_names_, change_names_;
    std::vector<uint64_t> values_;

    nnp_gpu_options options(int capacity, int group_size) const;
    int64_t bytes(int capacity, int group_size) const;
    void find_largest_capacity();
    int suitable_group(int64_t atoms, int capacity) const;
    Program compile(const std::string& text, int group_size) const;
    void start(Program& program, std::string_view name, const char* base, int64_t groups);
};

}  // namespace nnp::gpu

#endif

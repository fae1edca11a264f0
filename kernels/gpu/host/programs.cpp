#include "programs.h"

#include "single.h"
#include "source.h"

#include <algorithm>

namespace nnp::gpu
{
namespace
{

// Threads of a work-group, one of which works on an atom: enough that an atom's neighbours keep them busy; more where
// there are so few atoms that multiprocessors would idle (an H200 has 132), fewer where lists are short.
constexpr int GROUP_SIZE = 64, SMALL_GROUP = 32, SMALL_CAPACITY = 64;
struct LargeGroup {
    int64_t atoms;  // up to so many
    int threads;
};
constexpr LargeGroup LARGE_GROUPS[] = {{256, 256}, {1024, 128}};
constexpr int LIST_GROUP = 256;  // of kernels with a thread per atom, on devices with many threads
// Neighbours in local memory at once: the smallest that fits is compiled; beyond the last, tiles.
constexpr int CAPACITIES[] = {64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096};

}  // namespace

Programs::Programs(const Device& device, const Model& model, const nnp_gpu_engine_options& options)
    : device_(device),
      model_(model),
      precision_(options.precision),
      fixed_group_(options.group_size),
      fixed_capacity_(options.capacity),
      group_size_(options.group_size ? options.group_size : GROUP_SIZE)
{
    prototypes();  // refuses kernels that the host does not know
    if (precision_ != NNP_GPU_DOUBLE)
        require_single(model);
    check_options(this->options(fixed_capacity_ ? fixed_capacity_ : CAPACITIES[0], group_size_));
    for (size_t e = 0; e < model.elements.size(); ++e) {
        evaluate_names_.push_back("nnp_evaluate" + suffix_of(e));
        change_names_.push_back("nnp_change" + suffix_of(e));
    }
    find_largest_capacity();
}

nnp_gpu_options Programs::options(int capacity, int group_size) const
{
    return {precision_, device_->dialect, group_size, capacity};
}

int64_t Programs::bytes(int capacity, int group_size) const
{
    return local_bytes(model_, options(capacity, group_size));
}

void Programs::find_largest_capacity()
{
    int smallest = fixed_capacity_ ? fixed_capacity_ : CAPACITIES[0];
    int64_t needed = bytes(smallest, group_size_);
    if (needed > device_->local_bytes)
        throw Error(NNP_UNAVAILABLE, "the potential's functions and networks need " + std::to_string(needed) +
                                         " bytes of local memory per atom, " + device_->description + " has " +
                                         std::to_string(device_->local_bytes) +
                                         ": evaluate on the CPU, or in a coarser precision");
    largest_ = smallest;
    for (int capacity : CAPACITIES) {
        if (capacity > largest_ && bytes(capacity, group_size_) <= device_->local_bytes)
            largest_ = capacity;
    }
}

int Programs::suitable_group(int64_t atoms, int capacity) const
{
    if (fixed_group_)
        return fixed_group_;
    if (!device_->many_threads)
        return GROUP_SIZE;
    for (const LargeGroup& large : LARGE_GROUPS) {
        if (atoms <= large.atoms && bytes(capacity, large.threads) <= device_->local_bytes)
            return large.threads;
    }
    return capacity <= SMALL_CAPACITY ? SMALL_GROUP : GROUP_SIZE;
}

void Programs::fit(int64_t neighbors, int64_t atoms)
{
    int wanted = fixed_capacity_;
    if (!wanted) {
        const int* found = std::lower_bound(std::begin(CAPACITIES), std::end(CAPACITIES), neighbors);
        wanted = found == std::end(CAPACITIES) ? largest_ : std::min(*found, largest_);
    }
    wanted = std::max(wanted, capacity_);
    Key key = {wanted, suitable_group(atoms, wanted)};
    auto found = kept_.find(key);
    if (found == kept_.end())
        found = kept_.emplace(key, compile(write_program(model_, options(key.first, key.second)), key.second)).first;
    compiled_ += now_ != &found->second;
    now_ = &found->second;
    std::tie(capacity_, group_size_) = key;
}

void Programs::prepare_list()
{
    if (list_.handle)
        return;
    int group = device_->many_threads ? LIST_GROUP : GROUP_SIZE;
    list_ = compile(write_list_program(model_, options(CAPACITIES[0], group)), group);
}

Programs::Program Programs::compile(const std::string& text, int group_size) const
{
    Program program;
    program.group_size = group_size;
    device_.check(device_->compile(device_.context(), text.c_str(), precision_, &program.handle));
    return program;
}

void Programs::start(Program& program, std::string_view name, const char* base, int64_t groups)
{
    auto found = program.kernels.find(name);
    if (found == program.kernels.end()) {
        Kernel kernel = {0, &prototypes().at(base)};
        std::string text(name);
        device_.check(device_->kernel(device_.context(), program.handle, text.c_str(),
                                      kernel.prototype->signature.c_str(), &kernel.handle));
        found = program.kernels.emplace(text, kernel).first;
    }
    const std::vector<Slot>& slots = found->second.prototype->slots;
    values_.resize(slots.size());
    for (size_t i = 0; i < slots.size(); ++i)
        values_[i] = arguments[slots[i]];
    groups = std::clamp<int64_t>(groups, 1, device_->most_groups);
    device_.check(device_->launch(device_.context(), found->second.handle, groups, program.group_size, values_.data()));
}

void Programs::launch_over(const char* name, int64_t n)
{
    prepare_list();
    arguments[Slot::n] = static_cast<uint64_t>(n);
    start(list_, name, name, (n + list_.group_size - 1) / list_.group_size);
}

void Programs::launch(const char* name, int64_t groups)
{
    prepare_list();
    start(list_, name, name, groups);
}

void Programs::evaluate(size_t element, int64_t n)
{
    arguments[Slot::n] = static_cast<uint64_t>(n);
    start(*now_, evaluate_names_[element], "nnp_evaluate", n);
}

void Programs::change(size_t element, int64_t n)
{
    Key key = {capacity_, group_size_};
    auto found = tangents_.find(key);
    if (found == tangents_.end())
        found =
            tangents_.emplace(key, compile(write_tangent_program(model_, options(key.first, key.second)), key.second))
                .first;
    arguments[Slot::n] = static_cast<uint64_t>(n);
    start(found->second, change_names_[element], "nnp_change", n);
}

std::string Programs::source() const
{
    int capacity = capacity_ ? capacity_ : CAPACITIES[0];
    return write_list_program(model_, options(capacity, group_size_)) +
           write_program(model_, options(capacity, group_size_));
}

}  // namespace nnp::gpu

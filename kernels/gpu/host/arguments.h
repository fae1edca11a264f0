// What kernels take, by name. A kernel's list of arguments stands in its text only: the host reads it there, finds each
// argument by its name among the slots below, and refuses to start where a name or type is unknown.
#ifndef NNP_GPU_HOST_ARGUMENTS_H
#define NNP_GPU_HOST_ARGUMENTS_H

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace nnp::gpu
{

// name, type of a number or of a buffer's items
#define NNP_GPU_NUMBERS(X) X(n) X(n_elements) X(stride) X(wanted) X(what) X(size)
// clang-format off: it never ends with lists of macros. `sums`: of whatever nnp_clear and nnp_scan work on.
#define NNP_GPU_BUFFERS(X) \
    X(positions, double) X(elements, int) X(built, double) X(points, nnp_point) X(forces, mm_ulong) \
    X(energies, double) X(virials, double) X(status, int) X(bin_of, int) X(dropped, int) X(sorted, int) \
    X(counts, int) X(row_starts, int) X(entries, nnp_entry) X(bin_counts, int) X(bin_starts, int) \
    X(cleared, int) X(scanned, int) X(sums, int) X(box, double) X(frame, real) X(grid, int) X(known, double) \
    X(state, int) X(report, int) X(partial, double) X(outside, double) X(atoms, int) X(parameters, mixed) \
    X(moment_terms, int) X(moment_values, real) \
    X(gradient, double) X(descriptors, double) X(changes, double) X(order, int) X(first_function, int) \
    X(rows, double) X(given_single, float) X(given_double, double) X(numbers, mm_long) X(cell, double) \
    X(periodic, unsigned char) X(out_single, float) X(out_double, double) X(out_energies, double) \
    X(out_energy, double) X(out_stress, double) X(out_strain, double) X(flat, double) X(direction, double) \
    X(strain, double)
// clang-format on

enum class Slot {
#define NNP_GPU_SLOT(name, ...) name,
    NNP_GPU_NUMBERS(NNP_GPU_SLOT) NNP_GPU_BUFFERS(NNP_GPU_SLOT)
#undef NNP_GPU_SLOT
        end
};

// One kernel's arguments.
struct Prototype {
    std::vector<Slot> slots;
    std::string signature;  // nnp_device.h
};

// Name → prototype of all kernels in a text; those written for one element (atom.cc) without the element's ending.
// Throws Error(NNP_INTERNAL) naming an argument that is not a slot or of another type.
std::map<std::string, Prototype> read_prototypes(const std::string& text);

// Of all kernel texts of the library.
const std::map<std::string, Prototype>& prototypes();

// What the slots hold at the next launch: a number, or a buffer's handle.
class Arguments
{
public:
    uint64_t& operator[](Slot slot) { return values_[static_cast<size_t>(slot)]; }
    uint64_t operator[](Slot slot) const { return values_[static_cast<size_t>(slot)]; }

private:
    std::array<uint64_t, static_cast<size_t>(Slot::end)> values_ = {};
};

}  // namespace nnp::gpu

#endif

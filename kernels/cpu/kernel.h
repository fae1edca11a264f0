// What the engine asks of a kernel build (one per instruction set and precision), and the table of builds.
#ifndef NNP_CPU_KERNEL_H
#define NNP_CPU_KERNEL_H

#include "neighbors.h"
#include "plan.h"
#include "scratch.h"

namespace nnp
{

enum class Mode {
    evaluate,     // descriptors, networks, on request gradient and virial
    descriptors,  // descriptors only
    pull_back,    // gradient of sum(dl_dg . G): a vector-Jacobian product
    push_forward  // directional derivative of G: a Jacobian-vector product
};

// One call of the engine, the same for all threads. Arrays without another note go by the caller's atom index.
constexpr int MOST_TOGETHER = 16;

struct Task {
    Mode mode;
    bool gradient, virial, neighbor_virials;
    const Model* model;
    const std::vector<ElementPlan>* plan;
    const void* const* networks;  // per element, packed by pack_network
    ListView list;
    int n_elements;
    int together;  // atoms of one element between functions and way back at once, 1 to MOST_TOGETHER; see options.h
    double cutoff;
    double extrapolation_tolerance;
    double gradient_scale;       // fixed point: 1 unit of dE/dr is this many integers
    double gradient_limit;       // largest contribution, in integers, whose sums cannot overflow
    double virial_scale;         // the same for a neighbour's virial
    const int64_t* offsets;      // ragged descriptors: where each atom's begin
    const double* dl_dg;         // ragged, Mode::pull_back
    const double* displacement;  // [n][3], Mode::push_forward; may be null
    const double* strain;        // [3][3], Mode::push_forward; may be null
    double* energies;            // [n]
    double* virials;             // [n][6] xx yy zz yz xz xy
    double* descriptors;         // ragged, may be null in Mode::evaluate
};

struct Kernel {
    const char* target;
    // Bytes of, and copy into, one element's network in the kernel's own precision and layout.
    size_t (*network_bytes)(const Element& element);
    void (*pack_network)(const Element& element, void* packed);
    // Works through the ranks [begin, end).
    void (*process)(const Task& task, ThreadState& state, int64_t begin, int64_t end);
    // For the neighbour list; only in the double build.
    Within within;
};

// target: 0 the best this machine can run, else 1 baseline, 2 AVX2, 3 AVX-512. Throws Error if it cannot run here.
const Kernel& choose_kernel(bool single, int target);

// 1 baseline, 2 AVX2, 3 AVX-512: what such a target comes to on this machine. Throws like choose_kernel.
int choose_target(int target);

}  // namespace nnp

#endif

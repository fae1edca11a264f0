// The programs of one potential.
#ifndef NNP_GPU_SOURCE_H
#define NNP_GPU_SOURCE_H

#include "model.h"
#include "nnp_gpu.h"

#include <string>

namespace nnp::gpu
{

// Throws Error(NNP_BAD_ARGUMENT) naming the option.
void check_options(const nnp_gpu_options& options);

// The neighbour list, sums over atoms, and ways to a caller's arrays: what does not depend on how many neighbours an
// atom has.
std::string write_list_program(const Model& model, const nnp_gpu_options& options);

// The evaluation of atoms, a kernel per element.
std::string write_program(const Model& model, const nnp_gpu_options& options);

// Of its own, because few need it: the functions' change along a direction.
std::string write_tangent_program(const Model& model, const nnp_gpu_options& options);

// Ending of the names of an element's kernels.
std::string suffix_of(size_t element);

// Of any element: the length of a row in the kernels' buffers of functions.
size_t most_functions(const Model& model);

// Local memory that a work-group needs.
int64_t local_bytes(const Model& model, const nnp_gpu_options& options);

}  // namespace nnp::gpu

#endif

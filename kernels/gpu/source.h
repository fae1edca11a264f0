// The whole program of one potential.
#ifndef NNP_GPU_SOURCE_H
#define NNP_GPU_SOURCE_H

#include "model.h"
#include "nnp_gpu.h"

#include <string>

namespace nnp::gpu
{

// Throws Error(NNP_BAD_ARGUMENT) naming the option.
void check_options(const nnp_gpu_options& options);

std::string write_program(const Model& model, const nnp_gpu_options& options);

// Of its own, because few need it: the functions' change along a direction.
std::string write_tangent_program(const Model& model, const nnp_gpu_options& options);

int64_t local_bytes(const Model& model, const nnp_gpu_options& options);

}  // namespace nnp::gpu

#endif

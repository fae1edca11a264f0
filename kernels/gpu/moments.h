// C text of one element's functions of moments; nothing for an element without.
#ifndef NNP_GPU_MOMENTS_H
#define NNP_GPU_MOMENTS_H

#include "groups.h"
#include "nnp_gpu.h"

#include <string>

namespace nnp::gpu
{

bool has_moments(const Model& model);

// Of any moment.
int most_l(const Model& model);

// Numbers and functions that atom.cc and tangent.cc expect before them: all that an element's series do.
std::string write_moments(const Model& model, const Groups& groups, const nnp_gpu_options& options,
                          const std::string& suffix, bool tangent);

// The macros of one element that write_moments leaves defined.
std::vector<const char*> moment_macros();

// Bytes of local memory that an element's moments take.
int64_t moment_bytes(const Model& model, const Groups& groups, const nnp_gpu_options& options);

}  // namespace nnp::gpu

#endif

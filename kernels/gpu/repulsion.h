// C text of one element's repulsions; nothing for an element without.
#ifndef NNP_GPU_REPULSION_H
#define NNP_GPU_REPULSION_H

#include "model.h"

#include <string>

namespace nnp::gpu
{

bool has_repulsion(const Model& model);

// What repulsion.cc expects before it, for one pair of elements.
std::string write_repulsion(const Repulsion& pair);

// Calls of all of an element, which atom.cc expects where N_REPULSIONS is not 0.
std::string write_repulsion_calls(const Element& element, const std::string& suffix);

}  // namespace nnp::gpu

#endif

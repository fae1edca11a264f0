// C text of what is done for one element: its groups one after the other, and its network.
#ifndef NNP_GPU_CALLS_H
#define NNP_GPU_CALLS_H

#include "groups.h"

#include <string>

namespace nnp::gpu
{

// The functions that atom.cc expects before it. `suffix` names the groups' functions.
std::string write_element(const Element& element, const Groups& groups, const std::string& suffix);

// The same for tangent.cc.
std::string write_tangent(const Groups& groups, const std::string& suffix);

// Nodes of a network: inputs, then values and slopes of every layer.
int64_t node_count(const Element& element);

// Blocks of pairs (triples.cc) that an element's groups look at.
int64_t block_count(const Groups& groups);

}  // namespace nnp::gpu

#endif

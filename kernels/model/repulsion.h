// Repulsions of a model, read from the flat arrays.
#ifndef NNP_MODEL_REPULSION_H
#define NNP_MODEL_REPULSION_H

#include "arrays.h"
#include "model.h"

namespace nnp
{

// NNP_BLOCK_REPULSION: to both elements of each pair. Throws Error(NNP_BAD_MODEL).
void read_repulsion(Block& block, Model& model);

}  // namespace nnp

#endif

// What an engine takes from its caller's options and from the model.
#ifndef NNP_CPU_OPTIONS_H
#define NNP_CPU_OPTIONS_H

#include "choice.h"
#include "model.h"
#include "nnp.h"

namespace nnp
{

// Each throws Error(NNP_BAD_ARGUMENT) with what is allowed.
int thread_count(const nnp_options& options);
bool is_single(const nnp_options& options);
double skin_width(const nnp_options& options);
Wide wide_way(const nnp_options& options);

// See Task. Large networks run in batches, which read each weight once. The atoms of a batch keep their neighbours and
// triples meanwhile, which costs small networks more than it gains (docs/cpu_engine.md).
int atoms_together(const Model& model);

}  // namespace nnp

#endif

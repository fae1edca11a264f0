// What an engine takes from its caller's options and from the model.
#ifndef NNP_CPU_OPTIONS_H
#define NNP_CPU_OPTIONS_H

#include "choice.h"
#include "model.h"
#include "nnp.h"
#include "plan.h"

namespace nnp
{

// Each throws Error(NNP_BAD_ARGUMENT) with what is allowed.
int thread_count(const nnp_options& options);
bool is_single(const nnp_options& options);
double skin_width(const nnp_options& options);
Wide wide_way(const nnp_options& options);

// See Task. What is made of moments costs as much for one atom as for a vector of them, and a large network reads each
// weight once for four. But the atoms keep their neighbours and triples meanwhile: where there are triples, small
// networks go alone (docs/cpu_engine.md).
int atoms_together(const Model& model, const std::vector<ElementPlan>& plan);

// Atoms a thread takes at a time: few enough for all threads, many where they are sorted by element into batches.
int64_t chunk_of(int64_t n_atoms, int threads, int together, int n_elements);

}  // namespace nnp

#endif

// What makes an evaluation impossible, as numbers and in words.
#ifndef NNP_GPU_HOST_FAILURES_H
#define NNP_GPU_HOST_FAILURES_H

#include "box.h"
#include "error.h"

#include <vector>

namespace nnp::gpu
{

// positions: [n][3]. Throws Error(NNP_LOST_POSITION) for the first one that is not finite, or so far away that
// squares of distances are not.
void refuse_lost(const std::vector<double>& positions);

// What the atoms' status says (layout.inc). Throws Error(NNP_OVERLAP); and NNP_NOT_FINITE, unless that may pass:
// then returns true. False where only a force was too large for its unit. is_last_scale: no coarser unit is left.
bool judge(const std::vector<int32_t>& status, const std::vector<double>& positions, const Lattice& lattice,
           bool is_last_scale, bool allow_not_finite);

}  // namespace nnp::gpu

#endif

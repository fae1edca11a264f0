// Coordinates that are not finite are told before anything is computed from them.
#ifndef NNP_CPU_POSITIONS_H
#define NNP_CPU_POSITIONS_H

#include "error.h"
#include "nnp.h"

#include <cmath>

namespace nnp
{

[[noreturn]] void lost_position(const double* r, int64_t atom);

inline void require_finite(const double* r, int64_t atom)
{
    if (!std::isfinite(r[0]) || !std::isfinite(r[1]) || !std::isfinite(r[2]))
        lost_position(r, atom);
}

}  // namespace nnp

#endif

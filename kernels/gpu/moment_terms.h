// Functions of moments (plan/moments.h) as the kernels see them: polynomials in one vector of moments per element, in
// tables that no kind of function stands out of. What a kind is made of stands in moment_terms.cpp only.
#ifndef NNP_GPU_MOMENT_TERMS_H
#define NNP_GPU_MOMENT_TERMS_H

#include "plan.h"

namespace nnp::gpu
{

constexpr int MOST_L = 8;        // a neighbour's harmonics and their weights are one thread's
constexpr int MOST_AT_ONCE = 8;  // radial functions that a thread has in registers

// One radial series: its moments, [radial function][row of harmonics.h from l_min on], and its numbers in `values`.
struct MomentSeries {
    RadialSeries series;
    int l_min, l_max;
    int64_t first_moment, radii_at, coefficients_at;

    int64_t first_row() const { return int64_t{l_min} * l_min; }
    int64_t rows() const { return int64_t{l_max + 1} * (l_max + 1) - first_row(); }
};

// Laid out as moment_polynomials.cc reads them.
struct MomentTables {
    std::vector<MomentSeries> series;
    std::vector<int> functions;  // for each polynomial the function's number; several members of a group may share it
    int64_t n_moments = 0;
    int64_t function_pairs = 0, slope_pairs = 0;
    int64_t slopes_at = 0, slope_values_at = 0;  // in `terms`, in `values`
    std::vector<int32_t> terms;
    std::vector<double> values;
};

// Throws Error(NNP_UNAVAILABLE) for more than the kernels have room for.
MomentTables moment_tables(const std::vector<MomentGroup>& groups);

}  // namespace nnp::gpu

#endif

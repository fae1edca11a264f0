// The work of one element as the kernels see it: the plan, cut into groups that fit a thread's registers.
#ifndef NNP_GPU_GROUPS_H
#define NNP_GPU_GROUPS_H

#include "moment_terms.h"

namespace nnp::gpu
{

constexpr int MOST_MEMBERS = 24;  // sums a thread keeps in registers

struct Groups {
    std::vector<RadialGroup> radial;
    std::vector<AngularGroup> angular;
    MomentTables moments;
};

Groups make_groups(const ElementPlan& plan);

// Place of the first function of moments in the order of the groups: they come last.
int64_t first_polynomial(const Groups& groups);

// Function numbers in the order of the groups.
std::vector<int> order_of(const Groups& groups);

// Per function in that order: what its value, and its slope by the cosine, are multiplied with.
struct Coefficients {
    std::vector<double> value, slope;
};
Coefficients coefficients_of(const Groups& groups);

// The parameter buffer of an element; its layout is in atom.cc.
std::vector<double> parameters_of(const Element& element, const Groups& groups);

}  // namespace nnp::gpu

#endif

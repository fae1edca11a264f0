// Which way functions are summed that can be summed in more than one: decided by the cost model (cost.h), from the
// potential alone, so that the same potential gives the same bits whatever it evaluates.
#ifndef NNP_PLAN_CHOICE_H
#define NNP_PLAN_CHOICE_H

#include "cost.h"

namespace nnp
{

enum class Wide {
    automatic,  // where the cost model says it is cheaper
    pairs,      // never by moments
    moments     // all that have moments
};

WideSets wide_by_moments(const Model& model, Powers powers, Wide wide, const Machine& machine);

}  // namespace nnp

#endif

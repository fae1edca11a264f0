// What an atom costs on the CPU: work counted in a neighbourhood, item by item, times what one unit of each item takes
// on a machine of some class (cost_table.h). The counts are of vectors of that class; the table was fitted to measured
// times by benchmarks/fit_cost_model.py.
#ifndef NNP_PLAN_COST_H
#define NNP_PLAN_COST_H

#include "neighborhoods.h"
#include "plan.h"

#include <array>

namespace nnp
{

// An instruction set (1 baseline, 2 AVX2, 3 AVX-512) and a precision.
struct Machine {
    int target;
    bool single;

    int lanes() const { return (8 << target) / (single ? 4 : 8); }
};

using Counts = std::array<double, NNP_COST_ITEMS>;

// Work of one atom of an element, on average over the neighbourhoods.
Counts count_work(const Model& model, const Element& element, const ElementPlan& plan, const Machine& machine,
                  const std::vector<Neighborhood>& neighborhoods);

// Microseconds of each item.
Counts price(const Counts& work, const Machine& machine);

double total(const Counts& items);

}  // namespace nnp

#endif

// Nanoseconds of one unit of each item of enum nnp_cost_item, by precision and instruction set: AMD EPYC (Zen 5), one
// core. Written by benchmarks/fit_cost_model.py; moments from ratios to other cases (docs/cpu_engine.md);
// compact functions fitted later, with the other items kept.
#ifndef NNP_PLAN_COST_TABLE_H
#define NNP_PLAN_COST_TABLE_H

#include "nnp.h"

namespace nnp
{

// clang-format off
constexpr double NANOSECONDS[2][3][NNP_COST_ITEMS] = {
    {{17.47, 0, 20.52, 5.847, 0.2734, 143.7, 5.289, 16.67, 0.07373, 0, 0.1647, 240.6, 0.09857, 0.04244, 0.09609, 0.6593},
     {108.8, 0, 10.82, 3.838, 0.1754, 145.7, 6.543, 7.156, 0.06752, 0, 0.1529, 118.4, 0.0892, 0.004327, 0.09015, 0.4769},
     {152.1, 0, 3.665, 3.143, 0.2267, 176.4, 7.807, 12.68, 0.07181, 0, 0.1843, 55.81, 0.1151, 0, 0.01392, 0.654}},
    {{88.94, 0, 14.06, 6.027, 0.1854, 130.3, 8.687, 23.53, 0.03554, 0, 0.1596, 100.2, 0.09306, 0, 0.1091, 0.5785},
     {161.4, 0, 9.181, 3.561, 0.1356, 130.8, 8.536, 8.422, 0.03231, 0.3282, 0.1539, 41.71, 0.07889, 0, 0.09467, 0.4143},
     {225.8, 0, 2.816, 2.335, 0.216, 158.8, 13.06, 12.73, 0.0291, 0.682, 0.1987, 42.32, 0.1102, 0, 0.05138, 0.294}}
};
// clang-format on

}  // namespace nnp

#endif

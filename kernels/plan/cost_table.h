// Nanoseconds of one unit of each item of enum nnp_cost_item, by precision and instruction set: AMD EPYC (Zen 4), one
// core. Written by benchmarks/fit_cost_model.py; moments from ratios to other cases (docs/cpu_engine.md).
#ifndef NNP_PLAN_COST_TABLE_H
#define NNP_PLAN_COST_TABLE_H

#include "nnp.h"

namespace nnp
{

// clang-format off
constexpr double NANOSECONDS[2][3][NNP_COST_ITEMS] = {
    {{98.74, 0, 14.48, 2.511, 0.3205, 140.7, 7.801, 15.8, 0.07637, 0, 0.3074, 210.1, 0.14, 0, 0.1753, 0.4376},
     {150.7, 0, 8.768, 3.315, 0.1966, 143.7, 5.877, 7.242, 0.06745, 0, 0.2145, 84.67, 0.1078, 0, 0.1504, 0.2828},
     {90.08, 0, 4.01, 4.38, 0.2014, 165.6, 5.803, 13.08, 0.0711, 0, 0.2458, 26.62, 0.09772, 0, 0, 0.8938}},
    {{111.3, 0, 11.65, 4.537, 0.2068, 138.5, 6.779, 23.75, 0.03591, 0, 0.2499, 62.07, 0.1224, 0, 0.1537, 0.4817},
     {109.7, 0, 9.398, 4.078, 0.1161, 125.2, 7.508, 8.587, 0.03191, 0.2727, 0.193, 27.63, 0.08275, 0, 0.09535, 0.5907},
     {152.6, 0, 3.489, 4.158, 0.1546, 148.1, 10.83, 13.47, 0.02897, 0.6516, 0.2215, 11.65, 0.08513, 0, 0, 0.8532}}
};
// clang-format on

}  // namespace nnp

#endif

// Nanoseconds of one unit of each item of enum nnp_cost_item, by precision and instruction set: AMD EPYC (Zen 4), one
// core. Written by benchmarks/fit_cost_model.py.
#ifndef NNP_PLAN_COST_TABLE_H
#define NNP_PLAN_COST_TABLE_H

#include "nnp.h"

namespace nnp
{

// clang-format off
constexpr double NANOSECONDS[2][3][NNP_COST_ITEMS] = {
    {{241, 0, 15.8, 0, 0.318, 0, 15.7, 0.18, 0.585, 0.133, 0.435, 0.225, 0.309},
     {226, 0, 11.4, 4.96, 0.143, 6.37, 6.27, 0.118, 0.278, 0.0841, 0.43, 0.14, 0.331},
     {158, 0, 4.75, 5.59, 0.15, 16.3, 6.51, 0.168, 0.292, 0.0937, 0.465, 0, 0.916}},
    {{177, 0, 14.6, 6.68, 0.153, 0, 25.9, 0.0941, 0.373, 0.0907, 0.4, 0.167, 0.412},
     {224, 0, 9.98, 4.85, 0.0833, 17.5, 1.93, 0.103, 0.22, 0.0694, 0.409, 0.163, 0.172},
     {273, 0, 3.38, 4.8, 0.108, 21.1, 4.75, 0.129, 0.254, 0.0828, 0.429, 0.0599, 0.35}}
};
// clang-format on

}  // namespace nnp

#endif

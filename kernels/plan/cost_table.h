// Nanoseconds of one unit of each item of enum nnp_cost_item, by precision and instruction set: AMD EPYC (Zen 4), one
// core. Written by benchmarks/fit_cost_model.py.
#ifndef NNP_PLAN_COST_TABLE_H
#define NNP_PLAN_COST_TABLE_H

#include "nnp.h"

namespace nnp
{

// clang-format off
constexpr double NANOSECONDS[2][3][NNP_COST_ITEMS] = {
    {{0, 0, 22.3, 2.24, .265, 150, 4.31, 15.8, .0759, 0, .309, 279, .095, .217, .14, .664},
     {84.9, 0, 11.5, 2.24, .164, 154, 4.49, 7.17, .0677, 0, .216, 181, .0832, .293, .101, .585},
     {79.6, 0, 4.72, 3.63, .183, 168, 5.34, 13, .0714, 0, .247, 119, .0945, .349, .05, .7}},
    {{62.2, 0, 14.8, 4.67, .169, 143, 5.75, 23.6, .0358, 0, .25, 152, .0888, .277, .125, .642},
     {107, 0, 10.1, 3.8, .107, 130, 7.24, 8.51, .032, .277, .193, 111, .0723, .273, .0937, .585},
     {177, 0, 3.45, 3.26, .157, 149, 10.8, 13.5, .0292, .654, .222, 104, .0821, .33, .05, .5}}
};
// clang-format on

}  // namespace nnp

#endif

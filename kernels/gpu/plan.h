// Which functions share which work; the CPU engine has a plan of its own, after its registers. Functions of one element
// are grouped by what their inner loops have in common; inside an angular group every distinct exponential and every
// distinct power of a base is one slot, computed once per triple and read by all functions that need it.
//
//   function m of an angular group = value_coefficient * sum over triples of
//       f(r_ij) f(r_ik) [f(r_jk)] * exponential[exp_slot] * angle[value_slot]
//   d/dcos of the angle part       = slope_coefficient * angle[slope_slot]
#ifndef NNP_GPU_PLAN_H
#define NNP_GPU_PLAN_H

#include "../cpu/model.h"

namespace nnp::gpu
{

struct RadialMember {
    int kind;  // enum nnp_function_kind
    int core;
    bool asymmetric;
    double first, second;  // eta and r_shift, kappa, or left and right
    int index;             // position among the element's functions
};

struct RadialGroup {
    int neighbor;     // element index or ANY_ELEMENT
    bool has_cutoff;  // compact functions have none
    int cutoff;
    double radius, inner_fraction;
    std::vector<RadialMember> members;
};

// exponential[slot] = exp(-eta S), either by the function itself (factors < 0) or as a product of two earlier slots.
struct ExponentialSlot {
    double eta;
    int first_factor, second_factor;
};

enum class AngleOp {
    base,     // (1 + lambda cos)/2
    product,  // of two earlier slots
    step,     // 1 where the base slot `a` is positive: its power 0
    power,    // base slot `a` to a real exponent
    compact   // bump of the angle; its slope follows in the next slot
};

struct AngleSlot {
    AngleOp op;
    int a, b;
    double first, second;  // lambda; the exponent; or the limits in radians
};

struct AngularMember {
    int exp_slot, value_slot, slope_slot;
    double value_coefficient, slope_coefficient;
    int index;
};

struct AngularGroup {
    int neighbor_1, neighbor_2;  // element indices, or both ANY_ELEMENT
    bool narrow, compact;
    int cutoff_or_core;
    bool asymmetric;
    double radius, inner_fraction, r_shift, left;
    std::vector<ExponentialSlot> exponentials;
    std::vector<AngleSlot> angles;
    std::vector<AngularMember> members;  // sorted by exp_slot
};

struct ElementPlan {
    std::vector<RadialGroup> radial;
    std::vector<AngularGroup> angular;
};

std::vector<ElementPlan> make_plan(const Model& model);

}  // namespace nnp::gpu

#endif

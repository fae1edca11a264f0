// Which functions share which work, for the CPU kernels and the GPU kernels. Functions of one element are grouped by
// what their inner loops have in common; inside an angular group every distinct exponential is one slot, computed once
// per triple. The angles' powers come in two ways:
// - slots: every distinct power (or compact angle) once, by a short program;
// - tasks, where the caller asks for them (the CPU: its registers hold many triples): exponents 1, 2, 4, 8, 16 of one
//   base (one lambda), for up to three exponentials at once, without slots.
//
//   function m of an angular group = value_coefficient * sum over triples of
//       f(r_ij) f(r_ik) [f(r_jk)] * exponential[exp_slot] * angle(value)
//   d/dcos of the angle part       = slope_coefficient * angle(slope)
#ifndef NNP_PLAN_H
#define NNP_PLAN_H

#include "compact.h"
#include "model.h"
#include "moments.h"

namespace nnp
{

struct RadialMember {
    const Function* function;  // the model's
    int index;                 // position among the element's functions
};

struct RadialGroup {
    int neighbor;     // element index or ANY_ELEMENT
    bool has_cutoff;  // compact functions have none
    int cutoff;
    double radius, inner_fraction;
    std::vector<RadialMember> members;
};

// exponential[slot] = exp(-eta S), by the function itself (factors < 0) or as a product of two earlier slots.
struct ExponentialSlot {
    double eta;
    int first_factor, second_factor;
};

enum class AngleOp {
    base,     // (1 + lambda cos)/2
    product,  // of two earlier slots
    step,     // 1 where the base slot `a` is positive: its power 0
    power,    // base slot `a` to a real exponent
    compact,  // bump of the angle; its slope follows in the next slot
    shifted   // (1 + cos(theta - shift))/2; its slope follows in the next slot
};

struct AngleSlot {
    AngleOp op;
    int a, b;
    double first, second;  // lambda; the exponent; the limits in radians; or cosine and sine of the shift
};

struct AngularMember {
    int exp_slot;
    int value_slot, slope_slot;  // -1: done by a task
    double value_coefficient, slope_coefficient;
    int index;
    double lambda;  // of a member done by a task, and its exponent
    int exponent;
};

constexpr int MOST_LEVELS = 5;        // exponents 2^0 .. 2^4
constexpr int MOST_EXPONENTIALS = 3;  // per task: their sums must fit in registers

// Members (exponential e, exponent 2^level) of one base; -1 where the group has no such function.
struct PowerTask {
    double lambda;
    int n_exponentials, n_levels;
    bool top_only;  // only the last level has members
    int exp_slots[MOST_EXPONENTIALS];
    int members[MOST_EXPONENTIALS][MOST_LEVELS];
};

struct AngularGroup {
    int neighbor_1, neighbor_2;  // element indices, or both ANY_ELEMENT
    bool narrow, compact;
    bool mean;  // exponentials of ((r_ij + r_ik)/2 - r_shift)^2, not of the sum of squares; never narrow
    int cutoff_or_core;
    bool asymmetric;
    double radius, inner_fraction, r_shift, left;
    std::vector<ExponentialSlot> exponentials;
    std::vector<AngleSlot> angles;
    std::vector<AngularMember> members;  // sorted by exp_slot
    std::vector<int> slotted;            // members that use angle slots, sorted by exp_slot
    std::vector<PowerTask> tasks;        // none with Powers::in_slots

    // Whether the exponent's slope by a distance is more than a multiple of that distance.
    bool has_lever() const { return mean || r_shift != 0; }
};

// What an element's functions are scaled by, and their ranges, one after the other.
struct Inputs {
    std::vector<double> factor, offset, minimum, maximum;
};

// Atoms that share what is made of moments, where each keeps triples meanwhile: more fall out of the cache.
constexpr int TOGETHER_WITH_TRIPLES = 4;

struct ElementPlan {
    Inputs inputs;
    std::vector<RadialGroup> radial;
    std::vector<AngularGroup> angular;
    std::vector<MomentGroup> moments;
    std::vector<CompactGroup> compact;  // none with Powers::in_slots: then they are angular groups
    std::vector<double> reach;          // [element of the neighbour] distance beyond which none plays a part
};

enum class Powers { in_slots, in_tasks };

// Positions of an element's wide functions that go through moments (wide.h), rising; per element. Empty: of none.
using WideSets = std::vector<std::vector<int>>;

// The plan points into the model.
ElementPlan plan_element(const Model& model, const Element& element, Powers powers, const std::vector<int>& wide);
std::vector<ElementPlan> make_plan(const Model& model, Powers powers, const WideSets& wide = {});

}  // namespace nnp

#endif

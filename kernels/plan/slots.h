// The slots of one angular group while its functions are collected: every distinct exponential and every distinct power
// of a base once, products of earlier ones where that is cheaper.
#ifndef NNP_PLAN_SLOTS_H
#define NNP_PLAN_SLOTS_H

#include "plan.h"

#include <map>
#include <utility>

namespace nnp
{

// One slot per distinct eta, smallest first; a sum or a small multiple of earlier ones is a product.
class ExponentialBuilder
{
public:
    std::vector<ExponentialSlot> slots;

    int slot(double eta);

private:
    int size() const { return static_cast<int>(slots.size()); }
    int find(double eta, double scale = 0) const;
    int add(double eta, int first, int second);
    int multiple(int base, int times, double eta);
    int slot_of_multiple(int base, int times, double eta);
};

// Per lambda one base and a short chain of products up to the integer powers that are asked for.
class AngleBuilder
{
public:
    std::vector<AngleSlot> slots;

    int base(double lambda);
    int power(int base_slot, double exponent);
    int compact(double left, double right);
    int shifted(double shift);  // of which powers can be made; its slope is the slot behind it
    int product(int first_slot, int second_slot);

private:
    std::map<double, int> bases_, shifted_;
    std::map<std::pair<int, int>, int> products_;
    std::map<std::pair<int, double>, int> powers_;

    int add(AngleSlot slot);
    int integer_power(int base_slot, double n);
};

}  // namespace nnp

#endif

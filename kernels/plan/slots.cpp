#include "slots.h"

#include <algorithm>
#include <cmath>

namespace nnp
{
namespace
{

constexpr int LARGEST_INTEGER_POWER = 64;
constexpr size_t MOST_NEW_SLOTS = 4;  // products that cost no more than one exponential
constexpr double SAME_ETA = 1e-14;    // relative: products of exponentials must not cost accuracy

}  // namespace

int ExponentialBuilder::slot(double eta)
{
    int found = find(eta);
    if (found >= 0)
        return found;
    for (int a = 0; a < size(); ++a) {
        int rest = eta > slots[a].eta ? find(eta - slots[a].eta, eta) : -1;
        if (rest >= 0 && slots[a].eta > 0)
            return add(eta, a, rest);
    }
    for (int a = 0; a < size(); ++a) {
        double ratio = slots[a].eta > 0 ? eta / slots[a].eta : 0;
        double whole = std::round(ratio);
        if (whole < 2 || whole > 32 || std::abs(ratio - whole) >= SAME_ETA * whole)
            continue;
        std::vector<ExponentialSlot> before = slots;
        int made = multiple(a, static_cast<int>(whole), eta);
        if (slots.size() <= before.size() + MOST_NEW_SLOTS)
            return made;
        slots = before;
    }
    return add(eta, -1, -1);
}

int ExponentialBuilder::find(double eta, double scale) const
{
    for (int s = 0; s < size(); ++s) {
        if (std::abs(slots[s].eta - eta) <= SAME_ETA * std::max(std::abs(eta), std::abs(scale)))
            return s;
    }
    return -1;
}

int ExponentialBuilder::add(double eta, int first, int second)
{
    slots.push_back({eta, first, second});
    return size() - 1;
}

int ExponentialBuilder::multiple(int base, int times, double eta)
{
    int half = times / 2, rest = times - half;
    double unit = slots[base].eta;
    int first = half == 1 ? base : slot_of_multiple(base, half, unit * half);
    int second = rest == half ? first : slot_of_multiple(base, rest, unit * rest);
    return add(eta, first, second);
}

int ExponentialBuilder::slot_of_multiple(int base, int times, double eta)
{
    int found = find(eta);
    if (found >= 0)
        return found;
    return times == 1 ? base : multiple(base, times, eta);
}

int AngleBuilder::base(double lambda)
{
    auto found = bases_.find(lambda);
    if (found != bases_.end())
        return found->second;
    int added = add({AngleOp::base, -1, -1, lambda, 0});
    bases_[lambda] = added;
    powers_[{added, 1}] = added;
    return added;
}

int AngleBuilder::power(int base_slot, double exponent)
{
    auto found = powers_.find({base_slot, exponent});
    if (found != powers_.end())
        return found->second;
    int made;
    if (exponent == 0)
        made = add({AngleOp::step, base_slot, -1, 0, 0});
    else if (exponent > 0 && exponent <= LARGEST_INTEGER_POWER && exponent == std::floor(exponent))
        made = integer_power(base_slot, exponent);
    else
        made = add({AngleOp::power, base_slot, -1, exponent, 0});
    powers_[{base_slot, exponent}] = made;
    return made;
}

int AngleBuilder::compact(double left, double right)
{
    int value = add({AngleOp::compact, -1, -1, left, right});
    add({AngleOp::compact, value, -1, left, right});  // its slope; not computed by itself
    return value;
}

int AngleBuilder::shifted(double shift)
{
    auto found = shifted_.find(shift);
    if (found != shifted_.end())
        return found->second;
    int value = add({AngleOp::shifted, -1, -1, std::cos(shift), std::sin(shift)});
    add({AngleOp::shifted, value, -1, 0, 0});  // its slope; not computed by itself
    shifted_[shift] = value;
    powers_[{value, 1}] = value;
    return value;
}

int AngleBuilder::product(int first_slot, int second_slot)
{
    auto found = products_.find({first_slot, second_slot});
    if (found != products_.end())
        return found->second;
    int made = add({AngleOp::product, first_slot, second_slot, 0, 0});
    products_[{first_slot, second_slot}] = made;
    return made;
}

int AngleBuilder::add(AngleSlot slot)
{
    slots.push_back(slot);
    return static_cast<int>(slots.size()) - 1;
}

int AngleBuilder::integer_power(int base_slot, double n)
{
    for (double a = n - 1; a >= std::ceil(n / 2); --a) {
        auto first = powers_.find({base_slot, a}), second = powers_.find({base_slot, n - a});
        if (first != powers_.end() && second != powers_.end())
            return add({AngleOp::product, first->second, second->second, 0, 0});
    }
    double half = std::floor(n / 2);
    int first = power(base_slot, half), second = power(base_slot, n - half);
    return add({AngleOp::product, first, second, 0, 0});
}

}  // namespace nnp

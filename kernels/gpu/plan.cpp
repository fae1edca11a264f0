#include "plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace nnp::gpu
{
namespace
{

constexpr int LARGEST_INTEGER_POWER = 64;
constexpr double SAME_ETA = 1e-14;  // relative: products of exponentials must not cost accuracy

bool same_radial_group(const RadialGroup& group, const Function& f)
{
    if (group.neighbor != f.neighbor_1 || group.has_cutoff == f.is_compact())
        return false;
    return f.is_compact() || (group.cutoff == f.cutoff_or_core && group.radius == f.parameters[2] &&
                              group.inner_fraction == f.parameters[3]);
}

void add_radial(std::vector<RadialGroup>& groups, const Function& f, int index)
{
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const RadialGroup& g) { return same_radial_group(g, f); });
    if (group == groups.end()) {
        groups.push_back({f.neighbor_1, !f.is_compact(), f.cutoff_or_core, f.radius(), f.parameters[3], {}});
        group = groups.end() - 1;
    }
    group->radius = std::max(group->radius, f.radius());
    group->members.push_back({f.kind, f.cutoff_or_core, f.asymmetric, f.parameters[0], f.parameters[1], index});
}

AngularGroup new_angular_group(const Function& f)
{
    AngularGroup group = {};
    group.neighbor_1 = f.neighbor_1;
    group.neighbor_2 = f.neighbor_2;
    group.narrow = f.narrow;
    group.compact = f.is_compact();
    group.cutoff_or_core = f.cutoff_or_core;
    group.asymmetric = f.asymmetric;
    group.radius = f.radius();
    group.inner_fraction = group.compact ? 0 : f.parameters[3];
    group.r_shift = group.compact ? 0 : f.parameters[1];
    group.left = group.compact ? f.parameters[0] : 0;
    return group;
}

bool same_angular_group(const AngularGroup& a, const AngularGroup& b)
{
    auto key = [](const AngularGroup& g) {
        return std::make_tuple(g.neighbor_1, g.neighbor_2, g.narrow, g.compact, g.cutoff_or_core, g.asymmetric,
                               g.radius, g.inner_fraction, g.r_shift, g.left);
    };
    return key(a) == key(b);
}

// Exponential slots: one per distinct eta, smallest first; a sum or a small multiple of earlier ones is a product.
class ExponentialBuilder
{
public:
    std::vector<ExponentialSlot> slots;

    int slot(double eta)
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
            if (whole >= 2 && whole <= 32 && std::abs(ratio - whole) < SAME_ETA * whole)
                return multiple(a, static_cast<int>(whole), eta);
        }
        return add(eta, -1, -1);
    }

private:
    int size() const { return static_cast<int>(slots.size()); }

    int find(double eta, double scale = 0) const
    {
        for (int s = 0; s < size(); ++s) {
            if (std::abs(slots[s].eta - eta) <= SAME_ETA * std::max(std::abs(eta), std::abs(scale)))
                return s;
        }
        return -1;
    }

    int add(double eta, int first, int second)
    {
        slots.push_back({eta, first, second});
        return size() - 1;
    }

    int multiple(int base, int times, double eta)
    {
        int half = times / 2, rest = times - half;
        double unit = slots[base].eta;
        int first = half == 1 ? base : slot_of_multiple(base, half, unit * half);
        int second = rest == half ? first : slot_of_multiple(base, rest, unit * rest);
        return add(eta, first, second);
    }

    int slot_of_multiple(int base, int times, double eta)
    {
        int found = find(eta);
        if (found >= 0)
            return found;
        return times == 1 ? base : multiple(base, times, eta);
    }
};

// Angle slots: per lambda one base and a short chain of products up to the integer powers that are asked for.
class AngleBuilder
{
public:
    std::vector<AngleSlot> slots;

    int base(double lambda)
    {
        auto found = bases_.find(lambda);
        if (found != bases_.end())
            return found->second;
        int added = add({AngleOp::base, -1, -1, lambda, 0});
        bases_[lambda] = added;
        powers_[{added, 1}] = added;
        return added;
    }

    int power(int base_slot, double exponent)
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

    int compact(double left, double right)
    {
        int value = add({AngleOp::compact, -1, -1, left, right});
        add({AngleOp::compact, value, -1, left, right});  // its slope; not computed by itself
        return value;
    }

private:
    std::map<double, int> bases_;
    std::map<std::pair<int, double>, int> powers_;

    int add(AngleSlot slot)
    {
        slots.push_back(slot);
        return static_cast<int>(slots.size()) - 1;
    }

    int integer_power(int base_slot, double n)
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
};

// Collects the functions of one angular group, smallest powers and exponents first so that products find their parts.
class AngularBuilder
{
public:
    explicit AngularBuilder(const AngularGroup& group) : group_(group) {}

    const AngularGroup& group() const { return group_; }
    void add(const Function* f, int index) { functions_.push_back({f, index}); }

    AngularGroup build()
    {
        std::stable_sort(functions_.begin(), functions_.end(),
                         [](const Entry& a, const Entry& b) { return key(*a.function) < key(*b.function); });
        for (const Entry& entry : functions_)
            group_.members.push_back(member(*entry.function, entry.index));
        std::stable_sort(group_.members.begin(), group_.members.end(),
                         [](const AngularMember& a, const AngularMember& b) { return a.exp_slot < b.exp_slot; });
        group_.exponentials = exponentials_.slots;
        group_.angles = angles_.slots;
        return group_;
    }

private:
    struct Entry {
        const Function* function;
        int index;
    };

    AngularGroup group_;
    std::vector<Entry> functions_;
    ExponentialBuilder exponentials_;
    AngleBuilder angles_;

    static std::pair<double, double> key(const Function& f)
    {
        return f.is_compact() ? std::make_pair(0.0, 0.0) : std::make_pair(f.parameters[0], f.parameters[5]);
    }

    AngularMember member(const Function& f, int index)
    {
        const double* p = f.parameters;
        if (f.is_compact()) {
            int value = angles_.compact(p[2], p[3]);
            return {exponentials_.slot(0), value, value + 1, 1, 1, index};
        }
        double lambda = p[4], zeta = p[5];
        int base = angles_.base(lambda);
        int slope = angles_.power(base, zeta - 1), value = angles_.power(base, zeta);
        return {exponentials_.slot(p[0]), value, slope, 2, zeta * lambda, index};
    }
};

ElementPlan plan_element(const Element& element)
{
    ElementPlan plan;
    std::vector<AngularBuilder> builders;
    for (size_t i = 0; i < element.functions.size(); ++i) {
        const Function& f = element.functions[i];
        if (!f.is_angular()) {
            add_radial(plan.radial, f, static_cast<int>(i));
            continue;
        }
        AngularGroup group = new_angular_group(f);
        auto builder = std::find_if(builders.begin(), builders.end(),
                                    [&](const AngularBuilder& b) { return same_angular_group(b.group(), group); });
        if (builder == builders.end())
            builder = builders.insert(builders.end(), AngularBuilder(group));
        builder->add(&f, static_cast<int>(i));
    }
    for (AngularBuilder& builder : builders)
        plan.angular.push_back(builder.build());
    return plan;
}

}  // namespace

std::vector<ElementPlan> make_plan(const Model& model)
{
    std::vector<ElementPlan> plan;
    for (const Element& element : model.elements)
        plan.push_back(plan_element(element));
    return plan;
}

}  // namespace nnp::gpu

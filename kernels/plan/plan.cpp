#include "plan.h"

#include "slots.h"
#include "wide.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace nnp
{
namespace
{

bool same_radial_group(const RadialGroup& group, const Function& f)
{
    if (group.neighbor != f.neighbor_1 || group.has_cutoff == f.is_compact())
        return false;
    return f.is_compact() ||
           (group.cutoff == f.cutoff && group.radius == f.r_cutoff && group.inner_fraction == f.inner_fraction);
}

void add_radial(std::vector<RadialGroup>& groups, const Function& f, int index)
{
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const RadialGroup& g) { return same_radial_group(g, f); });
    if (group == groups.end()) {
        groups.push_back({f.neighbor_1, f.has_cutoff, f.cutoff, f.radius(), f.inner_fraction, {}});
        group = groups.end() - 1;
    }
    group->radius = std::max(group->radius, f.radius());
    group->members.push_back({&f, index});
}

AngularGroup new_angular_group(const Function& f)
{
    AngularGroup group = {};
    group.neighbor_1 = f.neighbor_1;
    group.neighbor_2 = f.neighbor_2;
    group.narrow = f.narrow != 0;
    group.compact = f.is_compact();
    group.mean = f.family == NNP_ANGULAR_SHIFTED;
    group.cutoff_or_core = f.cutoff_or_core();
    group.asymmetric = f.asymmetric != 0;
    group.radius = f.radius();
    group.inner_fraction = f.inner_fraction;
    group.r_shift = f.r_shift;
    group.left = f.r_left;
    return group;
}

bool same_angular_group(const AngularGroup& a, const AngularGroup& b)
{
    auto key = [](const AngularGroup& g) {
        return std::make_tuple(g.neighbor_1, g.neighbor_2, g.narrow, g.compact, g.cutoff_or_core, g.asymmetric,
                               g.radius, g.inner_fraction, g.r_shift, g.left, g.mean);
    };
    return key(a) == key(b);
}

// Collects the functions of one angular group, smallest powers and exponents first so that products find their parts.
class AngularBuilder
{
public:
    AngularBuilder(const AngularGroup& group, Powers powers) : group_(group), powers_(powers) {}

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
        for (size_t m = 0; m < group_.members.size(); ++m) {
            if (group_.members[m].value_slot >= 0)
                group_.slotted.push_back(static_cast<int>(m));
        }
        for (const auto& levels : levels_)
            add_to_task(levels.first, levels.second);
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
    Powers powers_;
    std::vector<Entry> functions_;
    ExponentialBuilder exponentials_;
    AngleBuilder angles_;
    using Column = std::pair<double, int>;  // lambda, exponential slot
    std::map<Column, unsigned> levels_;     // exponents 2^l of each column, as bits l

    // The level of a task that does this exponent, or -1.
    int level_of(double zeta) const
    {
        for (int level = 0; level < MOST_LEVELS && powers_ == Powers::in_tasks; ++level) {
            if (zeta == 1 << level)
                return level;
        }
        return -1;
    }

    // Columns of one base with the same exponents share a task.
    void add_to_task(const Column& column, unsigned levels)
    {
        auto fits = [&](const PowerTask& t) {
            Column first = {t.lambda, t.exp_slots[0]};
            return t.lambda == column.first && t.n_exponentials < MOST_EXPONENTIALS && levels_[first] == levels;
        };
        auto task = std::find_if(group_.tasks.begin(), group_.tasks.end(), fits);
        if (task == group_.tasks.end()) {
            int n_levels = 0;
            while (levels >> n_levels)
                ++n_levels;
            bool top_only = levels == 1u << (n_levels - 1);
            task = group_.tasks.insert(task, {column.first, 0, n_levels, top_only && n_levels > 1, {}, {}});
        }
        int e = task->n_exponentials++;
        task->exp_slots[e] = column.second;
        for (int level = 0; level < MOST_LEVELS; ++level)
            task->members[e][level] = find_member(column, level);
    }

    int find_member(const Column& column, int level) const
    {
        for (size_t m = 0; m < group_.members.size(); ++m) {
            const AngularMember& member = group_.members[m];
            if (member.value_slot < 0 && member.exp_slot == column.second && member.lambda == column.first &&
                member.exponent == 1 << level)
                return static_cast<int>(m);
        }
        return -1;
    }

    static std::pair<double, double> key(const Function& f) { return {f.eta, f.zeta}; }

    AngularMember member(const Function& f, int index)
    {
        if (f.is_compact()) {
            int value = angles_.compact(f.theta_left, f.theta_right);
            return {exponentials_.slot(0), value, value + 1, 1, 1, index, 0, 0};
        }
        double lambda = f.lambda, zeta = f.zeta;
        if (f.family == NNP_ANGULAR_SHIFTED) {
            int base = angles_.shifted(f.theta_shift);
            int slope = angles_.product(angles_.power(base, zeta - 1), base + 1), value = angles_.power(base, zeta);
            return {exponentials_.slot(f.eta), value, slope, 2, 2 * zeta, index, 0, 0};
        }
        if (level_of(zeta) >= 0) {
            int exp_slot = exponentials_.slot(f.eta);
            levels_[{lambda, exp_slot}] |= 1u << level_of(zeta);
            return {exp_slot, -1, -1, 2, zeta * lambda, index, lambda, static_cast<int>(zeta)};
        }
        int base = angles_.base(lambda);
        int slope = angles_.power(base, zeta - 1), value = angles_.power(base, zeta);
        return {exponentials_.slot(f.eta), value, slope, 2, zeta * lambda, index, 0, 0};
    }
};

// Numbers of windows that stand in a list once each.
int find_or_add(std::vector<CompactWindow>& windows, const CompactWindow& wanted)
{
    auto same = [&](const CompactWindow& w) {
        return w.core == wanted.core && w.asymmetric == wanted.asymmetric && w.left == wanted.left &&
               w.right == wanted.right;
    };
    auto found = std::find_if(windows.begin(), windows.end(), same);
    if (found == windows.end())
        found = windows.insert(windows.end(), wanted);
    return static_cast<int>(found - windows.begin());
}

// Compact functions of one pair of elements while they are collected: members by window.
struct CompactBuilder {
    CompactGroup group;
    std::vector<std::vector<CompactMember>> members;

    explicit CompactBuilder(const Function& f)
    {
        group.neighbor_1 = f.neighbor_1;
        group.neighbor_2 = f.neighbor_2;
        group.narrow = f.narrow;
    }

    bool takes(const Function& f) const
    {
        return group.neighbor_1 == f.neighbor_1 && group.neighbor_2 == f.neighbor_2 && group.narrow == f.narrow;
    }

    void add(const Function& f, int index)
    {
        int window = find_or_add(group.windows, {f.core, f.asymmetric != 0, f.r_left, f.r_right});
        int angle = find_or_add(group.angles, {f.core, false, f.theta_left, f.theta_right});
        members.resize(group.windows.size());
        members[window].push_back({angle, index});
    }

    CompactGroup build()
    {
        group.starts.push_back(0);
        for (const std::vector<CompactMember>& of_window : members) {
            group.members.insert(group.members.end(), of_window.begin(), of_window.end());
            group.starts.push_back(static_cast<int>(group.members.size()));
        }
        return group;
    }
};

void add_compact(std::vector<CompactBuilder>& builders, const Function& f, int index)
{
    auto builder = std::find_if(builders.begin(), builders.end(), [&](const CompactBuilder& b) { return b.takes(f); });
    if (builder == builders.end())
        builder = builders.insert(builders.end(), CompactBuilder(f));
    builder->add(f, index);
}

// Functions of moments have a radius for each element of the neighbour; others see as far as the model.
std::vector<double> reach_of(const Model& model, const Element& element, const ElementPlan& plan)
{
    if (!plan.radial.empty() || !plan.angular.empty() || !plan.compact.empty())
        return std::vector<double>(model.elements.size(), model.cutoff);
    std::vector<double> reach(model.elements.size(), 0);
    for (const MomentGroup& group : plan.moments) {
        for (size_t e = 0; e < reach.size(); ++e)
            reach[e] = std::max(reach[e], group.series.radii[e]);
    }
    for (const Repulsion& repulsion : element.repulsions)
        reach[repulsion.neighbor] = std::max(reach[repulsion.neighbor], repulsion.r_outer);
    return reach;
}

}  // namespace

ElementPlan plan_element(const Model& model, const Element& element, Powers powers, const std::vector<int>& wide)
{
    ElementPlan plan;
    std::vector<AngularBuilder> builders;
    std::vector<CompactBuilder> compact;
    for (size_t i = 0; i < element.functions.size(); ++i) {
        const Function& f = element.functions[i];
        plan.inputs.factor.push_back(f.factor);
        plan.inputs.offset.push_back(f.offset);
        plan.inputs.minimum.push_back(f.minimum);
        plan.inputs.maximum.push_back(f.maximum);
        if (f.moment || std::binary_search(wide.begin(), wide.end(), static_cast<int>(i)))
            continue;
        if (!f.is_angular()) {
            add_radial(plan.radial, f, static_cast<int>(i));
            continue;
        }
        if (f.is_compact() && powers == Powers::in_tasks) {
            add_compact(compact, f, static_cast<int>(i));
            continue;
        }
        AngularGroup group = new_angular_group(f);
        auto builder = std::find_if(builders.begin(), builders.end(),
                                    [&](const AngularBuilder& b) { return same_angular_group(b.group(), group); });
        if (builder == builders.end())
            builder = builders.insert(builders.end(), AngularBuilder(group, powers));
        builder->add(&f, static_cast<int>(i));
    }
    for (AngularBuilder& builder : builders)
        plan.angular.push_back(builder.build());
    plan.moments = moment_groups(element);
    for (MomentGroup& group : wide_groups(model, element, wide))
        plan.moments.push_back(std::move(group));
    for (CompactBuilder& builder : compact)
        plan.compact.push_back(builder.build());
    plan.reach = reach_of(model, element, plan);
    return plan;
}

std::vector<ElementPlan> make_plan(const Model& model, Powers powers, const WideSets& wide)
{
    std::vector<ElementPlan> plan;
    for (size_t e = 0; e < model.elements.size(); ++e)
        plan.push_back(plan_element(model, model.elements[e], powers, wide.empty() ? std::vector<int>() : wide[e]));
    return plan;
}

}  // namespace nnp

#include "choice.h"

#include "wide.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace nnp
{
namespace
{

// Moments sum all pairs of neighbours, each neighbour with itself as well, before most of it cancels: about (zeta + 1)
// times what is left at random angles. Rounding grows by as much; over a function's range in training it may not grow
// beyond this. Measured in tests/test_wide_moments.py.
constexpr double MOST_AMPLIFIED_DOUBLE = 1e4, MOST_AMPLIFIED_SINGLE = 30;
constexpr double NO_RANGE = 1e30;

bool is_exact_enough(const Function& f, bool single)
{
    if (f.maximum >= NO_RANGE)
        return true;
    double width = f.maximum - f.minimum;
    return (f.zeta + 1) * f.maximum <= width * (single ? MOST_AMPLIFIED_SINGLE : MOST_AMPLIFIED_DOUBLE);
}

// Functions that share moments, by zeta.
using ByZeta = std::map<double, std::vector<int>>;

std::vector<ByZeta> candidates(const Element& element, bool single, bool all)
{
    std::map<std::tuple<int, double, double, bool>, ByZeta> groups;
    for (size_t i = 0; i < element.functions.size(); ++i) {
        const Function& f = element.functions[i];
        if (has_moments(f) && (all || is_exact_enough(f, single)))
            groups[{f.cutoff, f.r_cutoff, f.inner_fraction, f.neighbor_1 == ANY_ELEMENT}][f.zeta].push_back(
                static_cast<int>(i));
    }
    std::vector<ByZeta> found;
    for (auto& group : groups)
        found.push_back(std::move(group.second));
    return found;
}

std::vector<int> joined(std::vector<int> a, const std::vector<int>& b)
{
    a.insert(a.end(), b.begin(), b.end());
    std::sort(a.begin(), a.end());
    return a;
}

// Group by group up to that zeta from which on pairs are cheaper.
std::vector<int> cheapest(const Model& model, const Element& element, Powers powers, const Machine& machine)
{
    const std::vector<ByZeta> groups = candidates(element, machine.single, false);
    std::vector<int> chosen;
    if (groups.empty())
        return chosen;
    const std::vector<Neighborhood> hoods = expected_neighborhoods(model, element);
    auto cost_of = [&](const std::vector<int>& wide) {
        ElementPlan plan = plan_element(model, element, powers, wide);
        return total(price(count_work(model, element, plan, machine, hoods), machine));
    };
    double least = cost_of(chosen);
    for (const ByZeta& group : groups) {
        std::vector<int> trial = chosen, best = chosen;
        for (const auto& [zeta, functions] : group) {
            trial = joined(trial, functions);
            double cost = cost_of(trial);
            if (cost < least) {
                least = cost;
                best = trial;
            }
        }
        chosen = best;
    }
    return chosen;
}

}  // namespace

WideSets wide_by_moments(const Model& model, Powers powers, Wide wide, const Machine& machine)
{
    WideSets sets(model.elements.size());
    for (size_t e = 0; e < sets.size(); ++e) {
        const Element& element = model.elements[e];
        if (wide == Wide::automatic)
            sets[e] = cheapest(model, element, powers, machine);
        if (wide != Wide::moments)
            continue;
        for (const ByZeta& group : candidates(element, machine.single, true)) {
            for (const auto& [zeta, functions] : group)
                sets[e] = joined(sets[e], functions);
        }
    }
    return sets;
}

}  // namespace nnp

#include "choice.h"

#include "wide.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace nnp
{
namespace
{

// Moments sum over all pairs of neighbours, each neighbour with itself as well, and what the angle leaves out cancels.
// Rounding is a share of all that was summed: it may not be more than so many times that of the function's largest
// value in training, which is what sums over pairs round. (At random angles it is zeta + 1 times, at the angles of
// molecules any number of times.)
constexpr double MOST_AMPLIFIED_DOUBLE = 1e4, MOST_AMPLIFIED_SINGLE = 30;
constexpr double WORTH = 0.95;  // what is left of the cost must be less than this share: the model is no clock

// sum_j g(r_ij) over one element's neighbours or, weighted by Z, over all.
double radial_sum(const Model& model, const Function& f, int element, const std::vector<Neighborhood>& hoods)
{
    double sum = 0;
    for (const Neighborhood& hood : hoods) {
        for (const Neighborhood::At& at : hood.neighbors) {
            if (element == ANY_ELEMENT)
                sum += gaussian_part(f, at.r) * model.elements[at.element].atomic_number;
            else if (at.element == element)
                sum += gaussian_part(f, at.r);
        }
    }
    return sum / static_cast<double>(hoods.size());
}

bool is_exact_enough(const Model& model, const Function& f, bool single, const std::vector<Neighborhood>& hoods)
{
    if (f.maximum >= NO_RANGE)
        return true;
    double summed = radial_sum(model, f, f.neighbor_1, hoods) * radial_sum(model, f, f.neighbor_2, hoods);
    if (f.neighbor_1 != f.neighbor_2)
        summed *= 2;
    return summed <= f.maximum * (single ? MOST_AMPLIFIED_SINGLE : MOST_AMPLIFIED_DOUBLE);
}

// Functions that share moments, by zeta.
using ByZeta = std::map<double, std::vector<int>>;

// Of those functions that moments can make and `wanted` takes: a map for each cutoff, weighted ones apart.
template <class Wanted>
std::vector<ByZeta> candidates(const Element& element, Wanted wanted)
{
    std::map<std::tuple<int, double, double, bool>, ByZeta> groups;
    for (size_t i = 0; i < element.functions.size(); ++i) {
        const Function& f = element.functions[i];
        if (has_moments(f) && wanted(f))
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
    std::vector<int> chosen;
    if (std::none_of(element.functions.begin(), element.functions.end(), has_moments))
        return chosen;
    const std::vector<Neighborhood> hoods = expected_neighborhoods(model, element);
    const std::vector<ByZeta> groups =
        candidates(element, [&](const Function& f) { return is_exact_enough(model, f, machine.single, hoods); });
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
            if (cost < WORTH * least) {
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
        for (const ByZeta& group : candidates(element, [](const Function&) { return true; })) {
            for (const auto& [zeta, functions] : group)
                sets[e] = joined(sets[e], functions);
        }
    }
    return sets;
}

}  // namespace nnp

#include "neighborhoods.h"

#include "defaults.h"
#include "nnp/cutoff.h"
#include "nnp/radial.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace nnp
{
namespace
{

constexpr double PI = 3.14159265358979323846;
constexpr double TYPICAL_DENSITY = 0.06;  // atoms per Å^3: between silicon (0.05), metals (0.08) and water (0.1)
constexpr double CLOSEST = 0.9;           // Å
constexpr int SAMPLES = 4;
constexpr int MOST_EXPECTED = 4000;  // neighbours of an atom: cutoffs beyond that are a mistake

// Integral of 4 pi r^2 G(r) over a radial function's reach, by the trapezoidal rule.
double integral(const Function& f)
{
    constexpr int STEPS = 400;
    double sum = 0;
    for (int i = 1; i < STEPS; ++i) {
        double r = f.r_cutoff * i / STEPS;
        sum += r * r * gaussian_part(f, r);
    }
    return 4 * PI * sum * f.r_cutoff / STEPS;
}

// A function's usual value in training: what its scaling takes to 0, which is the mean where functions are centred;
// else the middle of its range.
double usual(const Function& f)
{
    double zero = f.factor == 0 ? f.minimum : -f.offset / f.factor;
    return zero > f.minimum && zero < f.maximum ? zero : 0.5 * (f.minimum + f.maximum);
}

// Numbers of a small generator in [0, 1): the neighbourhoods are the same on every machine.
class Numbers
{
public:
    double next()
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<double>(state_ >> 11) / 9007199254740992.0;
    }

private:
    uint64_t state_ = 20;
};

Neighborhood::At anywhere(int element, double radius, Numbers& numbers)
{
    while (true) {
        Neighborhood::At at = {element, 0, 0, 0, 0};
        for (double* x : {&at.x, &at.y, &at.z})
            *x = radius * (2 * numbers.next() - 1);
        at.r = std::sqrt(at.x * at.x + at.y * at.y + at.z * at.z);
        if (at.r < radius && at.r > std::min(CLOSEST, 0.5 * radius))
            return at;
    }
}

}  // namespace

double gaussian_part(const Function& f, double r)
{
    double g = 0, dg = 0, f_c = 0, df_c = 0;
    nnp_gaussian(r, f.eta, f.r_shift, &g, &dg);
    nnp_cutoff(f.cutoff, r, f.r_cutoff, f.inner_fraction, &f_c, &df_c);
    return g * f_c;
}

std::vector<double> expected_densities(const Model& model, const Element& element)
{
    const int n_elements = static_cast<int>(model.elements.size());
    std::vector<double> densities;
    for (int e = 0; e < n_elements; ++e) {
        std::vector<double> found;
        for (const Function& f : element.functions) {
            if (f.family == NNP_RADIAL && f.neighbor_1 == e && f.maximum < NO_RANGE && usual(f) > 0)
                found.push_back(usual(f) / integral(f));
        }
        if (found.empty()) {
            densities.push_back(TYPICAL_DENSITY / n_elements);
            continue;
        }
        std::nth_element(found.begin(), found.begin() + static_cast<int64_t>(found.size() / 2), found.end());
        densities.push_back(found[found.size() / 2]);
    }
    return densities;
}

std::vector<Neighborhood> expected_neighborhoods(const Model& model, const Element& element)
{
    const std::vector<double> densities = expected_densities(model, element);
    const double volume = 4 * PI / 3 * std::pow(model.cutoff, 3);
    const double listed = std::pow(1 + DEFAULT_SKIN / std::max(model.cutoff, 0.1), 3);
    Numbers numbers;
    std::vector<Neighborhood> found(SAMPLES);
    for (Neighborhood& hood : found) {
        for (size_t e = 0; e < densities.size(); ++e) {
            double n = std::min<double>(densities[e] * volume, MOST_EXPECTED);
            for (double left = n + numbers.next(); left >= 1; --left)  // n on average
                hood.neighbors.push_back(anywhere(static_cast<int>(e), model.cutoff, numbers));
        }
        hood.listed = listed * static_cast<double>(hood.neighbors.size());
    }
    return found;
}

}  // namespace nnp

#include "series.h"

#include "error.h"
#include "nnp/chebyshev.h"
#include "nnp/cutoff.h"
#include "nnp/harmonics.h"

#include <algorithm>

namespace nnp
{
namespace
{

constexpr int MOST_FUNCTIONS_OF_A_SERIES = 64;

[[noreturn]] void refuse(const std::string& text)
{
    throw Error(NNP_BAD_MODEL, text);
}

}  // namespace

double RadialSeries::radius() const
{
    return *std::max_element(radii.begin(), radii.end());
}

void read_series(Block& block, Model& model)
{
    auto n_elements = static_cast<int64_t>(model.elements.size());
    RadialSeries s;
    auto element = block.integer("the element of a radial series", 0, n_elements - 1);
    s.argument = static_cast<int>(block.integer("a series' argument", 0, NNP_ARGUMENT_COUNT - 1));
    s.cutoff = static_cast<int>(block.integer("a series' cutoff", 0, NNP_CUTOFF_POLY4));
    s.n_functions = static_cast<int>(block.integer("a series' number of functions", 1, MOST_FUNCTIONS_OF_A_SERIES));
    s.n_terms = static_cast<int>(block.integer("a series' number of terms", 1, MOST_TERMS_OF_A_SERIES));
    s.inner_fraction = block.real("a series' inner_fraction");
    s.radii = block.numbers("a series' radius", n_elements);
    s.coefficients = block.numbers("a series' coefficient", n_elements * s.n_functions * s.n_terms);
    bool sound = std::all_of(s.radii.begin(), s.radii.end(), [](double r) { return r >= 0; }) && s.radius() > 0;
    if (!sound || !(s.inner_fraction >= 0 && s.inner_fraction < 1))
        refuse("a radial series needs radii of 0 or more, one of them positive, and inner_fraction in [0, 1)");
    model.elements[element].series.push_back(std::move(s));
}

void check_moment(const Element& element, Function& f)
{
    if (f.series >= static_cast<int>(element.series.size()))
        refuse("a function asks for radial series " + std::to_string(f.series) + " of an element that has " +
               std::to_string(element.series.size()));
    const RadialSeries& s = element.series[f.series];
    if (std::max({f.n_1, f.n_2, f.n_3}) >= s.n_functions)
        refuse("a function asks for radial function " + std::to_string(std::max({f.n_1, f.n_2, f.n_3})) +
               " of a series that has " + std::to_string(s.n_functions));
    if (std::max({f.l_1, f.l_2, f.l_3}) > NNP_MOST_L)
        refuse("a function of moments has l above " + std::to_string(NNP_MOST_L));
    f.r_right = s.radius();
}

}  // namespace nnp

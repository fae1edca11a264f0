// Neighbourhoods that costs are counted in: of a structure's atoms, or those to be expected where there is none.
#ifndef NNP_PLAN_NEIGHBORHOODS_H
#define NNP_PLAN_NEIGHBORHOODS_H

#include "model.h"

#include <vector>

namespace nnp
{

constexpr double NO_RANGE = 1e30;  // a largest value in training from which on it is none

struct Neighborhood {
    struct At {
        int element;
        double x, y, z, r;  // from the centre, Å
    };
    std::vector<At> neighbors;  // within the model's cutoff
    double listed = 0;          // entries of the list, which reaches farther by its skin
};

// exp(-eta (r - r_shift)^2) f_c(r) of a radial or angular function.
double gaussian_part(const Function& f, double r);

// Atoms per Å^3 by element around atoms of this one: what gives its radial functions the values that they had in
// training; where none has a range, a typical density of matter.
std::vector<double> expected_densities(const Model& model, const Element& element);

// A few neighbourhoods without order, of these densities. The same each time.
std::vector<Neighborhood> expected_neighborhoods(const Model& model, const Element& element);

}  // namespace nnp

#endif

// The formula headers over plain double, point by point, so that tests can hold them against the reference.
#include "nnp.h"
#include "nnp/activation.h"
#include "nnp/angular.h"
#include "nnp/cutoff.h"
#include "nnp/radial.h"

#include <cmath>

namespace
{

void angular(double cosine, const double* p, double* value, double* slope)
{
    double lambda = p[0], zeta = p[1], base = nnp_angular_base(cosine, lambda);
    *value = 2 * nnp_angular_power(base, zeta);
    *slope = zeta * lambda * nnp_angular_power(base, zeta - 1);
}

void cosine_of_sides(double r_ij, const double* p, double* value, double* slope)
{
    double r_ik = p[0], r_jk = p[1];
    *value = (r_ij * r_ij + r_ik * r_ik - r_jk * r_jk) / (2 * r_ij * r_ik);
    *slope = r_ij * nnp_cosine_by_side(*value, 1 / r_ij, 1 / r_ik);
}

bool evaluate(int formula, int kind, const double* p, double x, double* value, double* slope)
{
    switch (formula) {
        case NNP_FORMULA_CUTOFF:
            nnp_cutoff(kind, x, p[0], p[1], value, slope);
            return true;
        case NNP_FORMULA_COMPACT:
            nnp_compact(kind, p[2] != 0, x, p[0], p[1], value, slope);
            return true;
        case NNP_FORMULA_GAUSSIAN:
            nnp_gaussian(x, p[0], p[1], value, slope);
            return true;
        case NNP_FORMULA_RADIAL_COSINE:
            nnp_radial_cosine(x, p[0], value, slope);
            return true;
        case NNP_FORMULA_ANGULAR:
            angular(x, p, value, slope);
            return true;
        case NNP_FORMULA_COMPACT_ANGLE:
            nnp_compact_angle(kind, x, p[0], p[1], value, slope);
            return true;
        case NNP_FORMULA_SHIFTED_ANGLE:
            nnp_shifted_angle(x, std::cos(p[0]), std::sin(p[0]), value, slope);
            return true;
        case NNP_FORMULA_ACTIVATION:
            nnp_activation(kind, x, p[0], value, slope);
            return true;
        case NNP_FORMULA_COSINE:
            cosine_of_sides(x, p, value, slope);
            return true;
        default:
            return false;
    }
}

}  // namespace

int nnp_formula_evaluate(int formula, int kind, const double* parameters, int64_t n, const double* x, double* value,
                         double* slope)
{
    if (!parameters || !x || !value || !slope)
        return NNP_BAD_ARGUMENT;
    for (int64_t i = 0; i < n; ++i) {
        if (!evaluate(formula, kind, parameters, x[i], value + i, slope + i))
            return NNP_BAD_ARGUMENT;
    }
    return NNP_OK;
}

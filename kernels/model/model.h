// A potential as the flat arrays of nnp.h describe it, checked; immutable once read.
#ifndef NNP_MODEL_MODEL_H
#define NNP_MODEL_MODEL_H

#include "nnp.h"

#include <memory>
#include <string>
#include <vector>

namespace nnp
{

constexpr int ANY_ELEMENT = -1;

// Parameters by the names of families.h; those that a family does not have are 0.
struct Function {
    int family = 0;                                          // enum nnp_family_number
    int neighbor_1 = ANY_ELEMENT, neighbor_2 = ANY_ELEMENT;  // element indices, neighbor_1 <= neighbor_2
#define NNP_INTEGER_MEMBER(name) int name = 0;
#define NNP_REAL_MEMBER(name) double name = 0;
    NNP_INTEGER_NAMES(NNP_INTEGER_MEMBER)
    NNP_REAL_NAMES(NNP_REAL_MEMBER)
#undef NNP_INTEGER_MEMBER
#undef NNP_REAL_MEMBER
    double minimum = 0, maximum = 0, factor = 0, offset = 0;
    bool angular = false, moment = false, has_cutoff = false;
    const int64_t* integers = nullptr;  // as they stand in the model's arrays
    const double* reals = nullptr;
    std::string text;  // for messages

    bool is_angular() const { return angular; }
    bool is_compact() const { return !has_cutoff && !moment; }
    int cutoff_or_core() const { return has_cutoff ? cutoff : core; }
    double radius() const { return has_cutoff ? r_cutoff : r_right; }
};

// Radial functions of one central element, as Chebyshev series: see plan/moments.h.
struct RadialSeries {
    int argument = 0;  // of chebyshev.h
    int cutoff = 0;    // of cutoff.h
    double inner_fraction = 0;
    int n_functions = 0, n_terms = 0;
    std::vector<double> radii;         // [element of the neighbour] r_c; 0: it is not seen
    std::vector<double> coefficients;  // [element of the neighbour][function][term]

    double radius() const;  // the largest
};

// Of an element's atoms by those of another, or of its own: see nnp/zbl.h.
struct Repulsion {
    int neighbor = 0;  // element index
    double r_outer = 0, inner_fraction = 0;
    double scale = 0;  // V r / (phi s)
    std::vector<double> amplitudes, decays;
};

struct Layer {
    int n_in, n_out, activation;
    std::vector<double> weights;  // [n_in][n_out]
    std::vector<double> biases;
};

struct Element {
    int atomic_number;
    double energy_offset;
    std::vector<Function> functions;
    std::vector<RadialSeries> series;
    std::vector<Repulsion> repulsions;
    std::vector<Layer> layers;
};

struct Model {
    double energy_scale = 1, twist = 0;
    double cutoff = 0;  // largest radius of any function or repulsion
    std::vector<Element> elements;
    std::vector<int64_t> integers;  // the flat arrays
    std::vector<double> reals;
    std::vector<std::shared_ptr<const Model>> members;  // of a committee, whose mean this is

    // Index of an element, or ANY_ELEMENT where the model does not know it.
    int element_index(int atomic_number) const;
    // Of an element; 0 for ANY_ELEMENT.
    int atomic_number(int element) const { return element == ANY_ELEMENT ? 0 : elements[element].atomic_number; }
};

// Throws Error(NNP_BAD_MODEL) naming what is wrong.
std::shared_ptr<Model> read_model(const nnp_arrays& arrays);

}  // namespace nnp

#endif

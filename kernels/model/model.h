// A potential as the flat arrays of nnp.h describe it, checked.
#ifndef NNP_MODEL_MODEL_H
#define NNP_MODEL_MODEL_H

#include "nnp.h"

#include <string>
#include <vector>

namespace nnp
{

constexpr int ANY_ELEMENT = -1;

struct Function {
    int kind;                    // enum nnp_function_kind
    int neighbor_1, neighbor_2;  // element indices, neighbor_1 <= neighbor_2, or ANY_ELEMENT
    int cutoff_or_core;
    bool narrow, asymmetric;
    double parameters[6];
    double minimum, maximum, factor, offset;
    std::string text;  // for messages

    bool is_angular() const { return kind == NNP_ANGULAR || kind == NNP_COMPACT_ANGULAR; }
    bool is_compact() const { return kind == NNP_COMPACT_RADIAL || kind == NNP_COMPACT_ANGULAR; }
    double radius() const { return is_compact() ? parameters[1] : parameters[2]; }
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
    std::vector<Layer> layers;
};

struct Model {
    double energy_scale, twist;
    double cutoff;  // largest radius of any function
    std::vector<Element> elements;

    // Index of an element, or ANY_ELEMENT where the model does not know it.
    int element_index(int atomic_number) const;
    // Of an element; 0 for ANY_ELEMENT.
    int atomic_number(int element) const { return element == ANY_ELEMENT ? 0 : elements[element].atomic_number; }
};

// Throws Error(NNP_BAD_MODEL) naming what is wrong.
Model read_model(const nnp_arrays& arrays);

}  // namespace nnp

#endif

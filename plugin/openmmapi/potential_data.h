// A potential as the flat arrays of nnp.h, and what the plugin must know about it.
#ifndef NNP_PLUGIN_POTENTIAL_DATA_H
#define NNP_PLUGIN_POTENTIAL_DATA_H

#include "nnp.h"

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace nnp_openmm
{

struct PotentialData {
    std::vector<int64_t> integers;
    std::vector<double> reals;
};

struct ReleaseModel {
    void operator()(nnp_model* model) const { nnp_model_release(model); }
};
using ModelPointer = std::unique_ptr<nnp_model, ReleaseModel>;

// Throws OpenMMException when the arrays are no potential.
ModelPointer make_model(const PotentialData& potential);

// Atomic number → width (maximum - minimum) of the training range of each function.
using Widths = std::map<int32_t, std::vector<double>>;

// The largest distance that any function sees, in the potential's length.
double read_cutoff(const PotentialData& potential);

// Throws OpenMMException when the arrays are not of this layout or of another version of it.
Widths read_widths(const PotentialData& potential);

}  // namespace nnp_openmm

#endif

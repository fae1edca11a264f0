// A potential as the bytes that nnp.h describes (flat arrays with their checksum), and what the plugin must know of it.
#ifndef NNP_PLUGIN_POTENTIAL_DATA_H
#define NNP_PLUGIN_POTENTIAL_DATA_H

#include "nnp.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace nnp_openmm
{

struct PotentialData {
    std::string bytes;
};

struct ReleaseModel {
    void operator()(nnp_model* model) const { nnp_model_release(model); }
};
using ModelPointer = std::unique_ptr<nnp_model, ReleaseModel>;

// Throws OpenMMException when the bytes are damaged or no potential.
ModelPointer make_model(const PotentialData& potential);

// Atomic number → width (maximum - minimum) of the training range of each function.
using Widths = std::map<int32_t, std::vector<double>>;

Widths read_widths(const PotentialData& potential);

}  // namespace nnp_openmm

#endif

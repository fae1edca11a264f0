// Radial series of a model: read from the flat arrays, and what functions of moments may ask of them.
#ifndef NNP_MODEL_SERIES_H
#define NNP_MODEL_SERIES_H

#include "arrays.h"
#include "model.h"

namespace nnp
{

constexpr int MOST_TERMS_OF_A_SERIES = 64;

// NNP_BLOCK_SERIES: to the element that it names. Throws Error(NNP_BAD_MODEL).
void read_series(Block& block, Model& model);

// Numbers of a function of moments that its element's series do not have are refused; its reach is the series'.
void check_moment(const Element& element, Function& f);

}  // namespace nnp

#endif

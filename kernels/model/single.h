// What single precision cannot hold.
#ifndef NNP_MODEL_SINGLE_H
#define NNP_MODEL_SINGLE_H

namespace nnp
{

struct Model;

// Throws Error(NNP_BAD_ARGUMENT) with the number of the first function whose values lie below what float32 can hold:
// they would all be 0, and scaling would turn the rest into numbers that are not finite.
void require_single(const Model& model);

}  // namespace nnp

#endif

// Flat arrays as bytes: see nnp.h.
#ifndef NNP_MODEL_BYTES_H
#define NNP_MODEL_BYTES_H

#include "model.h"

#include <cstddef>

namespace nnp
{

struct Bytes {
    const unsigned char* data;
    size_t size;
};

bool are_arrays(const Bytes& bytes);

// Throws Error(NNP_BAD_FILE) where bytes are damaged, Error(NNP_BAD_MODEL) where they are not a potential.
std::shared_ptr<Model> read_arrays(const Bytes& bytes);

}  // namespace nnp

#endif

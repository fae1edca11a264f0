// Model files: a zip in which the flat arrays lie uncompressed; of a committee, the mean's and the members' files.
#ifndef NNP_MODEL_FILE_H
#define NNP_MODEL_FILE_H

#include "bytes.h"

namespace nnp
{

// The content of a model file, or flat arrays as bytes. Throws Error.
std::shared_ptr<const Model> read_bytes(const Bytes& bytes);

std::shared_ptr<const Model> read_file(const char* path);

}  // namespace nnp

#endif

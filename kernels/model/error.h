// How the library reports failure inside: an exception that never leaves capi.cpp.
#ifndef NNP_MODEL_ERROR_H
#define NNP_MODEL_ERROR_H

#include <stdexcept>
#include <string>

namespace nnp
{

class Error : public std::runtime_error
{
public:
    Error(int code, const std::string& sentence) : std::runtime_error(sentence), code(code) {}
    int code;  // enum nnp_code
};

// Digits enough to read a double back.
std::string to_text(double value);

}  // namespace nnp

#endif

// How the library reports failure inside: an exception that never leaves a C function (guard.h).
#ifndef NNP_MODEL_ERROR_H
#define NNP_MODEL_ERROR_H

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

namespace nnp
{

// What an error is about, as numbers: see nnp_error.
struct About {
    int64_t atom = -1, other = -1;
    double value = std::numeric_limits<double>::quiet_NaN();
    int32_t function = -1;
};

class Error : public std::runtime_error
{
public:
    Error(int code, const std::string& text, About about = {}) : std::runtime_error(text), code(code), about(about) {}
    int code;  // enum nnp_code
    About about;
};

// Digits enough to read a double back.
std::string to_text(double value);

}  // namespace nnp

#endif

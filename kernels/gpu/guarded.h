// Calls of the C interface: nothing that is thrown leaves them.
#ifndef NNP_GPU_GUARDED_H
#define NNP_GPU_GUARDED_H

#include "error.h"
#include "host/failures.h"
#include "model.h"
#include "nnp_gpu.h"

#include <cmath>
#include <cstring>
#include <new>

namespace nnp::gpu
{

inline Model model_of(const nnp_potential_arrays* potential)
{
    if (!potential || !potential->integers || !potential->reals)
        throw Error(NNP_BAD_ARGUMENT, "an argument is a null pointer");
    return read_model(*potential);
}

inline int describe(nnp_error* error, int code, const char* text, const AtomError* about = nullptr)
{
    if (!error)
        return code;
    *error = {};
    error->code = code;
    error->function = -1;
    error->atom = about ? about->atom : -1;
    error->other = about ? about->other : -1;
    error->value = about ? about->value : std::nan("");
    std::strncpy(error->text, text, sizeof error->text - 1);
    return code;
}

// Within a catch: what was thrown.
inline int describe_failure(nnp_error* error)
{
    try {
        throw;
    } catch (const AtomError& found) {
        return describe(error, found.code, found.what(), &found);
    } catch (const Error& found) {
        return describe(error, found.code, found.what());
    } catch (const std::bad_alloc&) {
        return describe(error, NNP_NO_MEMORY, "out of memory");
    } catch (const std::exception& found) {
        return describe(error, NNP_INTERNAL, (std::string("internal error: ") + found.what()).c_str());
    } catch (...) {
        return describe(error, NNP_INTERNAL, "internal error");
    }
}

template <class Work>
int guarded(nnp_error* error, Work work)
{
    try {
        work();
        return describe(error, NNP_OK, "");
    } catch (...) {
        return describe_failure(error);
    }
}

// The count, or minus the code.
template <class Work>
int64_t guarded_count(nnp_error* error, Work work)
{
    int64_t count = 0;
    int code = guarded(error, [&] { count = work(); });
    return code == NNP_OK ? count : -code;
}

}  // namespace nnp::gpu

#endif

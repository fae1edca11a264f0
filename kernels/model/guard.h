// The wall of the C interface: what is thrown behind it becomes a code and an nnp_error.
#ifndef NNP_MODEL_GUARD_H
#define NNP_MODEL_GUARD_H

#include "error.h"
#include "nnp.h"

namespace nnp
{

// Of the exception being handled; `error` may be null. Returns its code.
int describe_failure(nnp_error* error);

// An error that says nothing.
void clear(nnp_error* error);

template <class Work>
int guarded(nnp_error* error, Work work)
{
    clear(error);
    try {
        work();
        return NNP_OK;
    } catch (...) {
        return describe_failure(error);
    }
}

inline void require(bool present, const char* text)
{
    if (!present)
        throw Error(NNP_BAD_ARGUMENT, text);
}

}  // namespace nnp

#endif

#include "guard.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace nnp
{
namespace
{

int fill(nnp_error* error, int code, const std::string& text, const About& about)
{
    if (!error)
        return code;
    *error = {};
    error->code = code;
    error->function = about.function;
    error->atom = about.atom;
    error->other = about.other;
    error->value = about.value;
    std::memcpy(error->text, text.data(), std::min(text.size(), sizeof error->text - 1));
    return code;
}

}  // namespace

int describe_failure(nnp_error* error)
{
    try {
        throw;
    } catch (const Error& failure) {
        return fill(error, failure.code, failure.what(), failure.about);
    } catch (const std::bad_alloc&) {
        return fill(error, NNP_NO_MEMORY, "out of memory", {});
    } catch (const std::exception& failure) {
        return fill(error, NNP_INTERNAL, std::string("internal error: ") + failure.what(), {});
    } catch (...) {
        return fill(error, NNP_INTERNAL, "internal error", {});
    }
}

void clear(nnp_error* error)
{
    if (!error)
        return;
    error->code = NNP_OK;
    error->function = -1;
    error->atom = error->other = -1;
    error->value = About().value;
    error->text[0] = '\0';
}

}  // namespace nnp

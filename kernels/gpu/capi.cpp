// The C interface: what the generator throws becomes a code and a sentence.
#include "error.h"
#include "groups.h"
#include "source.h"

#include <algorithm>
#include <cstring>

namespace
{

int describe_failure(std::string& sentence)
{
    try {
        throw;
    } catch (const nnp::Error& error) {
        sentence = error.what();
        return error.code;
    } catch (const std::bad_alloc&) {
        sentence = "out of memory";
        return NNP_NO_MEMORY;
    } catch (const std::exception& error) {
        sentence = std::string("internal error: ") + error.what();
        return NNP_INTERNAL;
    }
}

template <class Work>
int64_t guarded(char* message, size_t size, Work work)
{
    std::string sentence;
    int64_t result;
    try {
        result = work();
    } catch (...) {
        result = -describe_failure(sentence);
    }
    if (message && size > 0) {
        size_t n = std::min(sentence.size(), size - 1);
        std::memcpy(message, sentence.data(), n);
        message[n] = '\0';
    }
    return result;
}

nnp::Model model_of(const nnp_potential_arrays* potential)
{
    if (!potential || !potential->integers || !potential->reals)
        throw nnp::Error(NNP_BAD_ARGUMENT, "an argument is a null pointer");
    return nnp::read_model(*potential);
}

nnp_gpu_options checked(const nnp_gpu_options* options)
{
    if (!options)
        throw nnp::Error(NNP_BAD_ARGUMENT, "an argument is a null pointer");
    nnp::gpu::check_options(*options);
    return *options;
}

const nnp::Element& element_of(const nnp::Model& model, int32_t element)
{
    if (element < 0 || element >= static_cast<int32_t>(model.elements.size()))
        throw nnp::Error(NNP_BAD_ARGUMENT, "element is " + std::to_string(element) + ": the potential has " +
                                               std::to_string(model.elements.size()));
    return model.elements[element];
}

nnp::gpu::Groups groups_of(const nnp::Model& model, int32_t element)
{
    return nnp::gpu::make_groups(nnp::make_plan(model, nnp::Powers::in_slots)[element]);
}

template <class T, class Container>
int64_t hand_out(const Container& values, T* out, int64_t size)
{
    int64_t n = static_cast<int64_t>(values.size());
    if (out)
        std::copy(values.begin(), values.begin() + std::min(n, size), out);
    return n;
}

int64_t hand_out_text(std::string text, char* out, int64_t size)
{
    text.push_back('\0');
    return hand_out(text, out, size);
}

}  // namespace

int nnp_gpu_abi_version(void)
{
    return NNP_GPU_ABI_VERSION;
}

int64_t nnp_gpu_source(const nnp_potential_arrays* potential, const nnp_gpu_options* options, char* out, int64_t size,
                       char* message, size_t message_size)
{
    return guarded(message, message_size, [&] {
        return hand_out_text(nnp::gpu::write_program(model_of(potential), checked(options)), out, size);
    });
}

int64_t nnp_gpu_tangent_source(const nnp_potential_arrays* potential, const nnp_gpu_options* options, char* out,
                               int64_t size, char* message, size_t message_size)
{
    return guarded(message, message_size, [&] {
        return hand_out_text(nnp::gpu::write_tangent_program(model_of(potential), checked(options)), out, size);
    });
}

int64_t nnp_gpu_parameters(const nnp_potential_arrays* potential, int32_t element, double* out, int64_t size,
                           char* message, size_t message_size)
{
    return guarded(message, message_size, [&] {
        nnp::Model model = model_of(potential);
        const nnp::Element& chosen = element_of(model, element);
        return hand_out(nnp::gpu::parameters_of(chosen, groups_of(model, element)), out, size);
    });
}

int64_t nnp_gpu_order(const nnp_potential_arrays* potential, int32_t element, int64_t* out, int64_t size, char* message,
                      size_t message_size)
{
    return guarded(message, message_size, [&] {
        nnp::Model model = model_of(potential);
        element_of(model, element);
        return hand_out(nnp::gpu::order_of(groups_of(model, element)), out, size);
    });
}

int64_t nnp_gpu_local_bytes(const nnp_potential_arrays* potential, const nnp_gpu_options* options, char* message,
                            size_t message_size)
{
    return guarded(message, message_size, [&] { return nnp::gpu::local_bytes(model_of(potential), checked(options)); });
}

// The C interface of the generator (host/capi.cpp has the engine's): what is thrown becomes a code and a message.
#include "groups.h"
#include "guard.h"
#include "handle.h"
#include "nnp_gpu.h"
#include "source.h"

#include <algorithm>

namespace
{

// The count that `work` returns, or minus a code.
template <class Work>
int64_t guarded_count(nnp_error* error, Work work)
{
    int64_t count = 0;
    int code = nnp::guarded(error, [&] { count = work(); });
    return code == NNP_OK ? count : -code;
}

const nnp::Model& model_of(const nnp_model* model)
{
    nnp::require(model, "the model is a null pointer");
    return *model->model;
}

nnp_gpu_options checked(const nnp_gpu_options* options)
{
    nnp::require(options, "the options are a null pointer");
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

std::string program_of(const nnp::Model& model, const nnp_gpu_options& options, int32_t program)
{
    switch (program) {
        case NNP_GPU_PROGRAM_LIST:
            return nnp::gpu::write_list_program(model, options);
        case NNP_GPU_PROGRAM_EVALUATION:
            return nnp::gpu::write_program(model, options);
        case NNP_GPU_PROGRAM_CHANGE:
            return nnp::gpu::write_tangent_program(model, options);
        default:
            throw nnp::Error(NNP_BAD_ARGUMENT, "program is " + std::to_string(program) +
                                                   ": allowed are 0 (list), 1 (evaluation) and 2 (change)");
    }
}

template <class T, class Container>
int64_t hand_out(const Container& values, T* out, int64_t size)
{
    int64_t n = static_cast<int64_t>(values.size());
    if (out)
        std::copy(values.begin(), values.begin() + std::min(n, size), out);
    return n;
}

}  // namespace

int nnp_gpu_version(void)
{
    return NNP_GPU_VERSION;
}

int64_t nnp_gpu_source(const nnp_model* model, const nnp_gpu_options* options, int32_t program, char* out, int64_t size,
                       nnp_error* error)
{
    return guarded_count(error, [&] {
        std::string text = program_of(model_of(model), checked(options), program);
        text.push_back('\0');
        return hand_out(text, out, size);
    });
}

int64_t nnp_gpu_parameters(const nnp_model* model, int32_t element, double* out, int64_t size, nnp_error* error)
{
    return guarded_count(error, [&] {
        const nnp::Element& chosen = element_of(model_of(model), element);
        return hand_out(nnp::gpu::parameters_of(chosen, groups_of(*model->model, element)), out, size);
    });
}

int64_t nnp_gpu_order(const nnp_model* model, int32_t element, int64_t* out, int64_t size, nnp_error* error)
{
    return guarded_count(error, [&] {
        element_of(model_of(model), element);
        return hand_out(nnp::gpu::order_of(groups_of(*model->model, element)), out, size);
    });
}

int64_t nnp_gpu_local_bytes(const nnp_model* model, const nnp_gpu_options* options, nnp_error* error)
{
    return guarded_count(error, [&] { return nnp::gpu::local_bytes(model_of(model), checked(options)); });
}

// The C interface of models.
#include "guard.h"
#include "handle.h"

namespace
{

const nnp::Element* element_of(const nnp_model* model, int32_t element)
{
    bool there = model && element >= 0 && element < static_cast<int32_t>(model->model->elements.size());
    return there ? &model->model->elements[element] : nullptr;
}

}  // namespace

int nnp_version(void)
{
    return NNP_VERSION;
}

int nnp_model_from_arrays(const nnp_arrays* arrays, nnp_model** model, nnp_error* error)
{
    return nnp::guarded(error, [&] {
        nnp::require(model != nullptr, "model is a null pointer");
        *model = nullptr;
        nnp::require(arrays && arrays->integers && arrays->reals, "an argument is a null pointer");
        *model = new nnp_model{std::make_shared<nnp::Model>(nnp::read_model(*arrays))};
    });
}

void nnp_model_release(nnp_model* model)
{
    delete model;
}

double nnp_model_cutoff(const nnp_model* model)
{
    return model ? model->model->cutoff : 0;
}

const char* nnp_model_length_unit(const nnp_model*)
{
    return "angstrom";
}

const char* nnp_model_energy_unit(const nnp_model*)
{
    return "eV";
}

int32_t nnp_model_n_elements(const nnp_model* model)
{
    return model ? static_cast<int32_t>(model->model->elements.size()) : 0;
}

int32_t nnp_model_atomic_number(const nnp_model* model, int32_t element)
{
    const nnp::Element* found = element_of(model, element);
    return found ? found->atomic_number : -1;
}

int32_t nnp_model_n_functions(const nnp_model* model, int32_t element)
{
    const nnp::Element* found = element_of(model, element);
    return found ? static_cast<int32_t>(found->functions.size()) : -1;
}

int nnp_model_function(const nnp_model* model, int32_t element, int32_t function, nnp_function_info* info)
{
    if (!info || function < 0 || function >= nnp_model_n_functions(model, element))
        return NNP_BAD_ARGUMENT;
    const nnp::Function& f = model->model->elements[element].functions[function];
    *info = {};
    info->kind = f.kind;
    info->neighbors[0] = model->model->atomic_number(f.neighbor_1);
    info->neighbors[1] = f.is_angular() ? model->model->atomic_number(f.neighbor_2) : 0;
    info->radius = f.radius();
    info->minimum = f.minimum;
    info->maximum = f.maximum;
    info->text = f.text.c_str();
    return NNP_OK;
}

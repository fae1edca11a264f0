// The C interface of models.
#include "families.h"
#include "file.h"
#include "guard.h"
#include "handle.h"

#include <new>

namespace
{

const nnp::Element* element_of(const nnp_model* model, int32_t element)
{
    bool there = model && element >= 0 && element < static_cast<int32_t>(model->model->elements.size());
    return there ? &model->model->elements[element] : nullptr;
}

template <class Read>
int make(nnp_model** model, nnp_error* error, Read read)
{
    return nnp::guarded(error, [&] {
        nnp::require(model != nullptr, "model is a null pointer");
        *model = nullptr;
        *model = new nnp_model{read()};
    });
}

const nnp::Family* family_at(int32_t index)
{
    bool there = index >= 0 && index < nnp_n_families();
    return there ? &nnp::families()[index] : nullptr;
}

}  // namespace

int nnp_version(void)
{
    return NNP_VERSION;
}

int nnp_model_open(const char* path, nnp_model** model, nnp_error* error)
{
    return make(model, error, [&] {
        nnp::require(path != nullptr, "path is a null pointer");
        return nnp::read_file(path);
    });
}

int nnp_model_from_memory(const void* bytes, size_t size, nnp_model** model, nnp_error* error)
{
    return make(model, error, [&] {
        nnp::require(bytes != nullptr, "bytes is a null pointer");
        return nnp::read_bytes({static_cast<const unsigned char*>(bytes), size});
    });
}

int nnp_model_from_arrays(const nnp_arrays* arrays, nnp_model** model, nnp_error* error)
{
    return make(model, error, [&] {
        nnp::require(arrays && arrays->integers && arrays->reals, "an argument is a null pointer");
        return nnp::read_model(*arrays);
    });
}

void nnp_model_release(nnp_model* model)
{
    delete model;
}

int nnp_model_arrays(const nnp_model* model, nnp_arrays* arrays)
{
    if (!model || !arrays)
        return NNP_BAD_ARGUMENT;
    const nnp::Model& m = *model->model;
    *arrays = {m.integers.data(), static_cast<int64_t>(m.integers.size()), m.reals.data(),
               static_cast<int64_t>(m.reals.size())};
    return NNP_OK;
}

int32_t nnp_model_n_members(const nnp_model* model)
{
    return model ? static_cast<int32_t>(model->model->members.size()) : 0;
}

nnp_model* nnp_model_member(const nnp_model* model, int32_t member)
{
    if (member < 0 || member >= nnp_model_n_members(model))
        return nullptr;
    return new (std::nothrow) nnp_model{model->model->members[member]};
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
    info->family = f.family;
    info->neighbors[0] = model->model->atomic_number(f.neighbor_1);
    info->neighbors[1] = f.is_angular() ? model->model->atomic_number(f.neighbor_2) : 0;
    info->radius = f.radius();
    info->minimum = f.minimum;
    info->maximum = f.maximum;
    info->integers = f.integers;
    info->reals = f.reals;
    info->text = f.text.c_str();
    return NNP_OK;
}

int32_t nnp_n_families(void)
{
    return static_cast<int32_t>(nnp::families().size());
}

int nnp_family(int32_t index, nnp_family_info* info)
{
    const nnp::Family* family = family_at(index);
    if (!family || !info)
        return NNP_BAD_ARGUMENT;
    *info = {family->name, family->number, family->loop, static_cast<int32_t>(family->integers.size()),
             static_cast<int32_t>(family->reals.size())};
    return NNP_OK;
}

int nnp_family_parameter(int32_t index, int32_t parameter, nnp_parameter_info* info)
{
    const nnp::Family* family = family_at(index);
    if (!family || !info || parameter < 0)
        return NNP_BAD_ARGUMENT;
    size_t number = parameter, n_integers = family->integers.size();
    if (number >= n_integers + family->reals.size())
        return NNP_BAD_ARGUMENT;
    if (number < n_integers)
        *info = {family->integers[number].name, family->integers[number].meaning};
    else
        *info = {family->reals[number - n_integers].name, family->reals[number - n_integers].unit};
    return NNP_OK;
}

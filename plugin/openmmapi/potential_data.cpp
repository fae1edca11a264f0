#include "potential_data.h"

#include "openmm/OpenMMException.h"

namespace nnp_openmm
{

ModelPointer make_model(const PotentialData& potential)
{
    nnp_error error;
    nnp_model* model = nullptr;
    if (nnp_model_from_memory(potential.bytes.data(), potential.bytes.size(), &model, &error) != NNP_OK)
        throw OpenMM::OpenMMException("NNPForce: " + std::string(error.text) +
                                      ": create the force again from the potential's file");
    return ModelPointer(model);
}

Widths read_widths(const PotentialData& potential)
{
    ModelPointer model = make_model(potential);
    Widths widths;
    for (int32_t element = 0; element < nnp_model_n_elements(model.get()); ++element) {
        std::vector<double>& of_element = widths[nnp_model_atomic_number(model.get(), element)];
        for (int32_t f = 0; f < nnp_model_n_functions(model.get(), element); ++f) {
            nnp_function_info info = {};
            nnp_model_function(model.get(), element, f, &info);
            of_element.push_back(info.maximum - info.minimum);
        }
    }
    return widths;
}

}  // namespace nnp_openmm

#include "single.h"

#include "error.h"
#include "model.h"
#include "nnp.h"

#include <cfloat>

namespace nnp
{
namespace
{

// Below it numbers lose digits until they are 0.
constexpr double SMALLEST_RANGE = static_cast<double>(FLT_MIN) / FLT_EPSILON;

}  // namespace

void require_single(const Model& model)
{
    for (const Element& element : model.elements) {
        for (size_t f = 0; f < element.functions.size(); ++f) {
            const Function& function = element.functions[f];
            double range = function.maximum - function.minimum;
            if (function.factor == 0 || range <= 0 || range >= SMALLEST_RANGE)
                continue;
            About about;
            about.function = static_cast<int32_t>(f);
            about.value = range;
            throw Error(NNP_BAD_ARGUMENT,
                        "float32 cannot hold function " + std::to_string(f) + " of element " +
                            std::to_string(element.atomic_number) + " (" + function.text + "): its values span " +
                            to_text(range) + ", float32 begins at " + to_text(SMALLEST_RANGE) +
                            "; evaluate in float64, or train without this function",
                        about);
        }
    }
}

}  // namespace nnp

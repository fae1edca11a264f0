#include "repulsion.h"

#include "writer.h"

#include <algorithm>

namespace nnp::gpu
{

bool has_repulsion(const Model& model)
{
    return std::any_of(model.elements.begin(), model.elements.end(),
                       [](const Element& element) { return !element.repulsions.empty(); });
}

std::string write_repulsion(const Repulsion& pair)
{
    std::string text = define("NEIGHBOR_1", std::to_string(pair.neighbor)) +
                       "NNP_FN void GROUP(pair)(real r, real* value, real* slope)\n{\n    real phi = 0, d_phi = 0;\n";
    for (size_t k = 0; k < pair.amplitudes.size(); ++k)
        text += "    nnp_zbl_exponential(r, " + literal(pair.amplitudes[k]) + ", " + literal(pair.decays[k]) +
                ", &phi, &d_phi);\n";
    return text + "    nnp_zbl(r, " + literal(pair.scale) + ", " + literal(pair.r_outer) + ", " +
           literal(pair.inner_fraction) + ", phi, d_phi, value, slope);\n}\n";
}

std::string write_repulsion_calls(const Element& element, const std::string& suffix)
{
    if (element.repulsions.empty())
        return "";
    std::string energy, forces;
    for (size_t p = 0; p < element.repulsions.size(); ++p) {
        std::string name = "_z" + std::to_string(p) + suffix;
        energy += "    sum += repulsion" + name + "(range, diagonal, lane);\n";
        forces += "    repel" + name + "(range, diagonal, lane, scale, pulled, failed);\n";
    }
    return "DEVICE mixed ELEMENT(repulsion)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane)\n"
           "{\n    mixed sum = 0;\n" +
           energy +
           "    return sum;\n}\n"
           "DEVICE void ELEMENT(repel)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane,\n"
           "                           real scale, LOCAL_ARG nnp_word* pulled, LOCAL_ARG int* failed)\n{\n" +
           forces + "}\n";
}

}  // namespace nnp::gpu

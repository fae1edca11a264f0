#include "repulsion.h"

#include "error.h"
#include "families.h"
#include "nnp/zbl.h"

#include <cmath>
#include <set>
#include <utility>

namespace nnp
{
namespace
{

constexpr int MOST_ATOMIC_NUMBER = 118;
constexpr int64_t MOST_EXPONENTIALS_OF_A_PAIR = 1000000;  // the block's end comes long before

[[noreturn]] void refuse(int z_1, int z_2, const std::string& text)
{
    throw Error(NNP_BAD_MODEL, "the repulsion of " + chemical_symbol(z_1) + " and " + chemical_symbol(z_2) + text);
}

int element_of(const Model& model, int z, int z_1, int z_2)
{
    int element = model.element_index(z);
    if (element == ANY_ELEMENT)
        refuse(z_1, z_2, ": the potential has no network for " + chemical_symbol(z));
    return element;
}

}  // namespace

void read_repulsion(Block& block, Model& model)
{
    std::set<std::pair<int, int>> seen;
    while (block.integers_left() > 0) {
        int z_1 = static_cast<int>(block.integer("an atomic number of a repulsion", 1, MOST_ATOMIC_NUMBER));
        int z_2 = static_cast<int>(block.integer("an atomic number of a repulsion", z_1, MOST_ATOMIC_NUMBER));
        int64_t n = block.integer("a repulsion's number of exponentials", 0, MOST_EXPONENTIALS_OF_A_PAIR);
        if (!seen.insert({z_1, z_2}).second)
            refuse(z_1, z_2, " occurs twice");
        Repulsion pair;
        double r_inner = block.real("a repulsion's r_inner");
        pair.r_outer = block.real("a repulsion's r_outer");
        if (!(r_inner >= 0 && r_inner < pair.r_outer))
            refuse(z_1, z_2,
                   " is switched off from " + to_text(r_inner) + " to " + to_text(pair.r_outer) +
                       ": 0 <= r_inner < r_outer is expected");
        pair.inner_fraction = r_inner / pair.r_outer;
        pair.scale = NNP_ZBL_COULOMB * z_1 * z_2;
        pair.amplitudes = block.numbers("a repulsion's amplitude", n);
        pair.decays = block.numbers("a repulsion's exponent", n);
        double inverse_a = (std::pow(z_1, NNP_ZBL_POWER) + std::pow(z_2, NNP_ZBL_POWER)) * NNP_ZBL_SCREENING;
        for (double& decay : pair.decays)
            decay *= inverse_a;
        int first = element_of(model, z_1, z_1, z_2), second = element_of(model, z_2, z_1, z_2);
        pair.neighbor = second;
        model.elements[first].repulsions.push_back(pair);
        pair.neighbor = first;
        if (first != second)
            model.elements[second].repulsions.push_back(pair);
    }
}

}  // namespace nnp

#include "model.h"

#include "arrays.h"
#include "error.h"
#include "families.h"
#include "nnp/activation.h"
#include "nnp/chebyshev.h"
#include "nnp/core.h"
#include "nnp/cutoff.h"
#include "nnp/harmonics.h"
#include "repulsion.h"
#include "series.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace nnp
{
namespace
{

constexpr int MOST_ELEMENTS = 118, MOST_FUNCTIONS = 1000000, MOST_LAYERS = 1000, LARGEST_LAYER = 1 << 20;

[[noreturn]] void refuse(const std::string& text)
{
    throw Error(NNP_BAD_MODEL, text);
}

int64_t highest(const char* meaning)
{
    if (std::strcmp(meaning, "element") == 0)
        return MOST_ELEMENTS;
    if (std::strcmp(meaning, "cutoff") == 0)
        return NNP_CUTOFF_POLY4;
    if (std::strcmp(meaning, "count") == 0)
        return MOST_TERMS_OF_A_SERIES;
    return std::strcmp(meaning, "core") == 0 ? NNP_CORE_POLY4 : 1;
}

void check_ranges(const Function& f, const Family& family)
{
    if (f.moment)
        return;  // its series says the rest
    std::string whose = "a function of family " + std::string(family.name);
    if (f.has_cutoff && !(f.r_cutoff > 0 && f.inner_fraction >= 0 && f.inner_fraction < 1))
        refuse(whose + " has r_cutoff " + to_text(f.r_cutoff) + " with inner_fraction " + to_text(f.inner_fraction) +
               ": the radius must be positive, the fraction in [0, 1)");
    if (!f.has_cutoff && !(f.r_left < f.r_right && f.r_right > 0))
        refuse(whose + " has an empty range of distances");
    if (family.has(&Function::theta_left) && !(f.theta_left < f.theta_right))
        refuse(whose + " has an empty range of angles");
    if (f.angular && (f.neighbor_1 == 0) != (f.neighbor_2 == 0))
        refuse(whose + " names one neighbour but not the other");
}

// Neighbours are atomic numbers here; resolve_neighbors makes element indices of them.
Function read_function_integers(Block& block)
{
    Function f;
    int64_t number = block.integer("a function's family", INT64_MIN, INT64_MAX);
    if (number == 0)  // files of Python: a family without a number in C
        refuse("a function is of a family that compiled code does not have: only Python's reference engine has it");
    const Family* family = find_family(number);
    if (!family)
        refuse("a function is of family " + std::to_string(number) + ", which this libnnp does not know: update nnp");
    f.family = family->number;
    f.angular = family->loop == NNP_LOOP_ANGULAR;
    f.moment = family->loop == NNP_LOOP_MOMENT;
    f.has_cutoff = family->has(&Function::r_cutoff);
    auto n_integers = static_cast<int64_t>(family->integers.size()),
         n_reals = static_cast<int64_t>(family->reals.size());
    block.integer("a function's number of integers", n_integers, n_integers);
    block.integer("a function's number of reals", n_reals, n_reals);
    f.integers = block.next_integers();
    for (const IntegerParameter& p : family->integers)
        f.*p.member = static_cast<int>(block.integer(p.name, 0, highest(p.meaning)));
    return f;
}

void read_function_reals(Block& block, Function& f)
{
    const Family& family = *find_family(f.family);
    f.reals = block.next_reals();
    for (const RealParameter& p : family.reals)
        f.*p.member = block.real(p.name);
    f.minimum = block.real("a function's minimum");
    f.maximum = block.real("a function's maximum");
    f.factor = block.real("a function's factor");
    f.offset = block.real("a function's offset");
    check_ranges(f, family);
}

// Without the content of the layers, whose sizes are checked before anything is taken for them.
std::vector<Layer> read_layers(Block& block, int64_t n_layers, int64_t n_functions)
{
    std::vector<Layer> layers;
    int64_t n_in = n_functions;
    for (int64_t l = 0; l < n_layers; ++l) {
        Layer layer;
        layer.n_in = static_cast<int>(block.integer("a layer's number of inputs", n_in, n_in));
        bool last = l + 1 == n_layers;
        layer.n_out = static_cast<int>(block.integer("a layer's number of outputs", 1, last ? 1 : LARGEST_LAYER));
        layer.activation = static_cast<int>(block.integer("a layer's activation", 0, NNP_ACT_COUNT - 1));
        n_in = layer.n_out;
        layers.push_back(layer);
    }
    return layers;
}

Element read_element(Block& block)
{
    Element element;
    element.atomic_number = static_cast<int>(block.integer("an atomic number", 1, MOST_ELEMENTS));
    int64_t n_functions = block.integer("a number of functions", 0, MOST_FUNCTIONS);
    int64_t n_layers = block.integer("a number of layers", 1, MOST_LAYERS);
    for (int64_t f = 0; f < n_functions; ++f)
        element.functions.push_back(read_function_integers(block));
    element.layers = read_layers(block, n_layers, n_functions);
    element.energy_offset = block.real("an energy offset");
    for (Function& f : element.functions)
        read_function_reals(block, f);
    for (Layer& layer : element.layers) {
        layer.weights = block.numbers("a weight", static_cast<int64_t>(layer.n_in) * layer.n_out);
        layer.biases = block.numbers("a bias", layer.n_out);
    }
    return element;
}

// Atomic numbers of the neighbours become element indices.
void resolve_neighbors(const Model& model, Function& f)
{
    for (int* neighbor : {&f.neighbor_1, &f.neighbor_2}) {
        int z = *neighbor;
        if (z == ANY_ELEMENT)
            continue;
        *neighbor = z == 0 ? ANY_ELEMENT : model.element_index(z);
        if (z != 0 && *neighbor == ANY_ELEMENT)
            refuse("a function looks for neighbours of atomic number " + std::to_string(z) +
                   ", which the potential has no network for");
    }
    if (f.angular && f.neighbor_1 > f.neighbor_2)
        std::swap(f.neighbor_1, f.neighbor_2);
}

// Several names as one text; one character an integer.
std::string read_text(Block& block)
{
    std::string text;
    while (block.integers_left() > 0)
        text += static_cast<char>(block.integer("a character", 1, 255));
    return text;
}

void read_block(Block& block, Model& model, bool& has_header)
{
    switch (block.tag()) {
        case NNP_BLOCK_MODEL:
            model.energy_scale = block.real("the energy scale");
            model.twist = block.real("the twist");
            has_header = true;
            break;
        case NNP_BLOCK_ELEMENT:
            model.elements.push_back(read_element(block));
            break;
        case NNP_BLOCK_SERIES:
            read_series(block, model);
            break;
        case NNP_BLOCK_REPULSION:
            read_repulsion(block, model);
            break;
        case NNP_BLOCK_BASELINE:
            refuse("the potential was fitted on top of " + read_text(block) +
                   ", which its engines must add: only Python's do");
        default:
            refuse("the potential has a part of tag " + std::to_string(block.tag()) +
                   ", which this libnnp does not know: update nnp");
    }
    block.finish();
}

void finish(Model& model)
{
    for (size_t e = 1; e < model.elements.size(); ++e) {
        if (model.elements[e].atomic_number <= model.elements[e - 1].atomic_number)
            refuse("the elements are not sorted by atomic number");
    }
    for (Element& element : model.elements) {
        for (Function& f : element.functions) {
            if (f.moment)
                check_moment(element, f);
            resolve_neighbors(model, f);
            model.cutoff = std::max(model.cutoff, f.radius());
            f.text = describe(f, model);
        }
        for (const Repulsion& pair : element.repulsions)
            model.cutoff = std::max(model.cutoff, pair.r_outer);
    }
}

}  // namespace

int Model::element_index(int atomic_number) const
{
    for (size_t e = 0; e < elements.size(); ++e) {
        if (elements[e].atomic_number == atomic_number)
            return static_cast<int>(e);
    }
    return ANY_ELEMENT;
}

std::shared_ptr<Model> read_model(const nnp_arrays& arrays)
{
    auto model = std::make_shared<Model>();
    model->integers.assign(arrays.integers, arrays.integers + std::max<int64_t>(0, arrays.n_integers));
    model->reals.assign(arrays.reals, arrays.reals + std::max<int64_t>(0, arrays.n_reals));
    Blocks blocks(model->integers, model->reals);
    bool has_header = false;
    while (blocks.more()) {
        Block block = blocks.next();
        read_block(block, *model, has_header);
    }
    blocks.finish();
    if (!has_header || model->elements.empty())
        refuse("the potential's arrays lack its header or its elements");
    finish(*model);
    return model;
}

std::string to_text(double value)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", value);
    return text;
}

}  // namespace nnp

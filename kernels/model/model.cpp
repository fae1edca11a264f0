#include "model.h"

#include "error.h"
#include "nnp/activation.h"
#include "nnp/cutoff.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace nnp
{
namespace
{

// Takes numbers off the two arrays one after the other and refuses to run past their ends.
class Reader
{
public:
    explicit Reader(const nnp_arrays& arrays) : arrays_(arrays) {}

    int integer(const char* what, int64_t lowest, int64_t highest)
    {
        if (i_ >= arrays_.n_integers)
            throw Error(NNP_BAD_MODEL, std::string("the potential's integers end before ") + what);
        int64_t value = arrays_.integers[i_++];
        if (value < lowest || value > highest)
            throw Error(NNP_BAD_MODEL, std::string(what) + " is " + std::to_string(value) + ", allowed are " +
                                           std::to_string(lowest) + " to " + std::to_string(highest));
        return static_cast<int>(value);
    }

    double number(const char* what)
    {
        if (r_ >= arrays_.n_reals)
            throw Error(NNP_BAD_MODEL, std::string("the potential's reals end before ") + what);
        double value = arrays_.reals[r_++];
        if (!std::isfinite(value))
            throw Error(NNP_BAD_MODEL, std::string(what) + " is not a finite number");
        return value;
    }

    std::vector<double> numbers(const char* what, size_t count)
    {
        std::vector<double> values(count);
        for (double& value : values)
            value = number(what);
        return values;
    }

    void finish() const
    {
        if (i_ != arrays_.n_integers || r_ != arrays_.n_reals)
            throw Error(NNP_BAD_MODEL, "the potential's arrays hold " +
                                           std::to_string(arrays_.n_integers - i_ + arrays_.n_reals - r_) +
                                           " numbers more than the layout needs");
    }

private:
    const nnp_arrays& arrays_;
    int64_t i_ = 0, r_ = 0;
};

struct Counts {
    int functions, layers;
};

Function read_function_integers(Reader& in)
{
    Function f = {};
    f.kind = in.integer("a function's kind", NNP_RADIAL, NNP_COMPACT_ANGULAR);
    f.neighbor_1 = in.integer("a function's first neighbour", 0, 200);
    f.neighbor_2 = in.integer("a function's second neighbour", 0, 200);
    f.cutoff_or_core = in.integer("a function's cutoff or core", 0, f.is_compact() ? 4 : NNP_CUTOFF_POLY4);
    f.narrow = in.integer("a function's narrow flag", 0, 1) == 1;
    f.asymmetric = in.integer("a function's asymmetric flag", 0, 1) == 1;
    in.integer("a reserved number", 0, 0);
    in.integer("a reserved number", 0, 0);
    return f;
}

Layer read_layer_integers(Reader& in)
{
    Layer layer;
    layer.n_in = in.integer("a layer's number of inputs", 0, 1 << 20);
    layer.n_out = in.integer("a layer's number of outputs", 1, 1 << 20);
    layer.activation = in.integer("a layer's activation", 0, NNP_ACT_COUNT - 1);
    return layer;
}

void check_layers(const Element& element)
{
    int n = static_cast<int>(element.functions.size());
    for (const Layer& layer : element.layers) {
        if (layer.n_in != n)
            throw Error(NNP_BAD_MODEL, "a layer of element " + std::to_string(element.atomic_number) + " takes " +
                                           std::to_string(layer.n_in) + " inputs but gets " + std::to_string(n));
        n = layer.n_out;
    }
    if (n != 1)
        throw Error(NNP_BAD_MODEL, "the network of element " + std::to_string(element.atomic_number) + " has " +
                                       std::to_string(n) + " outputs, not 1");
}

Element read_element_integers(Reader& in)
{
    Element element;
    element.atomic_number = in.integer("an atomic number", 1, 200);
    int n_functions = in.integer("a number of functions", 0, 1 << 20);
    int n_layers = in.integer("a number of layers", 1, 1 << 10);
    for (int i = 0; i < n_functions; ++i)
        element.functions.push_back(read_function_integers(in));
    for (int i = 0; i < n_layers; ++i)
        element.layers.push_back(read_layer_integers(in));
    check_layers(element);
    return element;
}

void check_function(const Function& f)
{
    const double* p = f.parameters;
    if (f.is_compact()) {
        if (!(p[0] < p[1]) || !(p[1] > 0) || (f.is_angular() && !(p[2] < p[3])))
            throw Error(NNP_BAD_MODEL, "a compact function has an empty range");
    } else if (!(p[2] > 0) || !(p[3] >= 0 && p[3] < 1)) {
        throw Error(NNP_BAD_MODEL, "a cutoff radius is " + to_text(p[2]) + " with inner fraction " + to_text(p[3]) +
                                       ": the radius must be positive, the fraction in [0, 1)");
    }
}

void read_element_reals(Reader& in, Element& element)
{
    element.energy_offset = in.number("an energy offset");
    for (Function& f : element.functions) {
        for (double& p : f.parameters)
            p = in.number("a function's parameter");
        f.minimum = in.number("a function's minimum");
        f.maximum = in.number("a function's maximum");
        f.factor = in.number("a function's factor");
        f.offset = in.number("a function's offset");
        check_function(f);
    }
    for (Layer& layer : element.layers) {
        layer.weights = in.numbers("a weight", static_cast<size_t>(layer.n_in) * layer.n_out);
        layer.biases = in.numbers("a bias", layer.n_out);
    }
}

// Atomic numbers of the neighbours become element indices.
void resolve_neighbors(const Model& model, Function& f)
{
    for (int* neighbor : {&f.neighbor_1, &f.neighbor_2}) {
        int z = *neighbor;
        *neighbor = z == 0 ? ANY_ELEMENT : model.element_index(z);
        if (z != 0 && *neighbor == ANY_ELEMENT)
            throw Error(NNP_BAD_MODEL, "a function looks for neighbours of atomic number " + std::to_string(z) +
                                           ", which the potential has no network for");
    }
    if (f.is_angular() && (f.neighbor_1 == ANY_ELEMENT) != (f.neighbor_2 == ANY_ELEMENT))
        throw Error(NNP_BAD_MODEL, "an angular function names one neighbour but not the other");
    if (f.neighbor_1 > f.neighbor_2 && f.is_angular())
        std::swap(f.neighbor_1, f.neighbor_2);
}

void check_elements(const Model& model)
{
    for (size_t e = 1; e < model.elements.size(); ++e) {
        if (model.elements[e].atomic_number <= model.elements[e - 1].atomic_number)
            throw Error(NNP_BAD_MODEL, "the elements are not sorted by atomic number");
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

Model read_model(const nnp_arrays& arrays)
{
    Reader in(arrays);
    in.integer("the layout's magic number", NNP_LAYOUT_MAGIC, NNP_LAYOUT_MAGIC);
    in.integer("the layout's version", NNP_LAYOUT_VERSION, NNP_LAYOUT_VERSION);
    int n_elements = in.integer("the number of elements", 1, 120);
    Model model = {};
    for (int e = 0; e < n_elements; ++e)
        model.elements.push_back(read_element_integers(in));
    model.energy_scale = in.number("the energy scale");
    model.twist = in.number("the twist");
    for (Element& element : model.elements)
        read_element_reals(in, element);
    in.finish();
    check_elements(model);
    for (Element& element : model.elements) {
        for (Function& f : element.functions) {
            resolve_neighbors(model, f);
            model.cutoff = std::max(model.cutoff, f.radius());
        }
    }
    return model;
}

std::string to_text(double value)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", value);
    return text;
}

}  // namespace nnp

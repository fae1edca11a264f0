#include "potential_data.h"

#include "nnp.h"

#include "openmm/OpenMMException.h"

#include <algorithm>
#include <string>

namespace nnp_openmm
{
namespace
{

// Sizes of the blocks of the layout, as nnp.h describes it.
constexpr int64_t HEADER_INTEGERS = 3, HEADER_REALS = 2;
constexpr int64_t ELEMENT_INTEGERS = 3, ELEMENT_REALS = 1;
constexpr int64_t FUNCTION_INTEGERS = 8, FUNCTION_REALS = 10;
constexpr int64_t LAYER_INTEGERS = 3;
constexpr int64_t CUTOFF = 2, RIGHT = 1, MINIMUM = 6, MAXIMUM = 7;
constexpr int64_t LARGEST_LAYER = 1 << 20;

// Reads the arrays in order and refuses to read beyond their ends.
class Reader
{
public:
    explicit Reader(const PotentialData& potential) : potential_(potential) {}

    // n blocks of `size` numbers each
    const int64_t* integers(int64_t size, int64_t n = 1)
    {
        return potential_.integers.data() + advance(next_integer_, size, n, potential_.integers.size());
    }
    const double* reals(int64_t size, int64_t n = 1)
    {
        return potential_.reals.data() + advance(next_real_, size, n, potential_.reals.size());
    }

private:
    const PotentialData& potential_;
    int64_t next_integer_ = 0, next_real_ = 0;

    static int64_t advance(int64_t& next, int64_t size, int64_t n, size_t total)
    {
        int64_t begin = next;
        if (n < 0 || n > (static_cast<int64_t>(total) - begin) / size)  // n size may be beyond any integer
            throw OpenMM::OpenMMException(
                "NNPForce: the arrays of the potential end early: they are damaged; make the force anew from the "
                "potential's file");
        next += n * size;
        return begin;
    }
};

void check_header(const int64_t* header)
{
    if (header[0] != NNP_LAYOUT_MAGIC)
        throw OpenMM::OpenMMException("NNPForce: its arrays are not a potential (they begin with " +
                                      std::to_string(header[0]) + ", not " + std::to_string(NNP_LAYOUT_MAGIC) +
                                      "): make the force with nnp.openmm.create_force");
    if (header[1] != NNP_LAYOUT_VERSION)
        throw OpenMM::OpenMMException("NNPForce: the potential inside is of layout version " +
                                      std::to_string(header[1]) + ", this plugin reads version " +
                                      std::to_string(NNP_LAYOUT_VERSION) +
                                      ": install the nnp that wrote it, or make the force anew from the "
                                      "potential's file");
}

struct ElementData {
    std::vector<double> widths;
    double cutoff = 0;
};

ElementData read_element(Reader& reader, int64_t n_functions, int64_t n_layers)
{
    ElementData element;
    const int64_t* functions = reader.integers(FUNCTION_INTEGERS, n_functions);
    reader.reals(ELEMENT_REALS);
    for (int64_t f = 0; f < n_functions; ++f) {
        const double* function = reader.reals(FUNCTION_REALS);
        int64_t kind = functions[FUNCTION_INTEGERS * f];
        bool compact = kind == NNP_COMPACT_RADIAL || kind == NNP_COMPACT_ANGULAR;
        element.widths.push_back(function[MAXIMUM] - function[MINIMUM]);
        element.cutoff = std::max(element.cutoff, function[compact ? RIGHT : CUTOFF]);
    }
    for (int64_t layer = 0; layer < n_layers; ++layer) {
        const int64_t* shape = reader.integers(LAYER_INTEGERS);
        bool sane = shape[0] >= 0 && shape[0] <= LARGEST_LAYER && shape[1] >= 0 && shape[1] <= LARGEST_LAYER;
        reader.reals(1, sane ? (shape[0] + 1) * shape[1] : -1);
    }
    return element;
}

std::map<int32_t, ElementData> read_elements(const PotentialData& potential)
{
    Reader reader(potential);
    const int64_t* header = reader.integers(HEADER_INTEGERS);
    check_header(header);
    reader.reals(HEADER_REALS);
    std::map<int32_t, ElementData> elements;
    for (int64_t e = 0; e < header[2]; ++e) {
        const int64_t* element = reader.integers(ELEMENT_INTEGERS);
        elements[static_cast<int32_t>(element[0])] = read_element(reader, element[1], element[2]);
    }
    return elements;
}

}  // namespace

Widths read_widths(const PotentialData& potential)
{
    Widths widths;
    for (const auto& element : read_elements(potential))
        widths[element.first] = element.second.widths;
    return widths;
}

double read_cutoff(const PotentialData& potential)
{
    double cutoff = 0;
    for (const auto& element : read_elements(potential))
        cutoff = std::max(cutoff, element.second.cutoff);
    return cutoff;
}

ModelPointer make_model(const PotentialData& potential)
{
    nnp_arrays arrays = {potential.integers.data(), static_cast<int64_t>(potential.integers.size()),
                         potential.reals.data(), static_cast<int64_t>(potential.reals.size())};
    nnp_error error;
    nnp_model* model = nullptr;
    if (nnp_model_from_arrays(&arrays, &model, &error) != NNP_OK)
        throw OpenMM::OpenMMException("NNPForce: " + std::string(error.text));
    return ModelPointer(model);
}

}  // namespace nnp_openmm

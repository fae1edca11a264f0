#include "calls.h"

#include <algorithm>
#include <tuple>

namespace nnp::gpu
{
namespace
{

std::string number(int64_t value)
{
    return std::to_string(value);
}

// Which pairs of neighbours an angular group looks at. Groups that look at the same ones share them.
using Pairs = std::tuple<int, int, bool>;

Pairs pairs_of(const AngularGroup& g)
{
    return {g.neighbor_1, g.neighbor_2, g.narrow};
}

std::vector<Pairs> distinct_pairs(const Groups& groups)
{
    std::vector<Pairs> found;
    for (const AngularGroup& g : groups.angular) {
        if (std::find(found.begin(), found.end(), pairs_of(g)) == found.end())
            found.push_back(pairs_of(g));
    }
    return found;
}

// Whether two groups weigh a neighbour the same.
bool same_sides(const AngularGroup& a, const AngularGroup& b)
{
    auto key = [](const AngularGroup& g) {
        return std::make_tuple(g.neighbor_1 == ANY_ELEMENT, g.compact, g.cutoff_or_core, g.asymmetric, g.radius,
                               g.inner_fraction, g.left);
    };
    return key(a) == key(b);
}

// A call for every radial group; {} stands for the end of its name.
std::string named(std::string text, const std::string& name)
{
    for (size_t at = text.find("{}"); at != std::string::npos; at = text.find("{}"))
        text.replace(at, 2, name);
    return text;
}

std::string radial_calls(const Groups& groups, const std::string& suffix, const char* call)
{
    std::string text;
    for (size_t g = 0; g < groups.radial.size(); ++g)
        text += named(call, "_r" + number(g) + suffix);
    return text + "}\n";
}

// The same for every angular group, its pairs first to end found in the window, and its factors of each neighbour.
std::string angular_calls(const Groups& groups, const std::string& suffix, const char* call)
{
    std::vector<Pairs> pairs = distinct_pairs(groups);
    std::string text =
        "    LOCAL_ARG const int* other = range + (diagonal ? 0 : N_ELEMENTS + 1);\n    int first, end;\n";
    for (size_t g = 0; g < groups.angular.size(); ++g) {
        std::string name = "_a" + number(g) + suffix;
        if (g == 0 || !same_sides(groups.angular[g - 1], groups.angular[g]))
            text += named(
                "    sides{}(range, lane);\n    if (!diagonal)\n        sides{}(other, lane);\n"
                "    SYNC_THREADS\n",
                name);
        int64_t block = 2 * (std::find(pairs.begin(), pairs.end(), pairs_of(groups.angular[g])) - pairs.begin());
        text += "    first = nnp_place_in(window, starts[" + number(block) +
                "]);\n    end = nnp_place_in(window, starts[" + number(block + 2) + "]);\n" + named(call, name);
    }
    return text + "}\n";
}

std::string write_blocks(const Groups& groups)
{
    std::string text =
        "DEVICE void ELEMENT(blocks)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG int* table)\n{\n"
        "    LOCAL_ARG const int* other = range + (diagonal ? 0 : N_ELEMENTS + 1);\n"
        "    if (LOCAL_ID == 0) {\n        BLOCK(0, BLOCK_TASK) = 0;\n";
    std::vector<Pairs> pairs = distinct_pairs(groups);
    for (size_t p = 0; p < pairs.size(); ++p)
        text += "        nnp_set_blocks(table, " + number(2 * p) + ", " + number(std::get<0>(pairs[p])) + ", " +
                number(std::get<1>(pairs[p])) + ", " + number(std::get<2>(pairs[p])) + ", range, other, diagonal);\n";
    return text + "        for (int b = " + number(2 * pairs.size()) +
           "; b < N_BLOCKS; ++b)\n            nnp_set_block(table, b, 0, 0, 0, 0, 0, 0);\n    }\n    SYNC_THREADS\n}\n";
}

// Nodes: inputs, then per layer values and slopes.
std::string write_network(const Element& element)
{
    std::string forward, backward;
    int64_t input = 0, weights = 0, next = static_cast<int64_t>(element.functions.size());
    int64_t slopes_before = 0, output = 0;
    for (const Layer& layer : element.layers) {
        int64_t values = next, slopes = next + layer.n_out;
        std::string sizes = number(layer.n_in) + ", " + number(layer.n_out) + ", weights + " + number(weights);
        forward += "    nnp_layer(" + number(layer.activation) + ", " + sizes + ", node + " + number(input) +
                   ", node + " + number(values) + ", node + " + number(slopes) + ", scratch);\n";
        backward = "    nnp_layer_back(" + sizes + ", node + " + number(slopes) + ", node + " + number(slopes_before) +
                   ", scratch);\n" + backward;
        output = input = values;
        slopes_before = slopes;
        next = slopes + layer.n_out;
        weights += static_cast<int64_t>(layer.n_in) * layer.n_out + layer.n_out;
    }
    return "DEVICE mixed ELEMENT(network)(GLOBAL const mixed* weights, LOCAL_ARG mixed* node,\n"
           "                              LOCAL_ARG mixed* scratch)\n{\n" +
           forward + "    mixed output = node[" + number(output) +
           "];\n    for (int i = LOCAL_ID; i < N_FUNCTIONS; i += GROUP_SIZE)\n        node[i] = 1;\n    "
           "SYNC_THREADS\n" +
           backward + "    return output;\n}\n";
}

}  // namespace

int64_t node_count(const Element& element)
{
    int64_t count = static_cast<int64_t>(element.functions.size());
    for (const Layer& layer : element.layers)
        count += 2 * layer.n_out;
    return count;
}

int64_t block_count(const Groups& groups)
{
    return 2 * static_cast<int64_t>(distinct_pairs(groups).size());
}

std::string write_element(const Element& element, const Groups& groups, const std::string& suffix)
{
    return write_blocks(groups) +
           "DEVICE void ELEMENT(radial_forward)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane,\n"
           "                                    LOCAL_ARG mixed* total, LOCAL_ARG mixed* scratch)\n{\n" +
           radial_calls(groups, suffix, "    forward{}(range, diagonal, lane, total, scratch);\n") +
           "DEVICE void ELEMENT(forward)(LOCAL_ARG const int* range, int diagonal, nnp_window window,\n"
           "                             LOCAL_ARG const int* starts, LOCAL_ARG const nnp_pair* pairs,\n"
           "                             LOCAL_ARG real* lane, LOCAL_ARG mixed* total, LOCAL_ARG mixed* scratch)\n{\n" +
           angular_calls(groups, suffix, "    forward{}(first, end, pairs, lane, total, scratch);\n") +
           "DEVICE void ELEMENT(radial_backward)(LOCAL_ARG const int* range, int diagonal,\n"
           "                                     LOCAL_ARG const real* by_value, LOCAL_ARG const real* lane,\n"
           "                                     real scale, LOCAL_ARG nnp_word* pulled, LOCAL_ARG int* failed)\n{\n" +
           radial_calls(groups, suffix, "    backward{}(range, diagonal, by_value, lane, scale, pulled, failed);\n") +
           "DEVICE void ELEMENT(backward)(LOCAL_ARG const int* range, int diagonal, nnp_window window,\n"
           "                              LOCAL_ARG const int* starts, LOCAL_ARG const nnp_pair* pairs,\n"
           "                              LOCAL_ARG const real* by_value, LOCAL_ARG const real* by_slope,\n"
           "                              LOCAL_ARG real* lane, real scale, LOCAL_ARG nnp_word* pulled,\n"
           "                              LOCAL_ARG int* failed)\n{\n" +
           angular_calls(groups, suffix,
                         "    backward{}(first, end, pairs, by_value, by_slope, lane, scale, pulled, failed);\n") +
           write_network(element);
}

std::string write_tangent(const Groups& groups, const std::string& suffix)
{
    return write_blocks(groups) +
           "DEVICE void ELEMENT(radial_tangent)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane,\n"
           "                                    LOCAL_ARG const real* moved, LOCAL_ARG mixed* total,\n"
           "                                    LOCAL_ARG mixed* scratch)\n{\n" +
           radial_calls(groups, suffix, "    tangent{}(range, diagonal, lane, moved, total, scratch);\n") +
           "DEVICE void ELEMENT(tangent)(LOCAL_ARG const int* range, int diagonal, nnp_window window,\n"
           "                             LOCAL_ARG const int* starts, LOCAL_ARG const nnp_pair* pairs,\n"
           "                             LOCAL_ARG real* lane, LOCAL_ARG const real* moved, LOCAL_ARG mixed* total,\n"
           "                             LOCAL_ARG mixed* scratch)\n{\n" +
           angular_calls(groups, suffix, "    tangent{}(first, end, pairs, lane, moved, total, scratch);\n");
}

}  // namespace nnp::gpu

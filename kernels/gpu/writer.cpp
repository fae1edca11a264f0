#include "writer.h"

#include "error.h"
#include "nnp.h"

#include <set>
#include <tuple>

namespace nnp::gpu
{
namespace
{

std::string number(int64_t value)
{
    return std::to_string(value);
}

std::string at(const char* array, int64_t index)
{
    return std::string(array) + "[" + number(index) + "]";
}

std::string slot(const char* prefix, int index)
{
    return prefix + number(index);
}

std::string neighbor(int element)
{
    return element == ANY_ELEMENT ? "ANY_ELEMENT" : number(element);
}

// ---- radial ------------------------------------------------------------------------------------

std::string radial_part(const RadialMember& m)
{
    if (m.kind == NNP_RADIAL)
        return "nnp_gaussian(r, " + literal(m.first) + ", " + literal(m.second) + ", &g, &dg);";
    if (m.kind == NNP_RADIAL_COSINE)
        return "nnp_radial_cosine(r, " + literal(m.first) + ", &g, &dg);";
    return "nnp_compact(" + number(m.core) + ", " + number(m.asymmetric) + ", r, " + literal(m.first) + ", " +
           literal(m.second) + ", &g, &dg);";
}

// ---- angular -----------------------------------------------------------------------------------

// Slots a set of slots needs, itself included: a slot may be a product of earlier ones.
class Needed
{
public:
    explicit Needed(const AngularGroup& group) : group_(group) {}

    void exponential(int s)
    {
        if (s < 0 || !exponentials.insert(s).second)
            return;
        exponential(group_.exponentials[s].first_factor);
        exponential(group_.exponentials[s].second_factor);
    }

    void angle(int s)
    {
        if (s < 0 || !angles.insert(s).second)
            return;
        angle(group_.angles[s].a);
        angle(group_.angles[s].b);
    }

    std::set<int> exponentials, angles;

private:
    const AngularGroup& group_;
};

std::string exponential_line(const ExponentialSlot& e, int s)
{
    std::string line = "    real " + slot("e", s) + " = ";
    if (e.first_factor >= 0)
        return line + slot("e", e.first_factor) + " * " + slot("e", e.second_factor) + ";\n";
    if (e.eta == 0)
        return line + "1;\n";
    return line + "NNP_EXP(" + literal(-e.eta) + " * square);\n";
}

std::string angle_line(const AngularGroup& group, int s)
{
    const AngleSlot& a = group.angles[s];
    std::string name = slot("a", s), head = "    real " + name + " = ";
    switch (a.op) {
        case AngleOp::base:
            return head + "nnp_angular_base(cosine, " + literal(a.first) + ");\n";
        case AngleOp::product:
            return head + slot("a", a.a) + " * " + slot("a", a.b) + ";\n";
        case AngleOp::step:
            return head + "NNP_SELECT(" + slot("a", a.a) + " > 0, NNP_C(1), NNP_C(0));\n";
        case AngleOp::power:
            return head + "nnp_angular_power(" + slot("a", a.a) + ", " + literal(a.first) + ");\n";
        case AngleOp::compact:
            break;
    }
    if (a.a >= 0)  // the slope, computed with its value
        return "";
    std::string slope = slot("a", s + 1);
    return "    real " + name + ", " + slope + ";\n    nnp_compact_angle(" + number(group.cutoff_or_core) +
           ", cosine, " + literal(a.first) + ", " + literal(a.second) + ", &" + name + ", &" + slope + ");\n";
}

std::string slot_lines(const AngularGroup& group, const Needed& needed)
{
    std::string text;
    for (int s : needed.exponentials)
        text += exponential_line(group.exponentials[s], s);
    for (int s : needed.angles)
        text += angle_line(group, s);
    return text;
}

std::string write_side(const AngularGroup& g)
{
    std::string text = "NNP_FN void GROUP(side)(real r2, real* f, real* df_over_r)\n{\n";
    if (!g.compact)
        return text + "    nnp_cutoff_by_square(" + number(g.cutoff_or_core) + ", r2, " + literal(g.radius) + ", " +
               literal(g.inner_fraction) + ", f, df_over_r);\n}\n";
    return text + "    real inverse = NNP_INVERSE_SQRT(r2), df;\n    nnp_compact(" + number(g.cutoff_or_core) + ", " +
           number(g.asymmetric) + ", r2 * inverse, " + literal(g.left) + ", " + literal(g.radius) +
           ", f, &df);\n    *df_over_r = df * inverse;\n}\n";
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

std::string write_add(const AngularGroup& g)
{
    Needed needed(g);
    for (const AngularMember& m : g.members) {
        needed.exponential(m.exp_slot);
        needed.angle(m.value_slot);
    }
    std::string text = "NNP_FN void GROUP(add)(real product, real square, real cosine, real* sums)\n{\n";
    text += slot_lines(g, needed);
    int open = -1;
    for (size_t i = 0; i < g.members.size(); ++i) {
        const AngularMember& m = g.members[i];
        if (m.exp_slot != open)
            text += "    real " + slot("p", m.exp_slot) + " = product * " + slot("e", m.exp_slot) + ";\n";
        open = m.exp_slot;
        text += "    " + at("sums", i) + " += " + slot("p", m.exp_slot) + " * " + slot("a", m.value_slot) + ";\n";
    }
    return text + "}\n";
}

std::string write_fold(const AngularGroup& g)
{
    Needed needed(g);
    for (const AngularMember& m : g.members) {
        needed.exponential(m.exp_slot);
        needed.angle(m.value_slot);
        needed.angle(m.slope_slot);
    }
    std::string text =
        "NNP_FN void GROUP(fold)(real square, real cosine, LOCAL_ARG const real* by_value,\n"
        "                        LOCAL_ARG const real* by_slope, real* X, real* Y, real* Z)\n{\n";
    text += slot_lines(g, needed) + "    *X = *Y = *Z = 0;\n";
    for (size_t i = 0; i < g.members.size();) {
        int s = g.members[i].exp_slot;
        std::string q, dq;
        for (; i < g.members.size() && g.members[i].exp_slot == s; ++i) {
            q += (q.empty() ? "" : " + ") + at("by_value", i) + " * " + slot("a", g.members[i].value_slot);
            dq += (dq.empty() ? "" : " + ") + at("by_slope", i) + " * " + slot("a", g.members[i].slope_slot);
        }
        std::string e = slot("e", s), eq = slot("q", s);
        text += "    real " + eq + " = " + e + " * (" + q + ");\n    *X += " + eq +
                ";\n    *Y += " + literal(g.exponentials[s].eta) + " * " + eq + ";\n    *Z += " + e + " * (" + dq +
                ");\n";
    }
    return text + "}\n";
}

// The same sums' change along a direction.
std::string write_change(const AngularGroup& g)
{
    Needed needed(g);
    for (const AngularMember& m : g.members) {
        needed.exponential(m.exp_slot);
        needed.angle(m.value_slot);
        needed.angle(m.slope_slot);
    }
    std::string text =
        "NNP_FN void GROUP(change)(real product, real square, real cosine, real d_product, real d_square,\n"
        "                          real d_cosine, real* sums)\n{\n" +
        slot_lines(g, needed);
    int open = -1;
    for (size_t i = 0; i < g.members.size(); ++i) {
        const AngularMember& m = g.members[i];
        std::string e = slot("e", m.exp_slot), p = slot("p", m.exp_slot), q = slot("q", m.exp_slot);
        if (m.exp_slot != open)
            text += "    real " + p + " = " + e + " * (d_product - " + literal(g.exponentials[m.exp_slot].eta) +
                    " * product * d_square), " + q + " = " + e + " * product * d_cosine;\n";
        open = m.exp_slot;
        text += "    " + at("sums", i) + " += " + p + " * " + slot("a", m.value_slot) + " + " +
                literal(m.slope_coefficient / m.value_coefficient) + " * " + q + " * " + slot("a", m.slope_slot) +
                ";\n";
    }
    return text + "}\n";
}

// Calls `radial`, then `angular` with what it needs of its neighbours, for all groups; {} stands for a group's name.
std::string write_calls(const Groups& groups, const std::string& suffix, const char* radial, const char* angular)
{
    auto named = [&](std::string text, const std::string& name) {
        for (size_t at = text.find("{}"); at != std::string::npos; at = text.find("{}"))
            text.replace(at, 2, name + suffix);
        return text;
    };
    std::string text;
    for (size_t g = 0; g < groups.radial.size(); ++g)
        text += named(radial, "_r" + number(g));
    for (size_t g = 0; g < groups.angular.size(); ++g) {
        if (g == 0 || !same_sides(groups.angular[g - 1], groups.angular[g]))
            text += named(
                "    sides{}(range_a, lane);\n    if (!diagonal)\n        sides{}(range_b, lane);\n"
                "    SYNC_THREADS\n",
                "_a" + number(g));
        text += named(angular, "_a" + number(g));
    }
    return text + "}\n";
}

}  // namespace

std::string literal(double value)
{
    return "NNP_C(" + to_text(value) + ")";
}

std::string define(const std::string& name, const std::string& value)
{
    return "#define " + name + " " + value + "\n";
}

std::string write_radial(const RadialGroup& g)
{
    std::string text = define("N_MEMBERS", number(g.members.size())) + define("NEIGHBOR_1", neighbor(g.neighbor));
    text += "NNP_FN void GROUP(terms)(real r, real* value, real* slope)\n{\n    real g, dg, f = 1, df = 0;\n";
    if (g.has_cutoff)
        text += "    nnp_cutoff(" + number(g.cutoff) + ", r, " + literal(g.radius) + ", " + literal(g.inner_fraction) +
                ", &f, &df);\n";
    for (size_t i = 0; i < g.members.size(); ++i)
        text += "    " + radial_part(g.members[i]) + "\n    " + at("value", i) + " = g * f;\n    " + at("slope", i) +
                " = dg * f + g * df;\n";
    return text + "}\n";
}

std::string write_angular(const AngularGroup& g)
{
    return define("N_MEMBERS", number(g.members.size())) + define("NEIGHBOR_1", neighbor(g.neighbor_1)) +
           define("NEIGHBOR_2", neighbor(g.neighbor_2)) + define("NARROW", number(g.narrow)) +
           define("RADIUS", literal(g.radius)) + define("R_SHIFT", literal(g.r_shift)) +
           define("SHIFTED", number(g.r_shift != 0)) + write_side(g);
}

std::string write_sums(const AngularGroup& g)
{
    return write_add(g) + write_fold(g);
}

std::string write_changes(const AngularGroup& g)
{
    return write_change(g);
}

int64_t node_count(const Element& element)
{
    int64_t count = static_cast<int64_t>(element.functions.size());
    for (const Layer& layer : element.layers)
        count += 2 * layer.n_out;
    return count;
}

namespace
{

std::string write_forward(const Groups& groups, const std::string& suffix)
{
    return "DEVICE void ELEMENT(forward)(LOCAL_ARG const int* range_a, LOCAL_ARG const int* range_b, int diagonal,\n"
           "                             LOCAL_ARG real* lane, LOCAL_ARG const unsigned int* masks,\n"
           "                             LOCAL_ARG nnp_pair* pairs, LOCAL_ARG int* counts, LOCAL_ARG mixed* total,\n"
           "                             LOCAL_ARG mixed* scratch)\n{\n" +
           write_calls(groups, suffix, "    forward{}(range_a, diagonal, lane, total, scratch);\n",
                       "    forward{}(range_a, range_b, diagonal, lane, masks, pairs, counts, total, scratch);\n");
}

std::string write_backward(const Groups& groups, const std::string& suffix)
{
    return "DEVICE void ELEMENT(backward)(LOCAL_ARG const int* range_a, LOCAL_ARG const int* range_b, int diagonal,\n"
           "                              LOCAL_ARG const real* by_value, LOCAL_ARG const real* by_slope,\n"
           "                              LOCAL_ARG const unsigned int* masks, LOCAL_ARG nnp_pair* pairs,\n"
           "                              LOCAL_ARG int* counts, LOCAL_ARG real* lane, LOCAL_ARG real* pulls)\n{\n" +
           write_calls(groups, suffix, "    backward{}(range_a, diagonal, by_value, lane, pulls);\n",
                       "    backward{}(range_a, range_b, diagonal, by_value, by_slope, masks, pairs, counts, lane, "
                       "pulls);\n");
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

std::string write_element(const Element& element, const Groups& groups, const std::string& suffix)
{
    return write_forward(groups, suffix) + write_backward(groups, suffix) + write_network(element);
}

std::string write_tangent(const Groups& groups, const std::string& suffix)
{
    return "DEVICE void ELEMENT(tangent)(LOCAL_ARG const int* range_a, LOCAL_ARG const int* range_b, int diagonal,\n"
           "                             LOCAL_ARG real* lane, LOCAL_ARG const real* pulls,\n"
           "                             LOCAL_ARG const unsigned int* masks, LOCAL_ARG nnp_pair* pairs,\n"
           "                             LOCAL_ARG int* counts, LOCAL_ARG mixed* total, LOCAL_ARG mixed* "
           "scratch)\n{\n" +
           write_calls(groups, suffix, "    tangent{}(range_a, diagonal, lane, pulls, total, scratch);\n",
                       "    tangent{}(range_a, range_b, diagonal, lane, pulls, masks, pairs, counts, total, "
                       "scratch);\n");
}

}  // namespace nnp::gpu

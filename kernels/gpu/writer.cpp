#include "writer.h"

#include "error.h"
#include "families.h"
#include "nnp.h"
#include "nnp/radial.h"

#include <map>
#include <set>

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

#define NNP_ONE_RADIAL(number, name, loop, INTEGERS, REALS) +(loop == NNP_LOOP_RADIAL)
#define NNP_ONE(number, call) +1
static_assert(0 NNP_FAMILIES(NNP_ONE_RADIAL) == 0 NNP_RADIAL_FORMULAS(NNP_ONE), "a radial family has no formula");
#undef NNP_ONE
#undef NNP_ONE_RADIAL

std::string parameter(const Function& f, const std::string& name)
{
    const Family& family = *find_family(f.family);
    for (const IntegerParameter& p : family.integers) {
        if (name == p.name)
            return number(f.*p.member);
    }
    for (const RealParameter& p : family.reals) {
        if (name == p.name)
            return literal(f.*p.member);
    }
    throw Error(NNP_INTERNAL, std::string("radial.h asks a function of family ") + family.name + " for " + name);
}

// The call in radial.h, with the function's numbers in place of P(name).
std::string radial_part(const Function& f)
{
#define NNP_CALL(number, call) {number, #call},
    static const std::map<int, std::string> calls = {NNP_RADIAL_FORMULAS(NNP_CALL)};
#undef NNP_CALL
    std::string call = calls.at(f.family);
    for (size_t begin; (begin = call.find("P(")) != std::string::npos;) {
        size_t end = call.find(')', begin);
        call.replace(begin, end + 1 - begin, parameter(f, call.substr(begin + 2, end - begin - 2)));
    }
    return call + ";";
}

// ---- angular -----------------------------------------------------------------------------------

// Slots a set of slots needs, itself included: a slot may be a product of earlier ones.
class Needed
{
public:
    explicit Needed(const AngularGroup& group) : group_(group) {}

    void values()
    {
        for (const AngularMember& m : group_.members) {
            exponential(m.exp_slot);
            angle(m.value_slot);
        }
    }

    void values_and_slopes()
    {
        values();
        for (const AngularMember& m : group_.members)
            angle(m.slope_slot);
    }

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
        case AngleOp::shifted:
            break;
    }
    if (a.a >= 0)  // the slope, computed with its value
        return "";
    std::string slope = slot("a", s + 1);
    if (a.op == AngleOp::shifted)
        return "    real " + name + ", " + slope + ";\n    nnp_shifted_angle(cosine, " + literal(a.first) + ", " +
               literal(a.second) + ", &" + name + ", &" + slope + ");\n";
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

std::string write_add(const AngularGroup& g)
{
    Needed needed(g);
    needed.values();
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
    needed.values_and_slopes();
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
    needed.values_and_slopes();
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
        text += "    " + radial_part(*g.members[i].function) + "\n    " + at("value", i) + " = g * f;\n    " +
                at("slope", i) + " = dg * f + g * df;\n";
    return text + "}\n";
}

std::string write_angular(const AngularGroup& g)
{
    return define("N_MEMBERS", number(g.members.size())) + define("NEIGHBOR_1", neighbor(g.neighbor_1)) +
           define("NEIGHBOR_2", neighbor(g.neighbor_2)) + define("NARROW", number(g.narrow)) +
           define("RADIUS", literal(g.radius)) + define("R_SHIFT", literal(g.r_shift)) +
           define("SHIFTED", number(g.r_shift != 0)) + define("MEAN", number(g.mean)) + write_side(g);
}

std::string write_sums(const AngularGroup& g)
{
    return write_add(g) + write_fold(g);
}

std::string write_changes(const AngularGroup& g)
{
    return write_change(g);
}

}  // namespace nnp::gpu

#include "families.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace nnp
{
namespace
{

const char* const SYMBOLS[] = {"",   "H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si",
                               "P",  "S",  "Cl", "Ar", "K",  "Ca", "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu",
                               "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",  "Zr", "Nb", "Mo", "Tc", "Ru",
                               "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr",
                               "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W",
                               "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac",
                               "Th", "Pa", "U",  "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr", "Rf",
                               "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"};
constexpr int N_SYMBOLS = sizeof SYMBOLS / sizeof SYMBOLS[0];

#define NNP_MEMBER(name, meaning) {#name, meaning, &Function::name},
#define NNP_ROW(number, name, loop, INTEGERS, REALS) {number, #name, loop, {INTEGERS(NNP_MEMBER)}, {REALS(NNP_MEMBER)}},
const std::vector<Family>& table()
{
    static const std::vector<Family> rows = {NNP_FAMILIES(NNP_ROW)};
    return rows;
}
#undef NNP_ROW
#undef NNP_MEMBER

template <class Parameters, class Member>
bool contains(const Parameters& parameters, Member member)
{
    return std::any_of(parameters.begin(), parameters.end(), [&](const auto& p) { return p.member == member; });
}

}  // namespace

bool Family::has(double Function::* member) const
{
    return contains(reals, member);
}

bool Family::has(int Function::* member) const
{
    return contains(integers, member);
}

const std::vector<Family>& families()
{
    return table();
}

const Family* find_family(int64_t number)
{
    for (const Family& family : table()) {
        if (family.number == number)
            return &family;
    }
    return nullptr;
}

std::string chemical_symbol(int atomic_number)
{
    bool known = atomic_number > 0 && atomic_number < N_SYMBOLS;
    return known ? SYMBOLS[atomic_number] : std::to_string(atomic_number);
}

std::string describe(const Function& f, const Model& model)
{
    const Family& family = *find_family(f.family);
    std::string text = family.name;
    if (family.has(&Function::narrow))
        text += f.narrow ? "_narrow" : "_wide";
    for (const IntegerParameter& p : family.integers) {
        if (std::strcmp(p.meaning, "count") == 0)
            text += std::string(" ") + p.name + "=" + std::to_string(f.*p.member);
    }
    if (!family.has(&Function::neighbor_1))
        return text;
    if (f.neighbor_1 == ANY_ELEMENT)
        text += " all (weighted)";
    else
        text += " " + chemical_symbol(model.atomic_number(f.neighbor_1));
    if (f.angular && f.neighbor_2 != ANY_ELEMENT)
        text += "-" + chemical_symbol(model.atomic_number(f.neighbor_2));
    for (const RealParameter& p : family.reals) {
        char value[40];
        std::snprintf(value, sizeof value, "%.5g", f.*p.member);
        text += std::string(" ") + p.name + "=" + value;
    }
    return text;
}

}  // namespace nnp

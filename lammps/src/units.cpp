// SPDX-License-Identifier: GPL-2.0-only
#include "units.h"

#include <cstring>

namespace nnp_lammps
{
namespace
{

// CODATA 2022, as nnp/units.py.
constexpr double JOULE_PER_EV = 1.602176634e-19;
constexpr double ANGSTROM_PER_BOHR = 0.529177210544;
constexpr double EV_PER_HARTREE = 27.211386245981;
// LAMMPS's own, so that kcal/mol here are those of the other pair styles: 5e-8 above CODATA's.
constexpr double KCAL_PER_MOL_PER_EV = 23.060549;

// The unit of energy of micro is 1e-15 J (pg µm²/µs²), that of nano 1e-21 J (ag nm²/ns²), of cgs 1e-7 J.
constexpr Units STYLES[] = {
    {"metal", 1, 1},
    {"lj", 1, 1},  // the numbers as they are
    {"real", 1, KCAL_PER_MOL_PER_EV},
    {"electron", 1 / ANGSTROM_PER_BOHR, 1 / EV_PER_HARTREE},
    {"si", 1e-10, JOULE_PER_EV},
    {"cgs", 1e-8, JOULE_PER_EV / 1e-7},
    {"micro", 1e-4, JOULE_PER_EV / 1e-15},
    {"nano", 1e-1, JOULE_PER_EV / 1e-21},
};

}  // namespace

const Units* find_units(const char* style)
{
    for (const Units& units : STYLES) {
        if (std::strcmp(units.style, style) == 0) {
            return &units;
        }
    }
    return nullptr;
}

}  // namespace nnp_lammps

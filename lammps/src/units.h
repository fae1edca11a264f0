// SPDX-License-Identifier: GPL-2.0-only
// LAMMPS's unit styles in Å and eV, which a potential's file is in.
#pragma once

namespace nnp_lammps
{

struct Units {
    const char* style;
    double length;  // of one Å
    double energy;  // of one eV
};

// Null: a style this version does not know.
const Units* find_units(const char* style);

}  // namespace nnp_lammps

// SPDX-License-Identifier: GPL-2.0-only
// Whether the LAMMPS that loads the plugin is the one it was compiled for.
#pragma once

#include <string>

namespace nnp_lammps
{

// Empty: it is; else what differs and what to do. LAMMPS itself only prints a line about another version, and
// compares no integer sizes: a plugin with other sizes would read its arrays wrongly.
std::string complaint_about_host(void* lammps);

}  // namespace nnp_lammps

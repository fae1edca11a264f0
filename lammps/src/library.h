// SPDX-License-Identifier: GPL-2.0-only
// libnnp, found when the first potential is read. Not linked: n2p2 has a library of much the same file name, and a
// plugin that was copied elsewhere shall say what it misses.
#pragma once

#include <string>

#include "nnp.h"

// What the pair style calls: X(name without nnp_)
// clang-format off
#define NNP_LAMMPS_FUNCTIONS(X) \
    X(version) X(model_from_memory) X(model_release) X(model_cutoff) \
    X(model_n_elements) X(model_atomic_number) X(model_length_unit) X(model_energy_unit) \
    X(model_function) X(model_n_members) X(model_member) X(engine_create) \
    X(engine_destroy) X(engine_compute_domain) X(engine_extrapolations) X(engine_statistics)
// clang-format on

namespace nnp_lammps
{

struct Library {
#define NNP_LAMMPS_MEMBER(name) decltype(&::nnp_##name) name = nullptr;
    NNP_LAMMPS_FUNCTIONS(NNP_LAMMPS_MEMBER)
#undef NNP_LAMMPS_MEMBER
    std::string path;

    // The library, loaded once; throws std::runtime_error with where it was looked for.
    static const Library& get();
};

}  // namespace nnp_lammps

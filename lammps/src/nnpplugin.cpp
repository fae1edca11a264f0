// SPDX-License-Identifier: GPL-2.0-only
// What LAMMPS calls when it loads the plugin; the only symbol that others see.
#include <string>

#include "error.h"
#include "host.h"
#include "lammps.h"
#include "pair_nnp.h"

namespace
{

// LAMMPS's lammpsplugin.h, as its manual documents it ("Writing plugins"); not every installation ships the header.
struct Plugin {
    const char* version;
    const char* style;
    const char* name;
    const char* info;
    const char* author;
    LAMMPS_NS::Pair* (*creator)(LAMMPS_NS::LAMMPS*);
    void* handle;
};
using Register = void (*)(Plugin*, void*);

// They outlive the call: LAMMPS keeps pointers to their text.
std::string complaint, info;

LAMMPS_NS::Pair* create(LAMMPS_NS::LAMMPS* lammps)
{
    return new LAMMPS_NS::PairNNP(lammps);
}

// A plugin of another LAMMPS refuses when its style is asked for, not when it is found in a folder.
LAMMPS_NS::Pair* refuse(LAMMPS_NS::LAMMPS* lammps)
{
    lammps->error->all(FLERR, "Pair nnp: {}", complaint);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void* lammps, void* handle, void* registers)
{
    complaint = nnp_lammps::complaint_about_host(lammps);
    info = "pair style nnp, neural network potentials" + (complaint.empty() ? "" : "; CANNOT BE USED, " + complaint);
    Plugin plugin = {NNP_LAMMPS_VERSION, "pair", "nnp", info.c_str(), "the authors of nnp", nullptr, handle};
    plugin.creator = complaint.empty() ? create : refuse;
    reinterpret_cast<Register>(registers)(&plugin, lammps);
}

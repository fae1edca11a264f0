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

// LAMMPS keeps the pointers that it is given, over `clear` too, and asks for them while it loads the plugin again.
const std::string& complaint(void* lammps)
{
    static const std::string text = nnp_lammps::complaint_about_host(lammps);
    return text;
}

const char* info(void* lammps)
{
    static const std::string text = "pair style nnp, neural network potentials" +
                                    (complaint(lammps).empty() ? "" : "; CANNOT BE USED, " + complaint(lammps));
    return text.c_str();
}

LAMMPS_NS::Pair* create(LAMMPS_NS::LAMMPS* lammps)
{
    return new LAMMPS_NS::PairNNP(lammps);
}

// A plugin of another LAMMPS refuses when its style is asked for, not when it is found in a folder.
LAMMPS_NS::Pair* refuse(LAMMPS_NS::LAMMPS* lammps)
{
    lammps->error->all(FLERR, "Pair nnp: {}", complaint(lammps));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void lammpsplugin_init(void* lammps, void* handle, void* registers)
{
    Plugin plugin = {NNP_LAMMPS_VERSION, "pair", "nnp", info(lammps), "the authors of nnp", nullptr, handle};
    plugin.creator = complaint(lammps).empty() ? create : refuse;
    reinterpret_cast<Register>(registers)(&plugin, lammps);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "host.h"

#include <dlfcn.h>

#include "lammps.h"
#include "lmptype.h"

namespace nnp_lammps
{
namespace
{

using GetVersion = int (*)(void*);
using GetSetting = int (*)(void*, const char*);

// LAMMPS's own C interface, where the host has it: the layout of its classes is what is in question.
template <typename F>
F find(const char* name)
{
    return reinterpret_cast<F>(dlsym(RTLD_DEFAULT, name));
}

int version_of(void* lammps)
{
    const auto ask = find<GetVersion>("lammps_version");
    return ask != nullptr ? ask(lammps) : static_cast<LAMMPS_NS::LAMMPS*>(lammps)->num_ver;
}

std::string rebuild(const std::string& what)
{
    return what + ": build the plugin against this LAMMPS (lammps/README.md of nnp)";
}

}  // namespace

std::string complaint_about_host(void* lammps)
{
    if (const int found = version_of(lammps); found != NNP_LAMMPS_VERSION_NUMBER) {
        return rebuild("this LAMMPS is version " + std::to_string(found) + ", the plugin was compiled for " +
                       std::to_string(NNP_LAMMPS_VERSION_NUMBER));
    }
    const auto ask = find<GetSetting>("lammps_extract_setting");
    if (ask == nullptr) {
        return "";
    }
    const struct {
        const char* name;
        int size;
    } types[] = {{"bigint", sizeof(LAMMPS_NS::bigint)},
                 {"tagint", sizeof(LAMMPS_NS::tagint)},
                 {"imageint", sizeof(LAMMPS_NS::imageint)}};
    for (const auto& type : types) {
        if (const int found = ask(lammps, type.name); found != type.size) {
            return rebuild(std::string("this LAMMPS has a ") + type.name + " of " + std::to_string(8 * found) +
                           " bits, the plugin one of " + std::to_string(8 * type.size) + " (LAMMPS_SIZES)");
        }
    }
    return "";
}

}  // namespace nnp_lammps

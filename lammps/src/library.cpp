// SPDX-License-Identifier: GPL-2.0-only
#include "library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <stdexcept>
#include <vector>

#ifndef NNP_LAMMPS_LIBRARY
#define NNP_LAMMPS_LIBRARY ""  // where CMake found libnnp
#endif

namespace nnp_lammps
{
namespace
{

constexpr char VARIABLE[] = "NNP_LIBRARY";

std::string folder_of_plugin()
{
    Dl_info info;
    if (dladdr(reinterpret_cast<void*>(&Library::get), &info) == 0 || info.dli_fname == nullptr) {
        return ".";
    }
    const std::string path = info.dli_fname;
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

// The environment alone where it says something; else beside the plugin, as pip installs both, then where CMake
// found it.
std::vector<std::string> candidates()
{
    if (const char* named = std::getenv(VARIABLE); named != nullptr && *named != '\0') {
        return {named};
    }
    std::vector<std::string> paths = {folder_of_plugin() + "/../nnp/lib/libnnp.so.3"};
    if (*NNP_LAMMPS_LIBRARY != '\0') {
        paths.emplace_back(NNP_LAMMPS_LIBRARY);
    }
    return paths;
}

// Empty: loaded.
std::string load(const std::string& path, Library& library)
{
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        const char* why = dlerror();
        return why == nullptr ? path + ": cannot be loaded" : why;
    }
    std::string missing;
#define NNP_LAMMPS_LOAD(name)                                                             \
    library.name = reinterpret_cast<decltype(library.name)>(dlsym(handle, "nnp_" #name)); \
    if (library.name == nullptr) {                                                        \
        missing = "nnp_" #name;                                                           \
    }
    NNP_LAMMPS_FUNCTIONS(NNP_LAMMPS_LOAD)
#undef NNP_LAMMPS_LOAD
    if (library.version == nullptr || !missing.empty()) {
        dlclose(handle);
        return path + ": is another library, or libnnp of another version: it lacks " + missing;
    }
    if (const int found = library.version(); found != NNP_VERSION) {
        dlclose(handle);
        return path + ": has version " + std::to_string(found) + " of nnp.h, this plugin version " +
               std::to_string(NNP_VERSION);
    }
    library.path = path;
    return "";
}

Library find()
{
    std::string complaints;
    for (const std::string& path : candidates()) {
        Library library;
        const std::string complaint = load(path, library);
        if (complaint.empty()) {
            return library;
        }
        complaints += (complaints.empty() ? "" : "; ") + complaint;
    }
    throw std::runtime_error("libnnp does not load (" + complaints + "): install the plugin beside the package nnp " +
                             "(pip install ./lammps), or set " + VARIABLE + " to the path of libnnp.so.3");
}

}  // namespace

const Library& Library::get()
{
    static const Library library = find();
    return library;
}

}  // namespace nnp_lammps

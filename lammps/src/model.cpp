// SPDX-License-Identifier: GPL-2.0-only
#include "model.h"

namespace nnp_lammps
{
namespace
{

constexpr const char* SYMBOLS[] = {
    "",   "H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si", "P",  "S",
    "Cl", "Ar", "K",  "Ca", "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As",
    "Se", "Br", "Kr", "Rb", "Sr", "Y",  "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn",
    "Sb", "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho",
    "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W",  "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po",
    "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U",  "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md",
    "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"};
constexpr int N_SYMBOLS = sizeof(SYMBOLS) / sizeof(SYMBOLS[0]);

void check(int code, const nnp_error& error)
{
    if (code != NNP_OK) {
        throw Failure(error);
    }
}

nnp_model* open(const Library& library, const std::vector<char>& bytes)
{
    nnp_model* handle = nullptr;
    nnp_error error = {};
    check(library.model_from_memory(bytes.data(), bytes.size(), &handle, &error), error);
    return handle;
}

nnp_engine* create(const Library& library, const Model& model, bool float32, int threads)
{
    nnp_options options = {};
    options.precision = float32 ? NNP_FLOAT32 : NNP_FLOAT64;
    options.threads = threads;
    options.skin = -1;  // of whole structures only: the caller brings the list
    nnp_engine* handle = nullptr;
    nnp_error error = {};
    check(library.engine_create(model.get(), &options, &handle, &error), error);
    return handle;
}

}  // namespace

Model::Model(const std::vector<char>& bytes) : Model(open(Library::get(), bytes))
{
    const std::string length = library_->model_length_unit(get()), energy = library_->model_energy_unit(get());
    if (length != "angstrom" || energy != "eV") {
        throw std::runtime_error("the potential is in " + length + " and " + energy +
                                 ", this version of pair_style nnp reads angstrom and eV: update it");
    }
}

std::string Model::function(int element, int function) const
{
    nnp_function_info info = {};
    if (library_->model_function(get(), element, function, &info) != NNP_OK) {
        return "function " + std::to_string(function);
    }
    return info.text;
}

Engine::Engine(const Model& model, bool float32, int threads)
    : library_(&Library::get()), handle_(create(*library_, model, float32, threads), library_->engine_destroy)
{
}

void Engine::compute(const nnp_domain& domain, const nnp_results& results)
{
    nnp_error error = {};
    check(library_->engine_compute_domain(handle_.get(), &domain, &results, &error), error);
}

nnp_extrapolations Engine::extrapolations() const
{
    nnp_extrapolations found = {};
    library_->engine_extrapolations(handle_.get(), &found);
    return found;
}

double Engine::bytes() const
{
    nnp_statistics statistics = {};
    library_->engine_statistics(handle_.get(), &statistics);
    return static_cast<double>(statistics.bytes);
}

const char* chemical_symbol(int atomic_number)
{
    return atomic_number > 0 && atomic_number < N_SYMBOLS ? SYMBOLS[atomic_number] : nullptr;
}

int atomic_number(const std::string& symbol)
{
    for (int number = 1; number < N_SYMBOLS; number++) {
        if (symbol == SYMBOLS[number]) {
            return number;
        }
    }
    return 0;
}

}  // namespace nnp_lammps

// SPDX-License-Identifier: GPL-2.0-only
// What the input script says: options, elements, and what LAMMPS has to bring.
#include "pair_nnp.h"

#include <algorithm>
#include <cstring>

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "memory.h"
#include "neighbor.h"
#include "update.h"

using namespace LAMMPS_NS;
using nnp_lammps::Engine;
using nnp_lammps::Model;

namespace
{

constexpr char SYNTAX[] = "pair_style nnp [float64|float32] [threads N] [max_extrapolations N] [show yes|no] [every N]";
constexpr char NOT_OURS[] = "NULL";

std::string list_of(const Model& model)
{
    std::string symbols;
    for (int element = 0; element < model.n_elements(); element++) {
        const char* symbol = nnp_lammps::chemical_symbol(model.atomic_number(element));
        symbols += (element == 0 ? "" : ", ") + std::string(symbol == nullptr ? "?" : symbol);
    }
    return symbols;
}

}  // namespace

PairNNP::PairNNP(LAMMPS* lmp) : Pair(lmp), units_(nnp_lammps::find_units(update->unit_style)), extrapolations_(lmp)
{
    single_enable = 0;
    restartinfo = 1;
    one_coeff = 1;
    manybody_flag = 1;
    no_virial_fdotr_compute = 1;  // libnnp's own virial holds with any neighbour list
    centroidstressflag = CENTROID_AVAIL;
    // Forces on ghosts, or their centroid virials, go home by this style's own communication.
    comm_reverse = comm_reverse_off = 9;
    nextra = N_EXTRA;
    pvector = new double[N_EXTRA]();
    if (units_ == nullptr) {
        error->all(FLERR,
                   "Pair nnp does not know units {}: it knows metal, real, electron, si, cgs, micro, nano and lj",
                   update->unit_style);
    }
}

PairNNP::~PairNNP()
{
    delete[] pvector;
    if (allocated) {
        memory->destroy(setflag);
        memory->destroy(cutsq);
    }
}

void PairNNP::settings(int narg, char** arg)
{
    for (int at = 0; at < narg; at++) {
        const std::string word = arg[at];
        if (word == "float64" || word == "float32") {
            options_.float32 = word == "float32";
        } else if (word == "threads") {
            options_.threads = number(narg, arg, at++, 1);
        } else if (word == "max_extrapolations") {
            extrapolations_.most = number(narg, arg, at++, 0);
        } else if (word == "every") {
            extrapolations_.every = number(narg, arg, at++, 1);
        } else if (word == "show" && at + 1 < narg) {
            extrapolations_.show = utils::logical(FLERR, arg[++at], false, lmp) == 1;
        } else {
            error->all(FLERR, "Pair nnp does not know '{}' here: {}", word, SYNTAX);
        }
    }
    if (model_) {
        create_engines();
    }
}

int PairNNP::number(int narg, char** arg, int at, int least)
{
    if (at + 1 >= narg) {
        error->all(FLERR, "Pair nnp expects a number after '{}': {}", arg[at], SYNTAX);
    }
    const int found = utils::inumeric(FLERR, arg[at + 1], false, lmp);
    if (found < least) {
        error->all(FLERR, "Pair nnp: {} {} is less than {}", arg[at], found, least);
    }
    return found;
}

void PairNNP::coeff(int narg, char** arg)
{
    const int n_types = atom->ntypes;
    if (narg < 3 || std::strcmp(arg[0], "*") != 0 || std::strcmp(arg[1], "*") != 0) {
        error->all(FLERR, "Pair nnp expects one line: pair_coeff * * FILE and an element, or NULL, for each type");
    }
    if (narg != 3 + n_types) {
        error->all(FLERR, "Pair nnp: elements after {}: {} given, {} expected, one or NULL for each atom type", arg[2],
                   narg - 3, n_types);
    }
    path_ = arg[2];
    open(read_file(path_));
    map_types(std::vector<std::string>(arg + 3, arg + narg));
    create_engines();
}

void PairNNP::open(std::vector<char> bytes)
{
    try {
        model_ = std::make_unique<Model>(bytes);
    } catch (const std::exception& failure) {
        error->all(FLERR, "Pair nnp: {}: {}", path_, failure.what());
    }
    bytes_.clear();
    if (comm->me == 0) {
        bytes_ = std::move(bytes);
    }
}

void PairNNP::map_types(const std::vector<std::string>& elements)
{
    if (!allocated) {
        allocate();
    }
    const int n_types = atom->ntypes;
    elements_ = elements;
    species_of_type_.assign(n_types + 1, -1);
    for (int type = 1; type <= n_types; type++) {
        const std::string& symbol = elements[type - 1];
        const int wanted = nnp_lammps::atomic_number(symbol);
        for (int element = 0; element < model_->n_elements(); element++) {
            if (model_->atomic_number(element) == wanted) {
                species_of_type_[type] = element;
            }
        }
        if (species_of_type_[type] < 0 && symbol != NOT_OURS) {
            error->all(FLERR, "Pair nnp: atom type {} is to be {}, but {} has only {}", type, symbol, path_,
                       list_of(*model_));
        }
    }
    for (int i = 1; i <= n_types; i++) {
        for (int j = i; j <= n_types; j++) {
            setflag[i][j] = species_of_type_[i] >= 0 && species_of_type_[j] >= 0;
        }
    }
    if (std::all_of(species_of_type_.begin(), species_of_type_.end(), [](int species) { return species < 0; })) {
        error->all(FLERR, "Pair nnp: all elements are NULL");
    }
}

void PairNNP::allocate()
{
    const int n = atom->ntypes + 1;
    memory->create(setflag, n, n, "pair:setflag");
    memory->create(cutsq, n, n, "pair:cutsq");
    for (int i = 0; i < n; i++) {
        std::fill(setflag[i], setflag[i] + n, 0);
    }
    allocated = 1;
}

void PairNNP::create_engines()
{
    members_.clear();
    try {
        engine_ = std::make_unique<Engine>(*model_, options_.float32, options_.threads);
    } catch (const std::exception& failure) {
        error->all(FLERR, "Pair nnp: {}: {}", path_, failure.what());
    }
}

void PairNNP::init_style()
{
    special_bonds_checked_ = false;
    neighbor->add_request(this, NeighConst::REQ_FULL);
}

double PairNNP::init_one(int i, int j)
{
    if (setflag[i][j] == 0) {
        error->all(FLERR,
                   "Pair nnp: atom types {} and {} are not both in pair_coeff; give them a style of pair_style hybrid",
                   i, j);
    }
    return model_->cutoff() * units_->length;
}

double PairNNP::memory_usage()
{
    double bytes = Pair::memory_usage();
    bytes += engine_ ? engine_->bytes() : 0;
    for (const Engine& member : members_) {
        bytes += member.bytes();
    }
    for (const auto* values : {&positions_, &forces_, &energies_, &virials_, &neighbor_virials_, &spread_}) {
        bytes += static_cast<double>(values->capacity() * sizeof(double));
    }
    return bytes + static_cast<double>(species_.capacity() * sizeof(int) + bytes_.capacity());
}

void* PairNNP::extract(const char* name, int& dimension)
{
    dimension = 0;
    return std::strcmp(name, "spread_flag") == 0 ? &spread_flag_ : nullptr;
}

void* PairNNP::extract_peratom(const char* name, int& columns)
{
    columns = 0;
    if (std::strcmp(name, "spread") != 0) {
        return nullptr;
    }
    spread_.resize(std::max<size_t>(spread_.size(), std::max(atom->nmax, 1)), 0.0);
    return spread_.data();
}

void PairNNP::finish()
{
    if (model_) {
        extrapolations_.finish(*model_);
    }
}

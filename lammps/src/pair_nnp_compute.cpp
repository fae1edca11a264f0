// SPDX-License-Identifier: GPL-2.0-only
// One step: LAMMPS's atoms and full list to libnnp, and energies, forces and virials back.
#include <algorithm>
#include <cmath>

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "neigh_list.h"
#include "pair_nnp.h"
#include "update.h"

using namespace LAMMPS_NS;

namespace
{

// Where LAMMPS keeps the component [a][b] of a tensor: xx, yy, zz, xy, xz, yz, and yx, zx, zy of centroid virials.
constexpr int ROW[9] = {0, 1, 2, 0, 0, 1, 1, 2, 2};
constexpr int COLUMN[9] = {0, 1, 2, 1, 2, 2, 0, 0, 1};

double component(const double* tensor, int k)
{
    return tensor[3 * ROW[k] + COLUMN[k]];
}

double* sized(std::vector<double>& values, size_t size)
{
    values.resize(size);
    return values.data();
}

}  // namespace

void PairNNP::compute(int eflag, int vflag)
{
    ev_init(eflag, vflag);
    if (!special_bonds_checked_) {
        check_special_bonds();
    }
    const nnp_domain domain = gather();
    const auto n = static_cast<size_t>(domain.n_atoms);
    double energy = 0, strain[9] = {};
    nnp_results results = {};
    results.energy = &energy;
    results.forces = sized(forces_, 3 * n);
    results.virial = vflag_global ? strain : nullptr;
    results.energies = eflag_atom ? sized(energies_, n) : nullptr;
    results.virials = vflag_atom ? sized(virials_, 9 * n) : nullptr;
    results.neighbor_virials = cvflag_atom ? sized(neighbor_virials_, 9 * n) : nullptr;
    evaluate(*engine_, domain, results);
    extrapolations_.count(engine_->extrapolations(), species_.data());
    pvector[EXTRAPOLATIONS_OF_STEP] = extrapolations_.of_step();
    pvector[EXTRAPOLATIONS] = extrapolations_.of_rank();
    add_forces();
    tally(energy, strain);
    tally_atoms();
    if (wants_spread()) {
        compute_spread(domain);
    }
    extrapolations_.check(*model_);
}

nnp_domain PairNNP::gather()
{
    const int n = atom->nlocal + atom->nghost;
    species_.resize(n);
    for (int i = 0; i < n; i++) {
        species_[i] = species_of_type_[atom->type[i]];
    }
    nnp_domain domain = {};
    domain.n_atoms = n;
    domain.positions = n == 0 ? nullptr : atom->x[0];
    if (units_->length != 1) {
        positions_.resize(3 * static_cast<size_t>(n));
        for (size_t k = 0; k < positions_.size(); k++) {
            positions_[k] = domain.positions[k] / units_->length;
        }
        domain.positions = positions_.data();
    }
    domain.species = species_.data();
    domain.n_centres = list->inum;
    domain.centres = list->ilist;
    domain.counts = list->numneigh;
    domain.neighbors = list->firstneigh;
    domain.mask = NEIGHMASK;
    return domain;
}

void PairNNP::evaluate(nnp_lammps::Engine& engine, const nnp_domain& domain, const nnp_results& results)
{
    try {
        engine.compute(domain, results);
    } catch (const nnp_lammps::Failure& failure) {
        refuse(failure.error);
    }
}

// libnnp names rows of this rank's arrays; LAMMPS's users know tags.
void PairNNP::refuse(const nnp_error& found)
{
    const std::string where = fmt::format("Pair nnp, step {}: ", update->ntimestep), name = name_of(found.atom);
    switch (found.code) {
        case NNP_OVERLAP:
            error->one(FLERR,
                       "{}atoms {} and {} are in the same place ({:g} apart): two atoms of the data file, or an "
                       "unstable run",
                       where, name, name_of(found.other), found.value * units_->length);
        case NNP_LOST_POSITION:
            error->one(FLERR, "{}atom {} has a position that is not a number: the run is unstable (time step, start)",
                       where, name);
        case NNP_NOT_FINITE:
            error->one(FLERR, "{}the energy or force of atom {} is not a finite number: the run is unstable", where,
                       name);
        default:
            error->one(FLERR, "{}{}", where, found.text);
    }
}

std::string PairNNP::name_of(int64_t atom_index) const
{
    if (atom_index < 0 || atom_index >= atom->nlocal + atom->nghost || !atom->tag_enable) {
        return "?";
    }
    return std::to_string(atom->tag[atom_index]);
}

void PairNNP::add_forces()
{
    // With newton off LAMMPS does not send the forces of ghosts home.
    if (!force->newton_pair) {
        send_home(forces_.data(), 3);
    }
    const int n = force->newton_pair ? atom->nlocal + atom->nghost : atom->nlocal;
    const double factor = units_->energy / units_->length;
    double* f = n == 0 ? nullptr : atom->f[0];
    for (int k = 0; k < 3 * n; k++) {
        f[k] += factor * forces_[k];
    }
}

void PairNNP::tally(double energy, const double* strain)
{
    if (eflag_global) {
        eng_vdwl += units_->energy * energy;
    }
    for (int k = 0; vflag_global && k < 6; k++) {
        virial[k] -= units_->energy * component(strain, k);
    }
}

void PairNNP::tally_atoms()
{
    const int n_local = atom->nlocal, n = n_local + (force->newton_pair ? atom->nghost : 0);
    for (int i = 0; eflag_atom && i < n_local; i++) {
        eatom[i] += units_->energy * energies_[i];
    }
    for (int i = 0; vflag_atom && i < n_local; i++) {
        for (int k = 0; k < 6; k++) {
            vatom[i][k] -= units_->energy * component(&virials_[9 * static_cast<size_t>(i)], k);
        }
    }
    if (!cvflag_atom) {
        return;
    }
    // At the neighbour, where it meets that atom's velocity in the heat flux.
    if (!force->newton_pair) {
        send_home(neighbor_virials_.data(), 9);
    }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 9; k++) {
            cvatom[i][k] -= units_->energy * component(&neighbor_virials_[9 * static_cast<size_t>(i)], k);
        }
    }
}

void PairNNP::send_home(double* values, int width)
{
    sent_ = values;
    sent_width_ = width;
    comm->reverse_comm(this, width);
}

int PairNNP::pack_reverse_comm(int n, int first, double* buffer)
{
    const int size = n * sent_width_;
    std::copy_n(sent_ + static_cast<size_t>(first) * sent_width_, size, buffer);
    return size;
}

void PairNNP::unpack_reverse_comm(int n, int* list, double* buffer)
{
    for (int k = 0; k < n; k++) {
        double* target = sent_ + static_cast<size_t>(list[k]) * sent_width_;
        for (int c = 0; c < sent_width_; c++) {
            target[c] += *buffer++;
        }
    }
}

// LAMMPS leaves bonded neighbours out of the list where special_bonds weighs them with zero, as it does by default;
// a network has learned from all neighbours.
void PairNNP::check_special_bonds()
{
    special_bonds_checked_ = true;
    const double* weights = force->special_lj;
    if (atom->molecular == Atom::ATOMIC || (weights[1] == 1 && weights[2] == 1 && weights[3] == 1)) {
        return;
    }
    for (int i = 0; i < atom->nlocal && atom->molecular == Atom::MOLECULAR; i++) {
        for (int k = 0; species_of_type_[atom->type[i]] >= 0 && k < atom->nspecial[i][2]; k++) {
            const int j = atom->map(atom->special[i][k]);
            const int distance = k < atom->nspecial[i][0] ? 1 : k < atom->nspecial[i][1] ? 2 : 3;
            if (j >= 0 && species_of_type_[atom->type[j]] >= 0 && weights[distance] != 1) {
                error->one(
                    FLERR,
                    "Pair nnp: special_bonds weighs the bonded atoms {} and {} with {:g}, but the potential needs "
                    "all neighbors: special_bonds lj/coul 1 1 1 (in a hybrid style: pair_modify pair nnp special lj "
                    "1 1 1)",
                    atom->tag[i], atom->special[i][k], weights[distance]);
            }
        }
    }
    if (atom->molecular == Atom::TEMPLATE) {
        error->all(FLERR, "Pair nnp with atom_style template needs special_bonds lj/coul 1 1 1");
    }
}

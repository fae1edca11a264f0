// SPDX-License-Identifier: GPL-2.0-only
// How far the members of a committee disagree: per atom sqrt(mean |F_m - mean F|²), by fix pair and compute pair.
#include <algorithm>
#include <cmath>

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "modify.h"
#include "pair_nnp.h"

using namespace LAMMPS_NS;
using nnp_lammps::Engine;

// Every rank answers the same: the steps of thermo output if a compute pair prints it, those of a fix pair.
bool PairNNP::wants_spread() const
{
    return spread_flag_ != 0 ||
           (eflag_global != 0 && model_->n_members() > 0 && !modify->get_compute_by_style("^pair$").empty());
}

void PairNNP::compute_spread(const nnp_domain& domain)
{
    const int n_members = model_->n_members();
    if (n_members == 0) {
        error->all(FLERR, "Pair nnp: {} is not a committee: its forces have no spread", path_);
    }
    for (int m = static_cast<int>(members_.size()); m < n_members; m++) {
        try {
            members_.emplace_back(model_->member(m), options_.float32 != 0, options_.threads);
        } catch (const nnp_lammps::Failure& failure) {
            error->one(FLERR, "Pair nnp: member {} of {}: {}", m, path_, failure.what());
        }
    }
    const int n = atom->nlocal;
    std::vector<double> forces(3 * static_cast<size_t>(domain.n_atoms)), mean(3 * n), deviation(n);
    nnp_results results = {};
    results.forces = forces.data();
    // Welford's sums: the differences of nearly equal forces keep their digits.
    for (int m = 0; m < n_members; m++) {
        evaluate(members_[m], domain, results);
        send_home(forces.data(), 3);
        for (int k = 0; k < 3 * n; k++) {
            const double before = forces[k] - mean[k];
            mean[k] += before / (m + 1);
            deviation[k / 3] += before * (forces[k] - mean[k]);
        }
    }
    spread_.resize(std::max<size_t>(spread_.size(), std::max(atom->nmax, 1)), 0.0);
    double mine = 0, largest = 0;
    for (int i = 0; i < n; i++) {
        spread_[i] = std::sqrt(std::max(deviation[i], 0.0) / n_members) * units_->energy / units_->length;
        mine = std::max(mine, spread_[i]);
    }
    MPI_Allreduce(&mine, &largest, 1, MPI_DOUBLE, MPI_MAX, world);
    pvector[LARGEST_SPREAD] = comm->me == 0 ? largest : 0;  // compute pair sums over the ranks
}

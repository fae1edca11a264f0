// SPDX-License-Identifier: GPL-2.0-only
#include "extrapolations.h"

#include <algorithm>
#include <cmath>

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "update.h"

namespace nnp_lammps
{

void Extrapolations::count(const nnp_extrapolations& found, const int* species)
{
    of_step_ = found.count;
    of_rank_ += found.count;
    unsummed_ += found.count;
    for (long long k = 0; k < found.count && records_.size() < RECORDS; k++) {
        const long long i = found.atoms[k];
        const long long tag = atom->tag_enable ? atom->tag[i] : 0;
        records_.push_back({update->ntimestep, tag, species[i], static_cast<int>(found.functions[k]), found.excess[k]});
    }
}

void Extrapolations::check(const Model& model)
{
    if (update->ntimestep % every == 0) {
        sum(model);
    }
}

void Extrapolations::finish(const Model& model)
{
    sum(model);
}

void Extrapolations::sum(const Model& model)
{
    long long count = 0;
    MPI_Allreduce(&unsummed_, &count, 1, MPI_LONG_LONG, MPI_SUM, world);
    unsummed_ = 0;
    total_ += count;
    if (count > 0 && show && told_ < MOST_LINES) {
        tell(model, count);
    }
    records_.clear();
    if (most != UNLIMITED && total_ > most) {
        error->all(FLERR,
                   "Pair nnp: {} extrapolations until step {}, max_extrapolations allows {}: the structures have left "
                   "what the potential was trained on",
                   total_, update->ntimestep, most);
    }
}

void Extrapolations::tell(const Model& model, long long count)
{
    std::array<Record, RECORDS> mine = {};
    int number = static_cast<int>(records_.size());
    std::copy(records_.begin(), records_.end(), mine.begin());
    std::vector<int> numbers(comm->nprocs);
    std::vector<Record> all(comm->me == 0 ? static_cast<size_t>(RECORDS) * comm->nprocs : 0);
    MPI_Gather(&number, 1, MPI_INT, numbers.data(), 1, MPI_INT, 0, world);
    MPI_Gather(mine.data(), sizeof(mine), MPI_BYTE, all.data(), sizeof(mine), MPI_BYTE, 0, world);
    int lines = 0;
    for (int rank = 0; comm->me == 0 && rank < comm->nprocs; rank++) {
        for (int k = 0; k < numbers[rank] && lines < LINES; k++, lines++) {
            LAMMPS_NS::utils::logmesg(lmp, line(model, all[static_cast<size_t>(rank) * RECORDS + k]));
        }
    }
    if (comm->me == 0 && count > lines) {
        LAMMPS_NS::utils::logmesg(lmp, "Pair nnp: {} more extrapolations until step {}\n", count - lines,
                                  update->ntimestep);
    }
    told_ += LINES;
    if (comm->me == 0 && told_ >= MOST_LINES) {
        LAMMPS_NS::utils::logmesg(lmp, "Pair nnp: further extrapolations are counted, not shown (compute pair)\n");
    }
}

std::string Extrapolations::line(const Model& model, const Record& record) const
{
    const char* symbol = chemical_symbol(model.atomic_number(record.element));
    return fmt::format("Pair nnp: extrapolation at step {}: atom {} ({}), {}: {:.4g} {}\n", record.step, record.tag,
                       symbol == nullptr ? "?" : symbol, model.function(record.element, record.function),
                       std::abs(record.excess), record.excess < 0 ? "below its minimum" : "above its maximum");
}

}  // namespace nnp_lammps
